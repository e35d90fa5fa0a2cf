// SPDX-License-Identifier: BSD-3-Clause
// memory_growth.c: the table of mappings that grow down (MAP_GROWSDOWN): how far, next to what,
// under which limit, and what calls make of them; and of mappings that are larger than memory.
//
// A case begins with an arena where nothing is mapped.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arena.h"

enum {
    PAGES = 1100,
    START = 1000, // of what grows, page
    COUNT = 4,
    GAP = 256, // what Linux leaves between what grows and what lies below
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS,
};

static char *page_at(struct run *run, long page)
{
    return memory_of(run)->arena + page * PAGE;
}

static char *map(struct run *run, long page, long pages, int prot, int flags)
{
    char *va;
    do {
        va = mmap(page_at(run, page), (size_t)(pages * PAGE), prot, PRIVATE | MAP_FIXED | flags, -1,
                  0);
    } while (va == MAP_FAILED && run_again(run));
    return va;
}

#define CHOOSE_OF(run, name, ...)                                                                  \
    choose_of(run, name, (const long[]){__VA_ARGS__},                                              \
              sizeof((const long[]){__VA_ARGS__}) / sizeof(long))

static long choose_of(struct run *run, const char *name, const long *numbers, uint32_t count)
{
    long number = numbers[choose(run, count)];
    say(run, " %s %lx", name, number);
    return number;
}

// What a touch of the page answers, by each way to touch.
enum access { WRITES, READS, IS_READ_INTO, IS_WRITTEN_FROM };

static void touch(struct run *run, long page, enum access access)
{
    char *va = page_at(run, page);
    int signal = 0;
    long done;
    do {
        signal = 0;
        done = access == IS_READ_INTO ? pread(memory_of(run)->fds[FILE_SHM], va, 1, 0)
               : access == IS_WRITTEN_FROM
                   ? pwrite(memory_of(run)->fds[FILE_SHM], va, 1, 0)
                   : (long)bytes_touch(va, 64, access == WRITES ? 5 : -1, &signal);
    } while (done <= 0 && run_again(run));
    say_result(run, done);
    say(run, " %d", signal);
}

static void stack_limit_set(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = size;
    setrlimit(RLIMIT_STACK, &limit);
}

// ---- Growth --------------------------------------------------------------

// What lies below, and how far from what is touched.
static void below_map(struct run *run, long kind, long page)
{
    static const struct {
        int prot, flags;
    } kinds[] = {{0, 0}, {RW, 0}, {PROT_NONE, 0}, {RW, MAP_GROWSDOWN}, {PROT_READ, 0}};
    if (kind != 0 && page > 0) {
        map(run, page - 1, 1, kinds[kind].prot, kinds[kind].flags);
    }
}

static void make_growth(struct run *run)
{
    static const int prots[] = {RW, PROT_READ, PROT_NONE};
    int prot = CHOOSE(run, prots);
    long kind = CHOOSE_OF(run, "below", 0, 1, 2, 3, 4);
    long distance = CHOOSE_OF(run, "distance", 0, 1, GAP - 1, GAP, GAP + 1);
    long depth = CHOOSE_OF(run, "depth", 1, 2, 300);
    rlim_t limit =
        (rlim_t)CHOOSE_OF(run, "limit", 8 << 20, 64 << 10, (COUNT + 2) * PAGE, (COUNT + 1) * PAGE);
    enum access access = (enum access)CHOOSE_OF(run, "access", WRITES, READS, IS_READ_INTO);
    say(run, " prot %d", prot);
    below_map(run, kind, START - depth - distance);
    map(run, START, COUNT, prot, MAP_GROWSDOWN);
    stack_limit_set(limit);
    touch(run, START - depth, access);
    touch(run, START - depth, WRITES);
    stack_limit_set(8 << 20);
    touch(run, START - 3, IS_WRITTEN_FROM);
}

// Two that grow, one on top of the other, or with pages between them.
static void make_neighbours(struct run *run)
{
    long between = CHOOSE_OF(run, "between", 0, 1, 2, GAP);
    long first = CHOOSE_OF(run, "first", 1, 2, 3, GAP, GAP + 1);
    long second = CHOOSE_OF(run, "second", 1, 2, 300);
    long flags = CHOOSE_OF(run, "flags", MAP_GROWSDOWN, 0);
    map(run, START, COUNT, RW, MAP_GROWSDOWN);
    map(run, START - between - COUNT, COUNT, RW, (int)flags);
    touch(run, START - first, WRITES);
    touch(run, START - between - COUNT - second, WRITES);
    touch(run, START - between - COUNT - 1, READS);
}

// Where mmap puts what is asked to come below it.
static void make_place(struct run *run)
{
    long below = CHOOSE_OF(run, "below", 1, 2, GAP - 1, GAP, GAP + 1, GAP + 2, 2 * GAP);
    long pages = CHOOSE_OF(run, "pages", 1, 2, GAP);
    long flags = CHOOSE_OF(run, "flags", 0, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN,
                           MAP_GROWSDOWN | MAP_FIXED);
    map(run, START, COUNT, RW, MAP_GROWSDOWN);
    char *wanted = page_at(run, START - below), *va;
    do {
        va = mmap(wanted, (size_t)(pages * PAGE), RW, PRIVATE | (int)flags, -1, 0);
    } while (va == MAP_FAILED && run_again(run));
    say_address(run, va);
    touch(run, START - 1, WRITES);
    touch(run, START - below - 1, WRITES);
    if (va < memory_of(run)->arena || va > page_at(run, PAGES)) {
        munmap(va, (size_t)(pages * PAGE));
    }
}

// ---- Calls on it ---------------------------------------------------------

