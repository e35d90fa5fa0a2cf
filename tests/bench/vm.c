// SPDX-License-Identifier: BSD-3-Clause
// vm.c: virtual memory: mmap + touch + munmap of a large anonymous region (MiB from argv[1],
// default 1024), by small pages, transparent huge pages, explicit huge pages and MAP_POPULATE; one
// page fault; mmap/munmap of one page.
#include "bench.h"
#include <sys/mman.h>

static size_t bytes = 1024ul << 20;

enum mode { SMALL, DEFAULT, THP, HUGETLB, POPULATE };

static void region(const char *what, enum mode m)
{
    double map[BENCH_MAX_REPS], touch[BENCH_MAX_REPS], unmap[BENCH_MAX_REPS];
    int reps = bench_reps(), flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char name[64];
    if (m == HUGETLB)
        flags |= MAP_HUGETLB;
    if (m == POPULATE)
        flags |= MAP_POPULATE;
    for (int r = 0; r < reps; r++) {
        uint64_t t0 = now_ns(), t1, t2, t3;
        // 2 MiB of slack so that a huge-page aligned start always exists
        char *q = mmap(NULL, bytes + (2ul << 20), PROT_READ | PROT_WRITE, flags, -1, 0);
        if (q == MAP_FAILED) {
            bench_skip(what, strerror(errno));
            return;
        }
        char *p = (char *)(((uintptr_t)q + (2ul << 20) - 1) & ~((2ul << 20) - 1));
        if (m == THP)
            (void)madvise(p, bytes, MADV_HUGEPAGE);
        if (m == SMALL)
            (void)madvise(p, bytes, MADV_NOHUGEPAGE);
        t1 = now_ns();
        for (size_t i = 0; i < bytes; i += 4096)
            *(volatile char *)(p + i) = 1;
        t2 = now_ns();
        munmap(q, bytes + (2ul << 20));
        t3 = now_ns();
        map[r] = (double)(t1 - t0) / 1e6;
        touch[r] = (double)(t2 - t1) / 1e6;
        unmap[r] = (double)(t3 - t2) / 1e6;
    }
    snprintf(name, sizeof name, "vm_map_%s", what);
    bench_report(name, map, reps, "ms");
    snprintf(name, sizeof name, "vm_touch_%s", what);
    bench_report(name, touch, reps, "ms");
    if (m == SMALL) {
        for (int r = 0; r < reps; r++)
            touch[r] = touch[r] * 1e6 / (double)(bytes / 4096);
        bench_report("page_fault_4k", touch, reps, "ns");
    }
    snprintf(name, sizeof name, "vm_unmap_%s", what);
    bench_report(name, unmap, reps, "ms");
}

static void map1(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            BENCH_DIE("mmap");
        munmap(p, 4096);
    }
}
static void map2m(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        char *p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            BENCH_DIE("mmap");
        munmap(p, 2 << 20);
    }
}
static void map1touch(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            BENCH_DIE("mmap");
        *(volatile char *)p = 1;
        munmap(p, 4096);
    }
}
// Faults of pages whose neighbours may not be touched, so that none brings another: what
// page_fault_4k says is less, where pages come together.
static void lone(void)
{
    enum { LONE = 512, STEP = 2 * 4096 };
    double v[BENCH_MAX_REPS];
    int reps = bench_reps();
    for (int r = 0; r < reps; r++) {
        char *p = mmap(NULL, LONE * STEP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            BENCH_DIE("mmap");
        for (size_t i = 0; i < LONE; i++)
            if (mprotect(p + i * STEP, 4096, PROT_READ | PROT_WRITE) != 0)
                BENCH_DIE("mprotect");
        uint64_t start = now_ns();
        for (size_t i = 0; i < LONE; i++)
            *(volatile char *)(p + i * STEP) = 1;
        v[r] = (double)(now_ns() - start) / LONE;
        munmap(p, LONE * STEP);
    }
    bench_report("page_fault_lone", v, reps, "ns");
}

// The same fault, and page_fault_4k's, after a moment without work: who clears pages then has done so.
static void rested(const char *name, size_t size, size_t step)
{
    double v[BENCH_MAX_REPS];
    int reps = bench_reps();
    for (int r = -1; r < reps; r++) { // the first finds memory as it is
        char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            BENCH_DIE("mmap");
        (void)madvise(p, size, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < size && step > 4096; i += step)
            if (mprotect(p + i + 4096, step - 4096, PROT_NONE) != 0)
                BENCH_DIE("mprotect");
        usleep(50000);
        uint64_t start = now_ns();
        for (size_t i = 0; i < size; i += step)
            *(volatile char *)(p + i) = 1;
        if (r >= 0)
            v[r] = (double)(now_ns() - start) / (double)(size / step);
        munmap(p, size);
    }
    bench_report(name, v, reps, "ns");
}

static char *prot_page;
static void protect(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        mprotect(prot_page, 4096, PROT_READ);
        mprotect(prot_page, 4096, PROT_READ | PROT_WRITE);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && atol(argv[1]) > 0)
        bytes = (size_t)atol(argv[1]) << 20;
    bench_pin(0);
    bench_ns("mmap_munmap_4k", map1, NULL);
    bench_ns("mmap_touch_munmap_4k", map1touch, NULL);
    bench_ns("mmap_munmap_2m", map2m, NULL);
    prot_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (prot_page != MAP_FAILED) {
        *prot_page = 1;
        bench_ns("mprotect_pair_4k", protect, NULL);
    }
    lone();
    region("default", DEFAULT);
    region("small", SMALL);
    region("thp", THP);
    region("populate", POPULATE);
    region("hugetlb", HUGETLB);
    rested("page_fault_4k_rested", bytes, 4096);
    rested("page_fault_lone_rested", 4ul << 20, 2 * 4096);
    return 0;
}
