// SPDX-License-Identifier: BSD-3-Clause
// reserves.c: 64 GiB reserved of which little is touched; threads that map and unmap while others
// touch memory for the first time.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "show.h"

enum { PAGE = 4096, MAPPERS = 2, TOUCHERS = 2, ROUNDS = 200, PAGES = 64 };

static const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

static void reserved(void)
{
    const size_t size = (size_t)64 << 30, step = (size_t)1 << 30;
    char *base = mmap(NULL, size, PROT_NONE, flags, -1, 0);
    SHOW(base == MAP_FAILED);
    int wrong = 0;
    for (size_t at = 0; at < size; at += step) { // a page in each GiB
        wrong += mprotect(base + at, PAGE, PROT_READ | PROT_WRITE) != 0;
        wrong += base[at] != 0;
        *(size_t *)(void *)(base + at) = at;
    }
    for (size_t at = 0; at < size; at += step) {
        wrong += *(size_t *)(void *)(base + at) != at;
    }
    SHOW(wrong);
    SHOW(munmap(base, size));
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    SHOW(base == MAP_FAILED);
    wrong = 0;
    for (size_t at = 12345; at < size; at += step) {
        wrong += base[at] != 0;
        base[at] = 1;
    }
    SHOW(wrong);
    SHOW(munmap(base + step, size - step));
    SHOW(base[12345]);
    SHOW(munmap(base, step));
}

static atomic_int failures;

// Maps, writes and unmaps small ranges, so that areas come and go on all sides.
static void *map_run(void *argument)
{
    for (size_t i = 0; i < ROUNDS; ++i) {
        const size_t size = (i % 40 + 1) * PAGE;
        char *range = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
        int wrong = range == MAP_FAILED || range[size - 1] != 0;
        if (!wrong) {
            range[size - 1] = 1;
            wrong = mprotect(range, PAGE, PROT_READ) != 0 || munmap(range, size) != 0;
        }
        atomic_fetch_add(&failures, wrong);
    }
    return argument;
}

// Touches a large range in steps, so that each fault is a new one; gives it back, and again.
static void *touch_run(void *argument)
{
    const size_t step = 9 * PAGE, size = PAGES * step;
    char *range = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    int wrong = range == MAP_FAILED;
    for (int round = 0; round < 20 && !wrong; ++round) {
        for (size_t at = 0; at < size; at += step) {
            wrong += range[at] != 0;
            range[at] = (char)(1 + at / step);
        }
        for (size_t at = 0; at < size; at += step) {
            wrong += range[at] != (char)(1 + at / step);
        }
        wrong += madvise(range, size, MADV_DONTNEED) != 0;
    }
    atomic_fetch_add(&failures, wrong);
    return argument;
}

int main(void)
{
    pthread_t threads[MAPPERS + TOUCHERS];
    reserved();
    for (int i = 0; i < MAPPERS + TOUCHERS; ++i) {
        pthread_create(&threads[i], NULL, i < MAPPERS ? map_run : touch_run, NULL);
    }
    for (int i = 0; i < MAPPERS + TOUCHERS; ++i) {
        pthread_join(threads[i], NULL);
    }
    SHOW(failures);
    return 0;
}
