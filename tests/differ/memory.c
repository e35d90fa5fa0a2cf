// SPDX-License-Identifier: BSD-3-Clause
// memory.c: the world of memory: random operations on an arena of addresses (arena.h).
//
// Where Linux's answer hangs on how it has merged neighbouring mappings, an operation takes one
// page, or makes the mapping first.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"

enum { ARENA_PAGES = 48, ARENA = ARENA_PAGES * PAGE };

// ---- Arguments -----------------------------------------------------------

struct range {
    char *start;
    size_t size; // whole pages, inside the arena
};

static struct range range_random(struct run *run, uint32_t pages_max)
{
    uint32_t pages = 1 + random_below(run, pages_max);
    uint32_t page = random_below(run, ARENA_PAGES - pages + 1);
    return (struct range){memory_of(run)->arena + (size_t)page * PAGE, (size_t)pages * PAGE};
}

// A range that is wrong in one way, one time in twelve: unaligned, empty, too large.
static void range_spoil_large(struct run *run, char **start, size_t *size)
{
    if (!random_chance(run, 12)) {
        return;
    }
    switch (random_below(run, 6)) {
    case 0:
        *start += 1 + random_below(run, PAGE - 1);
        break;
    case 1:
        *size = 0;
        break;
    case 2:
        *size -= random_below(run, PAGE); // rounded up
        break;
    case 3:
        *size = (size_t)-PAGE + random_below(run, PAGE);
        break;
    case 4:
        *start = (char *)(uintptr_t) - (uintptr_t)(PAGE * (1 + random_below(run, 4)));
        break;
    default:
        *size = (size_t)1 << 47;
        break;
    }
}

// The same for calls that go on behind what is not mapped: they would do it to the program itself.
static void range_spoil(struct run *run, char **start, size_t *size)
{
    size_t old_size = *size;
    range_spoil_large(run, start, size);
    if (*size > ARENA && *size <= (size_t)1 << 47) {
        *size = old_size;
    }
}

// Memory that can be executed but not read is left out: it hangs on the processor.
static int prot_random(struct run *run)
{
    static const int prots[] = {RW,
                                RW,
                                RW,
                                RW,
                                RW,
                                PROT_READ,
                                PROT_READ,
                                PROT_NONE,
                                PROT_NONE,
                                PROT_WRITE,
                                PROT_READ | PROT_EXEC,
                                RW | PROT_EXEC};
    return prots[random_below(run, sizeof prots / sizeof prots[0])];
}

// Page by page, since a hole ends it.
static void arena_unlock(struct run *run)
{
    for (int i = 0; i < ARENA_PAGES; ++i) {
        munlock(memory_of(run)->arena + (size_t)i * PAGE, PAGE);
    }
}

// ---- Operations ----------------------------------------------------------

