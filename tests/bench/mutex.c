// SPDX-License-Identifier: BSD-3-Clause
// mutex.c: pthread mutex, rwlock and condition variable costs.  The contended numbers
// are total lock/unlock pairs per second of two threads on two CPUs that
// increment one shared counter, with and without a little work outside.
#include "bench.h"

static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile uint64_t counter;

static void uncontended(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        pthread_mutex_lock(&mtx);
        counter++;
        pthread_mutex_unlock(&mtx);
    }
}

static void rdlock(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        pthread_rwlock_rdlock(&rw);
        counter++;
        pthread_rwlock_unlock(&rw);
    }
}

static void signal_nobody(void *a, uint64_t n)
{
    (void)a;
    while (n--)
        pthread_cond_signal(&cond);
}

static volatile int stop, go;
static unsigned worklen;

static void *contender(void *p)
{
    uint64_t mine = 0;
    bench_pin((int)(intptr_t)p);
    while (!go)
        sched_yield();
    while (!stop) {
        pthread_mutex_lock(&mtx);
        counter++;
        pthread_mutex_unlock(&mtx);
        mine++;
        for (unsigned i = 0; i < worklen; i++)
            __asm__ volatile("" ::: "memory");
    }
    return (void *)(uintptr_t)mine;
}

static void contended(const char *name, int nthreads, unsigned work)
{
    double v[BENCH_MAX_REPS];
    int reps = bench_reps();
    worklen = work;
    for (int r = 0; r < reps; r++) {
        pthread_t t[8];
        uint64_t sum = 0, t0;
        stop = go = 0;
        for (int i = 0; i < nthreads; i++)
            if (pthread_create(&t[i], NULL, contender, (void *)(intptr_t)(i % bench_ncpu())))
                BENCH_DIE("pthread_create");
        t0 = now_ns();
        go = 1;
        struct timespec ts = {bench_ms() / 1000, (long)(bench_ms() % 1000) * 1000000L};
        nanosleep(&ts, NULL);
        stop = 1;
        for (int i = 0; i < nthreads; i++) {
            void *mine;
            pthread_join(t[i], &mine);
            sum += (uintptr_t)mine;
        }
        v[r] = (double)sum * 1e9 / (double)(now_ns() - t0);
    }
    bench_report(name, v, reps, "ops/s");
}

int main(void)
{
    bench_pin(0);
    bench_ns("mutex_uncontended", uncontended, NULL);
    bench_ns("rwlock_rd_uncontended", rdlock, NULL);
    bench_ns("cond_signal_no_waiter", signal_nobody, NULL);
    bench_unpin();
    if (bench_ncpu() > 1) {
        contended("mutex_contended_2t_work0", 2, 0);
        contended("mutex_contended_2t_work500", 2, 500);
    } else
        bench_skip("mutex_contended", "one cpu");
    return 0;
}
