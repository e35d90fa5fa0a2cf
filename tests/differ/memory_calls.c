// SPDX-License-Identifier: BSD-3-Clause
// memory_calls.c: the table of the calls on memory: each class of each argument, with each of the
// others.
//
// Every case begins with one page or two of each kind of mapping (layout). Left out is what would
// harm the program itself, and what Linux has changed between versions.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"

enum {
    // Not in all headers.
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
    ADVICE_DONTNEED_LOCKED = 24,
};

// ---- mmap ----------------------------------------------------------------

static void mmap_make(struct run *run, char *va, size_t size, int prot, int flags, int fd,
                      off_t offset)
{
    struct attempt attempt = attempt_begin(run);
    char *result;
    do {
        result = mmap(va, size, prot, flags, fd, offset);
    } while (attempt_again(run, &attempt, result == MAP_FAILED));
    say_address(run, result);
    elsewhere_end(run, result, size);
}

// Where; but not at address 0, which a kernel allows its administrator.
static void make_map_place(struct run *run)
{
    int fixed = NUMBER_CHOOSE(run, "fixed", 0, MAP_FIXED, MAP_FIXED_NOREPLACE,
                              MAP_FIXED | MAP_FIXED_NOREPLACE);
    char *va = place_choose(run, fixed == 0);
    size_t size = size_choose(run, va, false);
    int kind = NUMBER_CHOOSE(run, "kind", MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
                             MAP_PRIVATE, MAP_SHARED);
    mmap_make(run, va, size, RW, kind | fixed, memory_of(run)->fds[FILE_MEMFD], 0);
}

enum {
    FD_MEMFD,
    FD_READ_ONLY,
    FD_WRITE_ONLY,
    FD_NONE,
    FD_CLOSED,
    FD_DIRECTORY,
    FD_PIPE,
    FD_ZERO,
    FD_ZERO_READ_ONLY,
    FD_NULL,
    FD_PATH,
    FD_KINDS
};

// The second is to be closed, too, or -1.
static void fd_open(struct run *run, uint32_t kind, int fds[2])
{
    struct memory *memory = memory_of(run);
    fds[0] = fds[1] = -1;
    switch (kind) {
    case FD_MEMFD:
    case FD_READ_ONLY:
    case FD_WRITE_ONLY:
        fds[0] = dup(memory->fds[kind == FD_MEMFD       ? FILE_MEMFD
                                 : kind == FD_READ_ONLY ? FILE_READ_ONLY
                                                        : FILE_WRITE_ONLY]);
        break;
    case FD_DIRECTORY:
        fds[0] = open("/dev", O_RDONLY | O_DIRECTORY);
        break;
    case FD_PIPE:
        if (pipe(fds) != 0) {
            fds[0] = fds[1] = -1;
        }
        break;
    case FD_ZERO:
    case FD_ZERO_READ_ONLY:
        fds[0] = open("/dev/zero", kind == FD_ZERO ? O_RDWR : O_RDONLY);
        break;
    case FD_NULL:
        fds[0] = open("/dev/null", O_RDWR);
        break;
    case FD_PATH:
        fds[0] = open("/dev/zero", O_PATH);
        break;
    default:
        break;
    }
}

