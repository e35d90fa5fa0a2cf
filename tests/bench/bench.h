// SPDX-License-Identifier: BSD-3-Clause
// bench.h: shared helpers of the benchmarks.
//
// Plain POSIX C: no constructor tricks, no fork, no signals, no /proc, so the
// same source builds as a Linux executable, as a PIE, or as a shared object
// with a main(), and runs inside a unikernel.
//
// Every result is one line on stdout:   name value unit
// where value is the median of BENCH_REPS repetitions (default 7).  With
// BENCH_SPREAD=1 in the environment the line ends in "# min max reps".
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BENCH_MAX_REPS 64

static inline uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static inline int bench_reps(void)
{
    const char *s = getenv("BENCH_REPS");
    int n = s ? atoi(s) : 7;
    return n < 1 ? 1 : n > BENCH_MAX_REPS ? BENCH_MAX_REPS : n;
}

/* Milliseconds that one repetition should last. */
static inline unsigned bench_ms(void)
{
    const char *s = getenv("BENCH_MS");
    int n = s ? atoi(s) : 200;
    return n < 1 ? 1 : (unsigned)n;
}

static inline int bench_ncpu(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (int)n;
}

/* Pin the calling thread to one CPU; cpu < 0 leaves it alone.  0 on success. */
static inline int bench_pin(int cpu)
{
    cpu_set_t cs;
    if (cpu < 0)
        return 0;
    CPU_ZERO(&cs);
    CPU_SET(cpu, &cs);
    return sched_setaffinity(0, sizeof cs, &cs);
}

static inline void bench_unpin(void)
{
    cpu_set_t cs;
    int i, n = bench_ncpu();
    CPU_ZERO(&cs);
    for (i = 0; i < n; i++)
        CPU_SET(i, &cs);
    (void)sched_setaffinity(0, sizeof cs, &cs);
}

static int bench_cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static inline double bench_median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, bench_cmp);
    return n & 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static inline void bench_report(const char *name, double *v, int n, const char *unit)
{
    double m = bench_median(v, n);
    int prec = m < 10 ? 3 : m < 1000 ? 1 : 0;
    printf("%s %.*f %s", name, prec, m, unit);
    if (getenv("BENCH_SPREAD"))
        printf(" # %.*f %.*f %d", prec, v[0], prec, v[n - 1], n);
    printf("\n");
    fflush(stdout);
}

static inline void bench_skip(const char *name, const char *why)
{
    printf("# %s skipped: %s\n", name, why);
    fflush(stdout);
}

/*
 * A measured body runs n operations.  A bench_fn is timed from outside; a
 * bench_timed_fn returns the nanoseconds it took, so that it can leave thread
 * creation out.
 */
typedef void (*bench_fn)(void *arg, uint64_t n);
typedef uint64_t (*bench_timed_fn)(void *arg, uint64_t n);

/*
 * Grow n until one call lasts about bench_ms(), then repeat and report the
 * median nanoseconds of one operation.
 */
static inline double bench_ns_timed(const char *name, bench_timed_fn fn, void *arg)
{
    double v[BENCH_MAX_REPS];
    int i, reps = bench_reps();
    uint64_t n = 1, t, target = (uint64_t)bench_ms() * 1000000ull;
    for (;;) {
        t = fn(arg, n);
        if (t >= target / 4 || n >= 1ull << 40)
            break;
        n = t < target / 64 ? n * 8 : n * 2;
    }
    n = (uint64_t)((double)n * (double)target / (double)(t ? t : 1));
    if (n == 0)
        n = 1;
    for (i = 0; i < reps; i++)
        v[i] = (double)fn(arg, n) / (double)n;
    bench_report(name, v, reps, "ns");
    return v[reps / 2];
}

struct bench_plain {
    bench_fn fn;
    void *arg;
};
static inline uint64_t bench_plain_run(void *p, uint64_t n)
{
    struct bench_plain *b = p;
    uint64_t t = now_ns();
    b->fn(b->arg, n);
    return now_ns() - t;
}

static inline double bench_ns(const char *name, bench_fn fn, void *arg)
{
    struct bench_plain b = {fn, arg};
    return bench_ns_timed(name, bench_plain_run, &b);
}

/*
 * Two threads that start together: body(arg, who, n) on cpu[who] (-1: any).
 * Returns the time from the first start to the last end.
 */
typedef void (*bench_body)(void *arg, int who, uint64_t n);
struct bench_side {
    pthread_barrier_t *bar;
    bench_body body;
    void *arg;
    int who, cpu;
    uint64_t n, t0, t1;
};

static void *bench_side_main(void *p)
{
    struct bench_side *s = p;
    bench_pin(s->cpu);
    pthread_barrier_wait(s->bar);
    s->t0 = now_ns();
    s->body(s->arg, s->who, s->n);
    s->t1 = now_ns();
    return NULL;
}

static inline uint64_t bench_two(bench_body body, void *arg, const int cpu[2], uint64_t n)
{
    struct bench_side s[2];
    pthread_barrier_t bar;
    pthread_t t[2];
    int i;
    pthread_barrier_init(&bar, NULL, 2);
    for (i = 0; i < 2; i++) {
        s[i] = (struct bench_side){
            .bar = &bar, .body = body, .arg = arg, .who = i, .cpu = cpu[i], .n = n};
        if (pthread_create(&t[i], NULL, bench_side_main, &s[i])) {
            perror("pthread_create");
            exit(1);
        }
    }
    for (i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&bar);
    return (s[0].t1 > s[1].t1 ? s[0].t1 : s[1].t1) - (s[0].t0 < s[1].t0 ? s[0].t0 : s[1].t0);
}

#define BENCH_DIE(what)                                                                            \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, what, strerror(errno));             \
        exit(1);                                                                                   \
    } while (0)

#endif
