// SPDX-License-Identifier: BSD-3-Clause
// cleared.c: new memory is zeros, also where a processor without work has cleared it before.
//
//   cleared zeros      memory that was written to and given back, after a rest and without one,
//   while
//                      others write; on Linux, too
//   cleared figures    who has cleared it, by /proc/vmstat
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/system/figures.h"

enum { PAGE = 4096, LARGE = 2 << 20, SIZE = 4 << 20, ROUNDS = 6, THREADS = 3, BLOCK = 3 * PAGE };

static int is_zero(const char *memory, size_t size)
{
    return memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0;
}

// New memory, which is written to and given back. Answers whether it was zeros.
static int use_pages(int advice)
{
    char *all =
        mmap(NULL, SIZE + LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        return 0;
    }
    char *start = (char *)(((uintptr_t)all + LARGE - 1) & ~(uintptr_t)(LARGE - 1));
    int zeros = 1;
    madvise(start, SIZE, advice);
    for (size_t at = 0; at < SIZE; at += PAGE) {
        zeros &= is_zero(start + at, PAGE);
        memset(start + at, 0x5a, PAGE);
    }
    munmap(all, SIZE + LARGE);
    return zeros;
}

// Every second page by itself.
static int use_lone_pages(void)
{
    char *all = mmap(NULL, SIZE / 4, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int zeros = all != MAP_FAILED;
    for (size_t at = 0; zeros && at < SIZE / 4; at += (size_t)2 * PAGE) {
        mprotect(all + at, PAGE, PROT_READ | PROT_WRITE);
        zeros &= is_zero(all + at, PAGE);
        memset(all + at, 0x5a, PAGE);
    }
    munmap(all, SIZE / 4);
    return zeros;
}

static int use_blocks(size_t size)
{
    enum { COUNT = 64 };
    char *blocks[COUNT];
    int zeros = 1;
    for (int i = 0; i < COUNT; ++i) {
        blocks[i] = calloc(1, size);
        zeros &= blocks[i] != NULL && is_zero(blocks[i], size);
        if (blocks[i] != NULL) {
            memset(blocks[i], 0x5a, size);
        }
    }
    for (int i = 0; i < COUNT; ++i) {
        free(blocks[i]);
    }
    return zeros;
}

static void rest(void)
{
    usleep(3000);
}

// Others write, and rest, in turns of their own.
static void *write_on(void *argument)
{
    const int number = *(int *)argument;
    intptr_t zeros = 1;
    for (int i = 0; i < ROUNDS; ++i) {
        zeros &= number % 2 == 0 ? use_pages(MADV_NOHUGEPAGE) : use_lone_pages();
        zeros &= use_blocks(BLOCK);
        if ((i + number) % 2 == 0) {
            rest();
        }
    }
    return (void *)zeros;
}

static void zeros(void)
{
    int small = 1, large = 1, lone = 1, blocks = 1;
    for (int i = 0; i < ROUNDS; ++i) {
        small &= use_pages(MADV_NOHUGEPAGE);
        large &= use_pages(MADV_HUGEPAGE);
        lone &= use_lone_pages();
        blocks &= use_blocks(BLOCK) & use_blocks(LARGE);
        if (i % 2 == 0) {
            rest();
        }
    }
    promise("small pages", small);
    promise("large pages", large);
    promise("lone pages", lone);
    promise("blocks", blocks);
    pthread_t threads[THREADS];
    int numbers[THREADS];
    intptr_t all = 1;
    for (int i = 0; i < THREADS; ++i) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, write_on, &numbers[i]);
    }
    for (int i = 0; i < THREADS; ++i) {
        void *result;
        pthread_join(threads[i], &result);
        all &= (intptr_t)result;
    }
    promise("while others write", all != 0);
}

// Whether processors without work clear count pages more, soon. What was given back may be used
// again before they come by, so more is.
static int is_cleared(long before, long count)
{
    enum { RESTS = 2000, AGAIN = 200 };
    for (int i = 1; i <= RESTS && figure("/proc/vmstat", "pgclear_idle") - before < count; ++i) {
        rest();
        if (i % AGAIN == 0) {
            (void)use_pages(MADV_NOHUGEPAGE);
        }
    }
    return figure("/proc/vmstat", "pgclear_idle") - before >= count;
}

// What one processor has cleared, another one may not come by: soon, not each time.
static void figures(void)
{
    enum { TRIES = 50 };
    const long pages = SIZE / PAGE, idle = figure("/proc/vmstat", "pgclear_idle");
    int zeros = use_pages(MADV_NOHUGEPAGE), is_spared = 0;
    promise("zeros", zeros);
    promise("cleared by processors without work", idle >= 0 && is_cleared(idle, pages));
    for (int i = 0; i < TRIES && zeros && !is_spared; ++i) {
        const long late = figure("/proc/vmstat", "pgclear_late"),
                   spared = figure("/proc/vmstat", "pgclear_spared");
        zeros = use_pages(MADV_NOHUGEPAGE);
        is_spared = figure("/proc/vmstat", "pgclear_late") - late < pages / 4 &&
                    figure("/proc/vmstat", "pgclear_spared") - spared >= pages * 3 / 4;
        rest();
    }
    promise("zeros again", zeros);
    promise("nobody waited for it", is_spared);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "figures") == 0) {
        figures();
    } else {
        zeros();
    }
    return 0;
}