static long call_make(struct run *run, long call)
{
    char *va = page_at(run, START);
    unsigned char there;
    switch (call) {
    case 0:
        return munmap(va, PAGE);
    case 1:
        return munmap(va + PAGE, PAGE);
    case 2:
        return mprotect(va, PAGE, PROT_READ);
    case 3:
        return mprotect(va + PAGE, PAGE, PROT_READ | PROT_GROWSDOWN);
    case 4:
        return mprotect(va - 2 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN);
    case 5:
        return mprotect(va - 2 * PAGE, 4 * PAGE, PROT_READ | PROT_GROWSDOWN);
    case 6:
        return mprotect(va, PAGE, PROT_READ | PROT_GROWSUP);
    case 7:
        return mprotect(va, PAGE, PROT_NONE);
    case 8:
        return mremap(va, COUNT * PAGE, COUNT * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                      page_at(run, START - 100)) == MAP_FAILED
                   ? -1
                   : 0;
    case 9:
        return mremap(va, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page_at(run, START - 100)) ==
                       MAP_FAILED
                   ? -1
                   : 0;
    case 10:
        return mremap(va, COUNT * PAGE, 2 * PAGE, 0) == MAP_FAILED ? -1 : 0;
    case 11:
        return mremap(va, COUNT * PAGE, 2 * COUNT * PAGE, 0) == MAP_FAILED ? -1 : 0;
    case 12:
        return mremap(va, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
                      page_at(run, START - 100)) == MAP_FAILED
                   ? -1
                   : 0;
    case 13:
        return madvise(va, COUNT * PAGE, MADV_DONTNEED);
    case 14:
        return madvise(va - PAGE, 2 * PAGE, MADV_DONTNEED);
    case 15:
        return mincore(va - PAGE, PAGE, &there);
    case 16:
        return mlock(va - PAGE, PAGE);
    case 17:
        return mlock(va, PAGE);
    case 18:
        return msync(va - PAGE, 2 * PAGE, MS_SYNC);
    case 19:
        return madvise(va - PAGE, 2 * PAGE, 23 /* MADV_POPULATE_WRITE */);
    default:
        return madvise(va, PAGE, MADV_DONTFORK);
    }
}

static void make_call(struct run *run)
{
    enum { CALLS = 21 };
    long extra = CHOOSE_OF(run, "flags", 0, MAP_POPULATE, MAP_NORESERVE, MAP_STACK, MAP_LOCKED);
    long grown = CHOOSE_OF(run, "grown", 0, 3);
    long call = (long)choose(run, CALLS);
    say(run, " call %ld", call);
    map(run, START, COUNT, RW, MAP_GROWSDOWN | (int)extra);
    if (grown != 0) {
        touch(run, START - grown, WRITES);
    }
    long result;
    do {
        result = call_make(run, call);
    } while (result < 0 && errno == ENOMEM && run_again(run));
    say_result(run, result);
    touch(run, START + 1, READS);
    touch(run, START - 1, WRITES);
    touch(run, START - 5, WRITES);
    touch(run, START - 101, WRITES);
}

// What it may be mapped of.
static void make_source(struct run *run)
{
    long kind = CHOOSE_OF(run, "kind", PRIVATE, MAP_SHARED | MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED,
                          MAP_SHARED_VALIDATE);
    long fixed = CHOOSE_OF(run, "fixed", 0, MAP_FIXED, MAP_FIXED_NOREPLACE);
    long prot = CHOOSE_OF(run, "prot", RW, PROT_READ, PROT_NONE);
    int fd = memory_of(run)->fds[choose(run, 2) != 0 ? FILE_READ_ONLY : FILE_MEMFD];
    char *va;
    do {
        va = mmap(page_at(run, START), COUNT * PAGE, (int)prot, MAP_GROWSDOWN | (int)(kind | fixed),
                  fd, 0);
    } while (va == MAP_FAILED && errno == ENOMEM && run_again(run));
    say_address(run, va);
    touch(run, START - 1, WRITES);
}

// ---- More than there is of memory ----------------------------------------

// What may be touched, is private or in memory, and was not asked to be left uncounted, is refused.
static void make_large(struct run *run)
{
    long size = CHOOSE_OF(run, "size", 1l << 37, 1l << 47, (long)((size_t)-1 << 12));
    long prot = CHOOSE_OF(run, "prot", RW, PROT_NONE);
    long flags = CHOOSE_OF(run, "flags", PRIVATE, PRIVATE | MAP_NORESERVE,
                           MAP_SHARED | MAP_ANONYMOUS, PRIVATE | MAP_GROWSDOWN);
    char *va;
    do {
        va = mmap(NULL, (size_t)size, (int)prot, (int)flags, -1, 0);
    } while (va == MAP_FAILED && errno == ENOMEM && run_again(run));
    say_result(run, va == MAP_FAILED ? -1 : 0);
    if (va != MAP_FAILED) {
        int signal = 0;
        if (prot == RW) {
            say(run, " %zu", bytes_touch(va + size / 2, 64, 1, &signal));
        }
        say_result(run, munmap(va, (size_t)size));
    }
}

static const struct operation operations[] = {
    {"grows", 1, make_growth},      {"grows_beside", 1, make_neighbours},
    {"grows_place", 1, make_place}, {"grows_calls", 1, make_call},
    {"grows_of", 1, make_source},   {"large", 1, make_large},
};

static void *growth_open(unsigned thread)
{
    return arena_open(thread, PAGES);
}

static void growth_begin(struct run *run)
{
    arena_begin(run);
    while (munmap(memory_of(run)->arena, memory_of(run)->size) != 0) {
    }
}

const struct world memory_growth_world = {
    .name = "memory_growth",
    .is_table = true,
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .open = growth_open,
    .begin = growth_begin,
    .look = arena_maps_say,
    .close = arena_close,
};