// What; in place of the first two pages.
static void make_map_what(struct run *run)
{
    static const off_t offsets[] = {
        0, PAGE, 3, (off_t)FILE_PAGES * PAGE, -(off_t)PAGE, INT64_MAX & ~(off_t)(PAGE - 1)};
    int prot = NUMBER_CHOOSE(run, "prot", RW, PROT_READ, PROT_NONE, PROT_WRITE, PROT_READ | 0x100);
    int kind = NUMBER_CHOOSE(run, "kind", MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, 0, 5,
                             MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
                             MAP_SHARED_VALIDATE | MAP_ANONYMOUS);
    uint32_t file = choose(run, FD_KINDS);
    off_t offset = CHOOSE(run, offsets);
    int fds[2];
    fd_open(run, file, fds);
    say(run, " file %u+%lx", file, (long)offset);
    int fd = file == FD_CLOSED ? 1000 : fds[0];
    mmap_make(run, memory_of(run)->arena, 2 * PAGE, prot, kind | MAP_FIXED, fd, offset);
    for (int i = 0; i < 2; ++i) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

// Each flag. Pages of their own, over two kinds of mapping.
static void make_map_flags(struct run *run)
{
    int flag =
        NUMBER_CHOOSE(run, "flag", 0, MAP_POPULATE, MAP_NONBLOCK, MAP_POPULATE | MAP_NONBLOCK,
                      MAP_NORESERVE, MAP_STACK, MAP_LOCKED, MAP_DENYWRITE, MAP_EXECUTABLE, 0x200,
                      0x4000000 /* MAP_UNINITIALIZED */, 0x8000000, MAP_SYNC, INT32_MIN);
    int kind = NUMBER_CHOOSE(run, "kind", MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE,
                             MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS);
    int prot = NUMBER_CHOOSE(run, "prot", RW, PROT_READ, PROT_NONE);
    char *va = memory_of(run)->arena + 4 * PAGE;
    mmap_make(run, va, 3 * PAGE, prot, flag | kind | MAP_FIXED, memory_of(run)->fds[FILE_MEMFD],
              8l * PAGE);
}

// In the first 2 GiB, where there is a place.
static void make_map_low(struct run *run)
{
    int kind = NUMBER_CHOOSE(run, "kind", MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE | MAP_ANONYMOUS,
                             MAP_SHARED | MAP_ANONYMOUS);
    char *hint = place_choose(run, true);
    struct attempt attempt = attempt_begin(run);
    char *va;
    do {
        va = mmap(hint, PAGE, RW, kind | MAP_32BIT, memory_of(run)->fds[FILE_MEMFD], 0);
    } while (attempt_again(run, &attempt, va == MAP_FAILED));
    say(run, " low %d", (uintptr_t)va < (uintptr_t)1 << 31);
    elsewhere_end(run, va, PAGE);
}

// ---- munmap, mprotect, msync, mincore ------------------------------------

static void make_unmap(struct run *run)
{
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, false);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = munmap(va, size);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_protect(struct run *run)
{
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, false);
    int prot = NUMBER_CHOOSE(run, "prot", PROT_NONE, PROT_READ, PROT_WRITE, RW,
                             PROT_READ | PROT_EXEC, RW | PROT_EXEC, RW | 8 /* PROT_SEM */,
                             PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN, 0x10, 0x10000000);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = mprotect(va, size, prot);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_sync(struct run *run)
{
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, true);
    int flags = NUMBER_CHOOSE(run, "flags", 0, MS_ASYNC, MS_INVALIDATE, MS_ASYNC | MS_INVALIDATE,
                              MS_SYNC, MS_SYNC | MS_ASYNC, MS_SYNC | MS_INVALIDATE, 7, 8, -1);
    say_result(run, msync(va, size, flags));
}

// How many pages are there is the machine's affair.
static void make_core(struct run *run)
{
    unsigned char pages[ARENA_PAGES + 1];
    char *arena = memory_of(run)->arena;
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, false);
    unsigned char *const targets[] = {pages, NULL, (unsigned char *)arena + 2 * PAGE,
                                      (unsigned char *)arena + 6 * PAGE,
                                      (unsigned char *)-(uintptr_t)PAGE};
    uint32_t target = choose(run, sizeof targets / sizeof targets[0]);
    say(run, " to %u", target);
    say_result(run, mincore(va, size, targets[target]));
}

// ---- madvise -------------------------------------------------------------

// Not those about pages that are the same, about huge pages at once, or that plant errors.
static void make_advise(struct run *run)
{
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, true);
    int advice = NUMBER_CHOOSE(
        run, "advice", MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, 5,
        6, 7, MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
        MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT,
        ADVICE_POPULATE_READ, ADVICE_POPULATE_WRITE, ADVICE_DONTNEED_LOCKED, 26, 99, 999, -1);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = madvise(va, size, advice);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
    if (advice == MADV_FREE && error == 0) { // freed or not: either is right
        while (munmap(va, size) != 0 && size != 0) {
        }
    }
}

// ---- Locks ---------------------------------------------------------------