static void make_map(struct run *run)
{
    struct range range = range_random(run, 12);
    static const int extras[] = {0,
                                 0,
                                 0,
                                 0,
                                 MAP_NORESERVE,
                                 MAP_POPULATE,
                                 MAP_STACK,
                                 MAP_LOCKED,
                                 MAP_NORESERVE | MAP_POPULATE};
    int prot = prot_random(run);
    int flags = MAP_ANONYMOUS | MAP_FIXED | (random_chance(run, 4) ? MAP_SHARED : MAP_PRIVATE) |
                extras[random_below(run, sizeof extras / sizeof extras[0])];
    switch (random_below(run, 40)) {
    case 0:
        flags &= ~MAP_TYPE;
        break;
    case 1:
        flags = (flags & ~MAP_TYPE) | MAP_SHARED_VALIDATE;
        break;
    case 2:
    case 3:
        flags = (flags & ~MAP_FIXED) | MAP_FIXED_NOREPLACE;
        break;
    default:
        break;
    }
    range_spoil_large(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say(run, " prot %d flags %x", prot, flags);
    struct attempt attempt = attempt_begin(run);
    char *va;
    do {
        va = mmap(range.start, range.size, prot, flags, -1, 0);
    } while (attempt_again(run, &attempt, va == MAP_FAILED));
    say_address(run, va);
}

static void make_map_file(struct run *run)
{
    struct range range = range_random(run, 12);
    int file = (int)random_below(run, FILE_COUNT);
    int prot = prot_random(run);
    int flags = MAP_FIXED | (random_chance(run, 2) ? MAP_SHARED : MAP_PRIVATE) |
                (random_chance(run, 6) ? MAP_POPULATE : 0) |
                (random_chance(run, 10) ? MAP_NORESERVE : 0);
    long offset = (long)random_below(run, FILE_PAGES + 3) * PAGE;
    switch (random_below(run, 40)) {
    case 0:
        flags = (flags & ~MAP_TYPE) | MAP_SHARED_VALIDATE;
        break;
    case 1:
        flags = (flags & ~MAP_TYPE) | MAP_SHARED_VALIDATE | 0x8000000; // no such flag
        break;
    case 2:
        offset += 1 + (long)random_below(run, PAGE - 1);
        break;
    case 3:
        offset = -(long)PAGE * (1 + (long)random_below(run, 30));
        break;
    default:
        break;
    }
    range_spoil_large(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say(run, " prot %d flags %x file %d+%lx", prot, flags, file, offset);
    struct attempt attempt = attempt_begin(run);
    char *va;
    do {
        va = mmap(range.start, range.size, prot, flags, memory_of(run)->fds[file], offset);
    } while (attempt_again(run, &attempt, va == MAP_FAILED));
    say_address(run, va);
}

static void make_unmap(struct run *run)
{
    struct range range = range_random(run, 6);
    range_spoil_large(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = munmap(range.start, range.size);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_protect(struct run *run)
{
    struct range range = range_random(run, 12);
    int prot = prot_random(run) | (random_chance(run, 30) ? 1 << (3 + random_below(run, 20)) : 0);
    range_spoil_large(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say(run, " prot %x", prot);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = mprotect(range.start, range.size, prot);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_advise(struct run *run)
{
    static const int advices[] = {MADV_DONTNEED,
                                  MADV_DONTNEED,
                                  MADV_DONTNEED,
                                  MADV_DONTNEED,
                                  MADV_NORMAL,
                                  MADV_RANDOM,
                                  MADV_SEQUENTIAL,
                                  MADV_WILLNEED,
                                  MADV_REMOVE,
                                  MADV_DONTFORK,
                                  MADV_DOFORK,
                                  MADV_DONTDUMP,
                                  MADV_DODUMP,
                                  MADV_WIPEONFORK,
                                  MADV_KEEPONFORK,
                                  MADV_COLD,
                                  MADV_PAGEOUT,
                                  MADV_POPULATE_READ,
                                  MADV_POPULATE_WRITE,
                                  24 /* MADV_DONTNEED_LOCKED */,
                                  5,
                                  999};
    struct range range = range_random(run, 8);
    int advice = advices[random_below(run, sizeof advices / sizeof advices[0])];
    range_spoil(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say(run, " advice %d", advice);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = madvise(range.start, range.size, advice);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_sync(struct run *run)
{
    static const int flags[] = {MS_SYNC, MS_ASYNC, 0, MS_INVALIDATE, MS_SYNC | MS_ASYNC, 8};
    struct range range = range_random(run, 12);
    int flag = flags[random_below(run, sizeof flags / sizeof flags[0])];
    range_spoil(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say(run, " flags %d", flag);
    say_result(run, msync(range.start, range.size, flag));
}

// How many pages are there is the machine's affair.
static void make_core(struct run *run)
{
    struct range range = range_random(run, 12);
    unsigned char there[ARENA_PAGES + 1];
    range_spoil(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say_result(run, mincore(range.start, range.size, random_chance(run, 20) ? NULL : there));
}

static void make_lock(struct run *run)
{
    struct range range = range_random(run, 8);
    int how = (int)random_below(run, 8);
    range_spoil(run, &range.start, &range.size);
    say_range(run, range.start, range.size);
    say(run, " how %d", how);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = how < 2    ? mlock(range.start, range.size)
                : how == 2 ? mlock2(range.start, range.size, MLOCK_ONFAULT)
                : how == 3 ? mlock2(range.start, range.size, 2)
                           : munlock(range.start, range.size);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

// Back into the arena, where the machine has moved it to a place of its own.
static void moved_return(struct run *run, char *va, size_t size)
{
    struct range target = range_random(run, ARENA_PAGES);
    size_t kept = size < target.size ? size : target.size;
    say(run, " and back");
    say_range(run, target.start, kept);
    char *back;
    struct attempt attempt = attempt_begin_losing(run, target.start, kept);
    do {
        back = mremap(va, size, kept, MREMAP_MAYMOVE | MREMAP_FIXED, target.start);
    } while (attempt_again(run, &attempt, back == MAP_FAILED));
    say_address(run, back);
    if (back == MAP_FAILED) {
        munmap(va, size);
    }
}

static void remap(struct run *run, char *start, size_t old_size, size_t new_size, int flags,
                  char *target)
{
    say_range(run, start, old_size);
    say(run, " new %lx flags %x", (long)new_size, flags);
    if ((flags & MREMAP_FIXED) != 0 || (flags & MREMAP_DONTUNMAP) != 0) {
        say(run, " to");
        say_range(run, target, 0);
    }
    if ((flags & MREMAP_DONTUNMAP) != 0) {
        arena_unlock(run); // Linux unlocks all of the mapping, whatever part of it moves
    }
    const bool has_target = (flags & MREMAP_FIXED) != 0;
    struct attempt attempt = attempt_begin_losing(run, target, has_target ? new_size : 0);
    char *va;
    do {
        va = mremap(start, old_size, new_size, flags, target);
    } while (attempt_again(run, &attempt, va == MAP_FAILED));
    say_address(run, va);
    long offset = va - memory_of(run)->arena;
    if (va != MAP_FAILED && (offset < 0 || offset > ARENA)) {
        moved_return(run, va, new_size == 0 ? old_size : new_size);
    }
}

static int remap_flags(struct run *run)
{
    static const int flags[] = {0,
                                MREMAP_MAYMOVE,
                                MREMAP_MAYMOVE,
                                MREMAP_MAYMOVE | MREMAP_FIXED,
                                MREMAP_MAYMOVE | MREMAP_FIXED,
                                MREMAP_FIXED,
                                MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
                                MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
                                MREMAP_DONTUNMAP,
                                8};
    return flags[random_below(run, sizeof flags / sizeof flags[0])];
}

// One page, whatever it is, so that no mapping of Linux ends within it.
static void make_remap_page(struct run *run)
{
    struct range old = range_random(run, 1);
    struct range target = range_random(run, 8);
    size_t old_size = PAGE;
    size_t new_size = random_chance(run, 3) ? PAGE : target.size;
    int flags = remap_flags(run);
    if ((size_t)(old.start - memory_of(run)->arena) + new_size > ARENA) {
        new_size = PAGE; // it might grow in place
    }
    if (random_chance(run, 10)) {
        old_size = 0;
    } else if (random_chance(run, 10)) {
        range_spoil_large(run, &old.start, &old_size);
    } else if (random_chance(run, 20)) {
        range_spoil_large(run, &target.start, &new_size);
    }
    // What Linux says, or has done when it says so, was not always the same.
    if (old_size > PAGE) {
        flags = MREMAP_MAYMOVE;
    } else if (new_size > ARENA) {
        flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    }
    remap(run, old.start, old_size, new_size, flags, target.start);
}

// A mapping of its own, some of which is written: grown, shrunk or moved.
static void make_remap_fresh(struct run *run)
{
    struct range range = range_random(run, 8);
    struct range target = range_random(run, 16);
    bool is_shared = random_chance(run, 4), is_file = random_chance(run, 3);
    int flags = MAP_FIXED | (is_shared ? MAP_SHARED : MAP_PRIVATE) | (is_file ? 0 : MAP_ANONYMOUS);
    int file = (int)random_below(run, 2);
    long offset = (long)random_below(run, FILE_PAGES) * PAGE;
    int pattern = (int)random_below(run, 256);
    int how = remap_flags(run);
    size_t new_size = random_chance(run, 3) ? range.size : target.size;
    if ((size_t)(range.start - memory_of(run)->arena) + new_size > ARENA) {
        new_size = range.size;
    }
    struct attempt attempt = attempt_begin(run);
    char *va;
    do {
        va = mmap(range.start, range.size, RW, flags, is_file ? memory_of(run)->fds[file] : -1,
                  is_file ? offset : 0);
    } while (attempt_again(run, &attempt, va == MAP_FAILED));
    say(run, " shared %d file %d+%lx", is_shared, is_file ? file : -1, offset);
    size_t written;
    int signal;
    do {
        written = bytes_touch(range.start, range.size / 2, pattern, &signal);
    } while (written < range.size / 2 && run_again(run));
    say(run, " wrote %lx", (long)written);
    remap(run, range.start, range.size, new_size, how, target.start);
}

static void make_touch(struct run *run)
{
    struct range range = range_random(run, 6);
    size_t skip = random_below(run, PAGE / 64) * 64;
    int pattern = random_chance(run, 3) ? -1 : (int)random_below(run, 256);
    say_range(run, range.start + skip, range.size - skip);
    say(run, " pattern %d", pattern);
    size_t done;
    int signal = 0;
    do {
        done = bytes_touch(range.start + skip, range.size - skip, pattern, &signal);
    } while (done < range.size - skip && run_again(run));
    say(run, " done %lx signal %d", (long)done, done < range.size - skip ? signal : 0);
}

static void make_truncate(struct run *run)
{
    int file = (int)random_below(run, FILE_COUNT);
    long size = (long)random_below(run, (FILE_PAGES + 2) * PAGE);
    size = random_chance(run, 2) ? size & ~(long)(PAGE - 1) : size;
    say(run, " file %d size %lx", file, size);
    struct attempt attempt = attempt_begin(run);
    int error;
    do {
        error = ftruncate(memory_of(run)->fds[file], size);
    } while (attempt_again(run, &attempt, error != 0));
    say_result(run, error);
}

static void make_punch(struct run *run)
{
    int file = (int)random_below(run, FILE_COUNT);
    long from = (long)random_below(run, FILE_PAGES * PAGE),
         size = (long)random_below(run, 4 * PAGE);
    int mode = random_chance(run, 4) ? 0 : FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    say(run, " file %d from %lx size %lx mode %d", file, from, size, mode);
    int error;
    do {
        error = fallocate(memory_of(run)->fds[file], mode, from, size);
    } while (error != 0 && (errno == ENOMEM || errno == ENOSPC) && run_again(run));
    say_result(run, error);
}

// Between a file and the arena: a wrong page ends it where it begins. Where the file's own page is
// mapped there, it copies to itself: the processor decides what less than 64 bytes further does.
static void make_transfer(struct run *run)
{
    struct range range = range_random(run, 4);
    size_t skip = random_below(run, PAGE), size = range.size - skip;
    int file = (int)random_below(run, FILE_COUNT);
    long offset = (long)random_below(run, FILE_PAGES * PAGE);
    long distance = (offset - (long)skip) & (PAGE - 1);
    offset += distance < 64 ? 64 - distance : distance > PAGE - 64 ? 2 * 64 : 0;
    bool is_read = random_chance(run, 2);
    say_range(run, range.start + skip, size);
    say(run, " %s %d+%lx", is_read ? "from" : "to", file, offset);
    int fd = memory_of(run)->fds[file];
    ssize_t done;
    struct stat status;
    if (!is_read && fstat(fd, &status) == 0 && offset + (long)size > status.st_size) {
        // Where a file grows while it is written from its own mapping, each page may count or not.
        offset = (long)skip;
        size_t left = (size_t)(status.st_size > offset ? status.st_size - offset : 0);
        size = size < left ? size : left;
    }
    char *at = range.start + skip;
    size_t whole = 0;
    do { // what is there already is not copied once more: that would change it where it is the same
        done = is_read ? pread(fd, at + whole, size - whole, offset + (long)whole)
                       : pwrite(fd, at + whole, size - whole, offset + (long)whole);
        whole += done > 0 ? (size_t)done : 0;
    } while (done != 0 && whole < size && run_again(run));
    say_result(run, whole > 0 ? (ssize_t)whole : done);
}

static const struct operation operations[] = {
    {"mmap", 20, make_map},         {"mmap_file", 16, make_map_file},
    {"munmap", 8, make_unmap},      {"mprotect", 12, make_protect},
    {"madvise", 12, make_advise},   {"msync", 2, make_sync},
    {"mincore", 2, make_core},      {"mlock", 3, make_lock},
    {"mremap", 8, make_remap_page}, {"mremap_fresh", 8, make_remap_fresh},
    {"touch", 24, make_touch},      {"ftruncate", 3, make_truncate},
    {"fallocate", 3, make_punch},   {"transfer", 8, make_transfer},
};

// ---- Sequences -----------------------------------------------------------

static void *memory_open(unsigned thread)
{
    return arena_open(thread, ARENA_PAGES);
}

const struct world memory_world = {
    .name = "memory",
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = memory_open,
    .begin = arena_begin,
    .look = arena_look,
    .close = arena_close,
};
