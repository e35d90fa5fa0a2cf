// SPDX-License-Identifier: BSD-3-Clause
// memory_huge.c: the table of what calls on memory say to mappings of large pages that are set
// aside. None are, so nothing is reserved or touched: which ranges are refused, and what becomes of
// the others.
//
// Left out are large pages of 1 GiB, which some of Linux's machines have, and MADV_COLLAPSE.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "differ.h"

enum {
    PAGE = 4096,
    LARGE = 2 << 20,
    ARENA = 8 * LARGE,
    BEYOND = 4 * LARGE, // no operation goes further
    RW = PROT_READ | PROT_WRITE,
    HUGE = MAP_HUGETLB | MAP_NORESERVE,
    TEXT = 1 << 16,
};

// One large page without access, three private ones, one hole, two shared ones, one small mapping.
struct huge {
    char *arena;
    int fd;
    char text[TEXT];
};

static struct huge *huge_of(struct run *run)
{
    return run->state;
}

static void must(int is_true)
{
    if (!is_true) {
        perror("differ: memory_huge");
        exit(2);
    }
}

static void *huge_open(unsigned thread)
{
    (void)thread;
    struct huge *huge = calloc(1, sizeof *huge);
    char *va = mmap(NULL, ARENA + BEYOND + LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(huge != NULL && va != MAP_FAILED);
    huge->arena = va + (-(uintptr_t)va & (LARGE - 1));
    huge->fd = memfd_create("huge", MFD_HUGETLB);
    must(huge->fd >= 0);
    return huge;
}

static void huge_begin(struct run *run)
{
    struct huge *huge = huge_of(run);
    char *arena = huge->arena;
    must(mmap(arena, ARENA + BEYOND, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
         arena);
    must(ftruncate(huge->fd, 0) == 0 && ftruncate(huge->fd, 4 * LARGE) == 0);
    must(mmap(arena + LARGE, 3 * LARGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | HUGE, -1,
              0) != MAP_FAILED);
    must(munmap(arena + 4 * LARGE, LARGE) == 0);
    must(mmap(arena + 5 * LARGE, 2 * LARGE, RW, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, huge->fd,
              LARGE) != MAP_FAILED);
    must(mmap(arena + 7 * LARGE, LARGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
         MAP_FAILED);
}

static void maps_read(struct huge *huge)
{
    int fd = open("/proc/self/maps", O_RDONLY);
    size_t length = 0;
    ssize_t got;
    while (fd >= 0 && (got = read(fd, huge->text + length, TEXT - 1 - length)) > 0) {
        length += (size_t)got;
    }
    huge->text[length] = 0;
    close(fd);
}

static const char *rights_at(const struct huge *huge, const char *va)
{
    for (const char *line = huge->text; *line != 0; line = strchr(line, '\n') + 1) {
        unsigned long start, end;
        static char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 && start <= (uintptr_t)va &&
            (uintptr_t)va < end) {
            return rights;
        }
    }
    return "-";
}

// In steps of half a large page, but for what lies a page beside.
static void huge_look(struct run *run)
{
    struct huge *huge = huge_of(run);
    maps_read(huge);
    for (size_t at = 0; at < ARENA; at += LARGE / 2) {
        say(run, " %s", rights_at(huge, huge->arena + at));
    }
    say(run, " %ld", (long)lseek(huge->fd, 0, SEEK_END) / PAGE);
}

static void huge_close(void *state)
{
    struct huge *huge = state;
    close(huge->fd);
    free(huge);
}

// ---- Classes of arguments --------------------------------------------------

static char *place(struct run *run)
{
    static const size_t places[] = {
        LARGE,     LARGE + PAGE, 2 * LARGE,        3 * LARGE - PAGE,
        4 * LARGE, 5 * LARGE,    5 * LARGE + PAGE, 6 * LARGE + LARGE / 2,
        7 * LARGE};
    size_t offset = CHOOSE(run, places);
    say(run, " a+%zx", offset);
    return huge_of(run)->arena + offset;
}

static size_t length(struct run *run)
{
    static const size_t lengths[] = {0, PAGE, LARGE - PAGE, LARGE, LARGE + 1, 2 * LARGE, 3 * LARGE};
    size_t size = CHOOSE(run, lengths);
    say(run, " %zx", size);
    return size;
}

static void make_map(struct run *run)
{
    static const int sizes[] = {0, 21, 13, 63};
    static const int kinds[] = {MAP_PRIVATE, MAP_SHARED};
    static const int reserves[] = {0, MAP_NORESERVE};
    static const size_t offsets[] = {0, PAGE, LARGE};
    int flags = CHOOSE(run, kinds) | CHOOSE(run, reserves);
    flags |=
        (flags & MAP_NORESERVE) != 0 ? MAP_FIXED : 0; // what failed has taken away what was there
    bool is_file = choose(run, 2) == 1;
    flags |= is_file && choose(run, 2) == 1 ? 0 : MAP_HUGETLB;
    flags |= is_file ? 0 : MAP_ANONYMOUS | CHOOSE(run, sizes) << 26;
    size_t offset = is_file ? CHOOSE(run, offsets) : 0;
    flags &= offset == PAGE ? ~MAP_FIXED : ~0;
    char *va = place(run);
    size_t size = length(run);
    say(run, " %x %zx", (unsigned)flags, offset);
    char *result = mmap(va, size, RW, flags, is_file ? huge_of(run)->fd : -1, (off_t)offset);
    say_result(run, result == MAP_FAILED ? -1 : result - huge_of(run)->arena);
}

static void make_unmap(struct run *run)
{
    char *va = place(run);
    say_result(run, munmap(va, length(run)));
}

static void make_protect(struct run *run)
{
    char *va = place(run);
    say_result(run, mprotect(va, length(run), PROT_READ));
}

static void make_remap(struct run *run)
{
    static const int ways[] = {0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED};
    static const size_t targets[] = {0, PAGE};
    char *va = place(run);
    size_t old_size = length(run), new_size = length(run);
    int flags = CHOOSE(run, ways);
    char *target = huge_of(run)->arena + CHOOSE(run, targets);
    if (va >= huge_of(run)->arena + 7 * LARGE || new_size > LARGE + 1 || old_size == 0) {
        say(run, " not made"); // small memory, or what would reach the mapping itself
        return;
    }
    char *result = mremap(va, old_size, new_size, flags, target);
    say_result(run, result == MAP_FAILED ? -1 : result - huge_of(run)->arena);
}

static void make_advise(struct run *run)
{
    static const int advices[] = {MADV_NORMAL,     MADV_RANDOM,    MADV_SEQUENTIAL, MADV_WILLNEED,
                                  MADV_DONTNEED,   MADV_FREE,      MADV_REMOVE,     MADV_DONTFORK,
                                  MADV_DONTDUMP,   MADV_DODUMP,    MADV_COLD,       MADV_PAGEOUT,
                                  MADV_WIPEONFORK, MADV_KEEPONFORK};
    char *va = place(run);
    size_t size = length(run);
    int advice = CHOOSE(run, advices);
    say(run, " %d", advice);
    say_result(run, madvise(va, size, advice));
}

static void make_lock(struct run *run)
{
    char *va = place(run);
    size_t size = length(run);
    bool is_lock = choose(run, 2) == 0;
    if (va + size > huge_of(run)->arena + 7 * LARGE) {
        say(run, " not made"); // small memory may be more than is allowed
        return;
    }
    say_result(run, is_lock ? mlock(va, size) : munlock(va, size));
}

static void make_truncate(struct run *run)
{
    static const off_t sizes[] = {0, 1, PAGE, LARGE - 1, LARGE, LARGE + PAGE, 3 * LARGE, 6 * LARGE};
    say_result(run, ftruncate(huge_of(run)->fd, CHOOSE(run, sizes)));
}

static void make_allocate(struct run *run)
{
    static const int ways[] = {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE,
                               FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_ZERO_RANGE};
    static const off_t places[] = {0, PAGE, LARGE, 5 * LARGE};
    int way = CHOOSE(run, ways);
    off_t offset = CHOOSE(run, places);
    size_t size = length(run);
    say_result(run, fallocate(huge_of(run)->fd, way, offset, (off_t)size));
}

static void make_io(struct run *run)
{
    char bytes[16] = "";
    static const off_t places[] = {0, LARGE - 8, 4 * LARGE - 8, 4 * LARGE};
    off_t offset = CHOOSE(run, places);
    bool is_write = choose(run, 2) == 1;
    say_result(run, is_write ? pwrite(huge_of(run)->fd, bytes, sizeof bytes, offset)
                             : pread(huge_of(run)->fd, bytes, sizeof bytes, offset));
}

static void make_memfd(struct run *run)
{
    static const unsigned flags[] = {0, MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB,
                                     MFD_HUGETLB | MFD_ALLOW_SEALING};
    static const unsigned sizes[] = {0, 21, 13, 63};
    unsigned how = CHOOSE(run, flags) | CHOOSE(run, sizes) << 26;
    say(run, " %x", how);
    int fd = memfd_create("made", how);
    say_result(run, fd < 0 ? -1 : 0);
    close(fd);
}

static const struct operation operations[] = {
    {"mmap", 1, make_map},           {"munmap", 1, make_unmap},       {"mprotect", 1, make_protect},
    {"mremap", 1, make_remap},       {"madvise", 1, make_advise},     {"mlock", 1, make_lock},
    {"ftruncate", 1, make_truncate}, {"fallocate", 1, make_allocate}, {"read", 1, make_io},
    {"memfd_create", 1, make_memfd},
};

const struct world huge_world = {
    .name = "memory_huge",
    .is_table = true,
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = huge_open,
    .begin = huge_begin,
    .look = huge_look,
    .close = huge_close,
};
