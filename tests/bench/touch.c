// SPDX-License-Identifier: BSD-3-Clause
// touch.c: memory is touched for the first time, page by page: 1 GiB, with huge pages and without,
// and again when what was touched before has been given back. One line each: name, ns, "ns".
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096, LARGE = 2 << 20 };
static const size_t size = (size_t)1 << 30;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int touch(const char *name, int advice)
{
    char *all = mmap(NULL, size + LARGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    char *start = (char *)(((uintptr_t)all + LARGE - 1) & ~(uintptr_t)(LARGE - 1));
    if (madvise(start, size, advice) != 0) {
        perror("madvise");
    }
    const uint64_t begin = now_ns();
    for (size_t at = 0; at < size; at += PAGE) {
        *(volatile char *)(start + at) = 1;
    }
    printf("%s %llu ns\n", name, (unsigned long long)(now_ns() - begin));
    fflush(stdout);
    return munmap(all, size + LARGE);
}

int main(void)
{
    return touch("touch_1gb_huge_fresh", MADV_HUGEPAGE) | touch("touch_1gb_huge", MADV_HUGEPAGE) |
           touch("touch_1gb_small", MADV_NOHUGEPAGE);
}
