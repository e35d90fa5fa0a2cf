// SPDX-License-Identifier: BSD-3-Clause
// ctxsw.c: context switch: two threads hand a token to each other through one mutex
// and one condition variable (the shape of OSv's misc-ctxsw).  One operation
// is one hand-over, i.e. one switch.
#include "bench.h"

static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static unsigned owner;
static uint64_t remain;
static int signals_inside; // with the mutex held: the one that is woken cannot have it yet

static void hand_over(void *arg, int me, uint64_t n)
{
    int done = 0;
    (void)arg;
    (void)n;
    while (!done) {
        pthread_mutex_lock(&mtx);
        while (owner != (unsigned)me)
            pthread_cond_wait(&cond, &mtx);
        if (remain == 0)
            done = 1;
        else
            --remain;
        owner = !me;
        if (signals_inside)
            pthread_cond_signal(&cond);
        pthread_mutex_unlock(&mtx);
        if (!signals_inside)
            pthread_cond_signal(&cond);
    }
}

static uint64_t switches(void *arg, uint64_t n)
{
    owner = 0;
    remain = n;
    return bench_two(hand_over, NULL, arg, n);
}

static void yield_some(void *arg, int me, uint64_t n)
{
    (void)arg;
    (void)me;
    for (n = (n + 1) / 2; n; n--)
        sched_yield();
}

static uint64_t yields(void *arg, uint64_t n)
{
    return bench_two(yield_some, NULL, arg, n);
}

int main(void)
{
    int same[2] = {0, 0}, apart[2] = {0, 1}, free_[2] = {-1, -1};
    bench_ns_timed("ctxsw_condvar_1cpu", switches, same);
    if (bench_ncpu() > 1) {
        bench_ns_timed("ctxsw_condvar_2cpu", switches, apart);
        bench_ns_timed("ctxsw_condvar_nopin", switches, free_);
    } else
        bench_skip("ctxsw_condvar_2cpu", "one cpu");
    bench_ns_timed("ctxsw_yield_1cpu", yields, same);
    signals_inside = 1;
    bench_ns_timed("ctxsw_condvar_inside_1cpu", switches, same);
    return 0;
}