static void make_lock(struct run *run)
{
    char *va = place_choose(run, true);
    size_t size = size_choose(run, va, false);
    int how = NUMBER_CHOOSE(run, "how", -2 /* mlock */, -3 /* munlock */, 0, MLOCK_ONFAULT, 2, -1);
    if (size > ARENA && how != -3) {
        return; // it hangs on the user and the limit
    }
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = how == -2   ? mlock(va, size)
                : how == -3 ? munlock(va, size)
                            : mlock2(va, size, (unsigned)how);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

// What is locked before, and afterwards, is copied from its file before the file is written.
static void make_lock_all(struct run *run)
{
    struct memory *memory = memory_of(run);
    int flags = NUMBER_CHOOSE(run, "flags", 0, MCL_CURRENT, MCL_FUTURE, MCL_CURRENT | MCL_FUTURE,
                              MCL_ONFAULT, MCL_CURRENT | MCL_ONFAULT, MCL_FUTURE | MCL_ONFAULT,
                              MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT, 8, -1);
    int then = NUMBER_CHOOSE(run, "then", 0, 1, 2, 3, 4, 5);
    char *place = memory->arena + 14 * PAGE;
    if (then == 0) {
        say_address(run, mmap(place, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, memory->fds[FILE_MEMFD],
                              5l * PAGE));
    }
    say_result(run, mlockall(flags));
    if (then == 0) { // marked, too
        say_result(run, madvise(memory->arena, PAGE, MADV_DONTNEED));
    } else if (then == 1) { // a break that grows
        char *end = sbrk(PAGE);
        say(run, " grown %d", end != (char *)-1);
        say_result(run, madvise((char *)((uintptr_t)sbrk(0) & ~(uintptr_t)(PAGE - 1)) - PAGE, PAGE,
                                MADV_DONTNEED));
        say_result(run, sbrk(-PAGE) == (char *)-1 ? -1 : 0);
    } else {
        int flag = then == 3 ? MAP_POPULATE : then == 4 ? MAP_LOCKED : 0;
        char *va = mmap(place, 2 * PAGE, then == 5 ? PROT_READ : RW, MAP_PRIVATE | MAP_FIXED | flag,
                        memory->fds[FILE_MEMFD], 5l * PAGE);
        say_address(run, va);
        if (then == 5) {
            say_result(run, mprotect(place, PAGE, RW));
            say_result(run, (long)mremap(place, PAGE, PAGE, MREMAP_MAYMOVE) == -1 ? -1 : 0);
        }
    }
    for (int i = 0; i < FILE_PAGES; ++i) {
        if (pwrite(memory->fds[FILE_MEMFD], "later", 5, (off_t)i * PAGE) != 5) {
            arena_die("differ: a file");
        }
    }
    say_result(run, munlockall());
    say_result(run, madvise(place, PAGE, MADV_COLD));
}

// ---- mremap --------------------------------------------------------------

// Left out, since Linux 6.17 does otherwise than those before: an old range that is more than one
// mapping and keeps its size, or is one that goes round, with a target; what is too large for all
// addresses, without one.
static void make_remap(struct run *run)
{
    static const uint8_t places[] = {0, 2, 3, 5, 7, 8, 10, 12, 14};
    static const size_t old_sizes[] = {0, 1, PAGE, PAGE + 1, (size_t)-PAGE};
    static const size_t new_sizes[] = {
        0, PAGE, 2 * PAGE, 5 * PAGE, (size_t)-PAGE + 1, (size_t)1 << 47};
    static const uint8_t targets[] = {2, 1, 10, 16};
    int flags = NUMBER_CHOOSE(run, "flags", 0, MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP, 8,
                              MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
                              MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP);
    bool has_target = (flags & MREMAP_MAYMOVE) != 0 && flags != MREMAP_MAYMOVE;
    char *arena = memory_of(run)->arena;
    char *va = arena + (size_t)CHOOSE(run, places) * PAGE;
    size_t old_size = old_sizes[choose(run, has_target ? 4 : 5)];
    size_t new_size = new_sizes[choose(run, has_target ? 6 : 5)];
    new_size = has_target && old_size > PAGE && new_size == 2 * PAGE ? PAGE : new_size;
    say_place(run, va);
    say(run, ",%lx new %lx", (long)old_size, (long)new_size);
    char *target = NULL;
    if (has_target) {
        uint32_t chosen = choose(run, sizeof targets + 2);
        target = chosen < sizeof targets    ? arena + (size_t)targets[chosen] * PAGE
                 : chosen == sizeof targets ? arena + 0x123
                                            : (char *)address_last;
        say_place(run, target);
    }
    size_t lost = (flags & MREMAP_FIXED) != 0 ? new_size : 0;
    struct attempt attempt = attempt_begin_losing(run, target, lost);
    char *result;
    do {
        result = mremap(va, old_size, new_size, flags, target);
    } while (attempt_again(run, &attempt, result == MAP_FAILED));
    say_address(run, result);
    elsewhere_end(run, result, new_size);
}

static const struct operation operations[] = {
    {"mmap_place", 1, make_map_place}, {"mmap_what", 1, make_map_what},
    {"mmap_flags", 1, make_map_flags}, {"mmap_low", 1, make_map_low},
    {"munmap", 1, make_unmap},         {"mprotect", 1, make_protect},
    {"msync", 1, make_sync},           {"mincore", 1, make_core},
    {"madvise", 1, make_advise},       {"mlock", 1, make_lock},
    {"mlockall", 1, make_lock_all},    {"mremap", 1, make_remap},
};

const struct world calls_world = {
    .name = "memory_calls",
    .is_table = true,
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = cases_open,
    .begin = cases_begin,
    .look = cases_look,
    .close = arena_close,
};
