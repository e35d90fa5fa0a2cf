// SPDX-License-Identifier: BSD-3-Clause
// timerlat.c: timer wake-up latency: how late a sleeper runs after its deadline.  Each repetition
// takes SAMPLES sleeps of 1 ms (a twentieth where BENCH_MS asks for less than 40 ms) and yields
// their median and 99th percentile; the line is the median of the repetitions.
#include "bench.h"
#include <poll.h>
#include <sys/timerfd.h>

enum { SAMPLES = 200, PERIOD = 1000000 };

static double late_nanosleep(void)
{
    struct timespec ts = {0, PERIOD};
    uint64_t t = now_ns();
    nanosleep(&ts, NULL);
    return (double)(now_ns() - t) - PERIOD;
}

static double late_abs(void)
{
    uint64_t d = now_ns() + PERIOD;
    struct timespec ts = {(time_t)(d / 1000000000ull), (long)(d % 1000000000ull)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
    return (double)now_ns() - (double)d;
}

static int tfd = -1;
static double late_timerfd(void)
{
    uint64_t d = now_ns() + PERIOD, x;
    struct itimerspec it = {{0, 0}, {(time_t)(d / 1000000000ull), (long)(d % 1000000000ull)}};
    if (timerfd_settime(tfd, TFD_TIMER_ABSTIME, &it, NULL))
        BENCH_DIE("timerfd_settime");
    if (read(tfd, &x, sizeof x) != sizeof x)
        BENCH_DIE("read timerfd");
    return (double)now_ns() - (double)d;
}

static double late_condwait(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c;
    static int init;
    struct timespec ts;
    uint64_t d, now;
    if (!init) {
        pthread_condattr_t ca;
        pthread_condattr_init(&ca);
        pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
        pthread_cond_init(&c, &ca);
        init = 1;
    }
    d = now_ns() + PERIOD;
    ts.tv_sec = (time_t)(d / 1000000000ull);
    ts.tv_nsec = (long)(d % 1000000000ull);
    pthread_mutex_lock(&m);
    while (pthread_cond_timedwait(&c, &m, &ts) == 0)
        ;
    pthread_mutex_unlock(&m);
    now = now_ns();
    return (double)now - (double)d;
}

static double late_poll(void)
{
    uint64_t t = now_ns();
    poll(NULL, 0, 1);
    return (double)(now_ns() - t) - PERIOD;
}

static void run(const char *what, double (*f)(void))
{
    double med[BENCH_MAX_REPS], p99[BENCH_MAX_REPS], s[SAMPLES];
    int reps = bench_reps(), samples = bench_ms() < 40 ? SAMPLES / 20 : SAMPLES;
    char name[64];
    for (int r = 0; r < reps; r++) {
        for (int i = 0; i < samples; i++)
            s[i] = f();
        med[r] = bench_median(s, samples);
        p99[r] = s[samples * 99 / 100];
    }
    snprintf(name, sizeof name, "timer_late_%s_p50", what);
    bench_report(name, med, reps, "ns");
    snprintf(name, sizeof name, "timer_late_%s_p99", what);
    bench_report(name, p99, reps, "ns");
}

int main(void)
{
    bench_pin(0);
    run("nanosleep", late_nanosleep);
    run("clock_nanosleep_abs", late_abs);
    tfd = timerfd_create(CLOCK_MONOTONIC, 0);
    if (tfd >= 0)
        run("timerfd", late_timerfd);
    else
        bench_skip("timer_late_timerfd", strerror(errno));
    run("cond_timedwait", late_condwait);
    run("poll", late_poll);
    return 0;
}
