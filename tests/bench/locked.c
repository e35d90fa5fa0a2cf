// SPDX-License-Identifier: BSD-3-Clause
// locked.c: a mutex that nobody else wants, in a program with two threads, beside two locked
// read-modify-writes: less than those a lock and an unlock cannot cost there.
#include "bench.h"

enum { MORE = 7 }; // an odd count of pairs by turns: drifts of the machine's speed meet both

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t counter;
static uint64_t word;

static void pair(void *unused, uint64_t count)
{
    (void)unused;
    while (count-- > 0) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
}

static void locked(void *unused, uint64_t count)
{
    (void)unused;
    while (count-- > 0) {
        __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
        counter++;
        __atomic_fetch_sub(&word, 1, __ATOMIC_SEQ_CST);
    }
}

static double ns_of(void (*function)(void *, uint64_t))
{
    enum { COUNT = 200000 };
    uint64_t start = now_ns();
    function(NULL, COUNT);
    return (double)(now_ns() - start) / COUNT;
}

static void *second(void *unused)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return unused;
}

int main(void)
{
    enum { COUNT = 2 * MORE + 1 };
    double pairs[COUNT], ones[COUNT], ratios[COUNT];
    pthread_t thread;
    bench_pin(0);
    pthread_mutex_lock(&gate);
    if (pthread_create(&thread, NULL, second, NULL) != 0)
        BENCH_DIE("pthread_create");
    for (int i = 0; i < COUNT; i++) {
        pairs[i] = ns_of(pair);
        ones[i] = ns_of(locked);
        ratios[i] = pairs[i] / ones[i];
    }
    bench_report("mutex_pair_2threads", pairs, COUNT, "ns");
    bench_report("two_locked", ones, COUNT, "ns");
    bench_report("mutex_pair_to_two_locked", ratios, COUNT, "times");
    pthread_mutex_unlock(&gate);
    pthread_join(thread, NULL);
    return 0;
}
