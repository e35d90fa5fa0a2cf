// SPDX-License-Identifier: BSD-3-Clause
// mallocb.c: malloc/free.  "pair": allocate then free at once.  "batch": allocate 256,
// free in allocation order, so that per-thread caches overflow.  "2t": two
// threads on two CPUs.  "remote": one thread allocates, the other frees (two
// CPUs).  ns per malloc+free.
#include "bench.h"

static void pair(void *a, uint64_t n)
{
    size_t size = *(size_t *)a;
    while (n--) {
        char *p = malloc(size);
        *(volatile char *)p = 1;
        free(p);
    }
}

enum { BATCH = 256 };
static void batch(void *a, uint64_t n)
{
    size_t size = *(size_t *)a;
    void *v[BATCH];
    while (n) {
        int k = n < BATCH ? (int)n : BATCH;
        for (int i = 0; i < k; i++) {
            v[i] = malloc(size);
            *(volatile char *)v[i] = 1;
        }
        for (int i = 0; i < k; i++)
            free(v[i]);
        n -= (uint64_t)k;
    }
}

/* n operations by each of two threads in parallel. */
static void side_pair(void *a, int me, uint64_t n)
{
    (void)me;
    pair(a, n);
}
static uint64_t pair2(void *a, uint64_t n)
{
    static const int apart[2] = {0, 1};
    return bench_two(side_pair, a, apart, n);
}
static void side_batch(void *a, int me, uint64_t n)
{
    (void)me;
    batch(a, n);
}
static uint64_t batch2(void *a, uint64_t n)
{
    static const int apart[2] = {0, 1};
    return bench_two(side_batch, a, apart, n);
}

/* Single-producer ring between the allocating and the freeing thread. */
enum { RING = 1024 };
static void *ring[RING];
static uint64_t head, tail;
static void side_remote(void *a, int me, uint64_t n)
{
    size_t size = *(size_t *)a;
    for (uint64_t i = 0; i < n; i++)
        if (me) {
            while (__atomic_load_n(&head, __ATOMIC_ACQUIRE) == i)
                __builtin_ia32_pause();
            free(ring[i % RING]);
            __atomic_store_n(&tail, i + 1, __ATOMIC_RELEASE);
        } else {
            while (i - __atomic_load_n(&tail, __ATOMIC_ACQUIRE) >= RING)
                __builtin_ia32_pause();
            char *p = malloc(size);
            *(volatile char *)p = 1;
            ring[i % RING] = p;
            __atomic_store_n(&head, i + 1, __ATOMIC_RELEASE);
        }
}
static uint64_t remote(void *a, uint64_t n)
{
    static const int apart[2] = {0, 1};
    head = tail = 0;
    return bench_two(side_remote, a, apart, n);
}

int main(void)
{
    static const size_t sizes[] = {16, 64, 256, 1024, 4096, 16384, 65536};
    char name[64];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t s = sizes[i];
        bench_pin(0);
        snprintf(name, sizeof name, "malloc_pair_%zu", s);
        bench_ns(name, pair, &s);
        snprintf(name, sizeof name, "malloc_batch_%zu", s);
        bench_ns(name, batch, &s);
        bench_unpin();
        if (bench_ncpu() > 1) {
            snprintf(name, sizeof name, "malloc_pair_2t_%zu", s);
            bench_ns_timed(name, pair2, &s);
            snprintf(name, sizeof name, "malloc_batch_2t_%zu", s);
            bench_ns_timed(name, batch2, &s);
        }
    }
    if (bench_ncpu() > 1)
        for (size_t s = 64; s <= 4096; s *= 8) {
            snprintf(name, sizeof name, "malloc_remote_free_%zu", s);
            bench_ns_timed(name, remote, &s);
        }
    return 0;
}
