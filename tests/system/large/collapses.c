// SPDX-License-Identifier: BSD-3-Clause
// collapses.c: memory that came page by page becomes large pages, when it is asked for and by
// itself; and what /proc says of it.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/system/figures.h"

enum { PAGE = 4096, LARGE = 2 << 20, LARGE_KIB = LARGE / 1024, COLLAPSE = 25 };

// Of the mapping that begins at va.
static long area_kib(const char *va)
{
    char start[32];
    snprintf(start, sizeof start, "%lx-", (unsigned long)va);
    const char *area = strstr(text_of("/proc/self/smaps"), start);
    const char *line = area == NULL ? NULL : strstr(area, "AnonHugePages:");
    return line == NULL ? -1 : strtol(line + sizeof "AnonHugePages:" - 1, NULL, 10);
}

// Aligned, and what comes of it comes by small pieces. What lies around stays unmapped.
static char *map(size_t size)
{
    char *va = mmap(NULL, size + 2 * LARGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (va == MAP_FAILED) {
        exit(3);
    }
    char *base = va + (-(uintptr_t)va & (LARGE - 1));
    munmap(va, (size_t)(base - va));
    munmap(base + size, (size_t)(va + 2 * LARGE - base));
    return base;
}

static void fill(char *va, size_t size)
{
    for (size_t i = 0; i < size; i += PAGE) {
        va[i] = (char)(i / PAGE * 7 + 1);
        va[i + PAGE - 1] = (char)(i / PAGE * 5 + 2);
    }
}

static int holds(const char *va, size_t size)
{
    size_t wrong = 0;
    for (size_t i = 0; i < size; i += PAGE) {
        wrong += va[i] != (char)(i / PAGE * 7 + 1) || va[i + PAGE - 1] != (char)(i / PAGE * 5 + 2);
    }
    return wrong == 0;
}

static int says(int result, int error)
{
    return error == 0 ? result == 0 : result == -1 && errno == error;
}

static void asked(void)
{
    char *va = map(2 * LARGE);
    promise("untouched", says(madvise(va, 2 * LARGE, COLLAPSE), EINVAL));
    fill(va, 2 * LARGE);
    promise("small at first", area_kib(va) == 0);
    promise("collapsed", says(madvise(va, 2 * LARGE, COLLAPSE), 0));
    promise("holds what it held", holds(va, 2 * LARGE));
    promise("smaps", area_kib(va) == 2 * LARGE_KIB);
    promise("meminfo", figure("/proc/meminfo", "AnonHugePages") >= 2 * LARGE_KIB);
    promise("vmstat", figure("/proc/vmstat", "thp_collapse_alloc") >= 2);
    promise("again", says(madvise(va, 2 * LARGE, COLLAPSE), 0));
    fill(va, 2 * LARGE);
    promise("may be written", holds(va, 2 * LARGE));
    mprotect(va + 3 * PAGE, PAGE, PROT_READ);
    mprotect(va + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    promise("split by mprotect", area_kib(va) <= 2 * LARGE_KIB && holds(va, 2 * LARGE));
    munmap(va + LARGE + 5 * PAGE, PAGE);
    promise("split by munmap", area_kib(va) <= LARGE_KIB && holds(va, LARGE + 5 * PAGE));
    promise("with a hole", says(madvise(va, 2 * LARGE, COLLAPSE), ENOMEM) ||
                               says(madvise(va, 2 * LARGE, COLLAPSE), EINVAL));
    promise("what is before it", says(madvise(va, LARGE, COLLAPSE), 0) &&
                                     area_kib(va) == LARGE_KIB && holds(va, LARGE + 5 * PAGE));
    madvise(va, LARGE, MADV_DONTNEED);
    promise("discarded", va[0] == 0 && va[LARGE - 1] == 0);
    munmap(va, 2 * LARGE);
}

static void refused(void)
{
    char *va = map(LARGE);
    fill(va, LARGE);
    promise("less than 2 MiB", says(madvise(va + PAGE, LARGE - 2 * PAGE, COLLAPSE), EINVAL));
    mprotect(va, LARGE, PROT_READ);
    promise("read-only", says(madvise(va, LARGE, COLLAPSE), EINVAL));
    munmap(va, LARGE);
    promise("unmapped", says(madvise(va, LARGE, COLLAPSE), ENOMEM));
}

// Some of the pages: the others become zeros.
static void partly(void)
{
    char *va = map(LARGE);
    madvise(va, LARGE, MADV_NOHUGEPAGE);
    va[0] = 'a';
    va[LARGE - 1] = 'z';
    int result = madvise(va, LARGE, COLLAPSE);
    promise("of few pages", result == 0 || errno == EINVAL); // Linux heeds the advice
    promise("and zeros", va[0] == 'a' && va[LARGE - 1] == 'z' && va[LARGE / 2] == 0);
    munmap(va, LARGE);
}

// ---- While others use it ----

static _Atomic int is_over;
static char *used;

static void *user(void *argument)
{
    size_t mine = (size_t)argument;
    size_t wrong = 0;
    for (unsigned round = 0; !is_over; ++round) {
        for (size_t i = mine * 8; i < LARGE; i += 61 * PAGE) {
            unsigned *word = (unsigned *)(void *)(used + (i & ~(size_t)15) + mine * 4);
            unsigned before = *(volatile unsigned *)word;
            *(volatile unsigned *)word = before + 1;
            wrong += *(volatile unsigned *)word != before + 1;
        }
    }
    return (void *)wrong;
}

static void in_use(void)
{
    pthread_t users[2];
    used = map(LARGE);
    memset(used, 0, LARGE);
    for (size_t i = 0; i < 2; ++i) {
        pthread_create(&users[i], NULL, user, (void *)(i + 1));
    }
    int wrong = 0;
    for (int i = 0; i < 30; ++i) {
        int result = madvise(used, LARGE, COLLAPSE);
        wrong += result != 0 && errno != EAGAIN;
        mprotect(used + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC); // splits it again
        mprotect(used + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    }
    is_over = 1;
    void *lost = NULL, *lost_too = NULL;
    pthread_join(users[0], &lost);
    pthread_join(users[1], &lost_too);
    promise("in use", wrong == 0);
    promise("no write is lost", lost == NULL && lost_too == NULL);
    munmap(used, LARGE);
}

int main(void)
{
    asked();
    refused();
    partly();
    in_use();
    return 0;
}
