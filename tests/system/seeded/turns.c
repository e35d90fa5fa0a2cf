// SPDX-License-Identifier: BSD-3-Clause
// turns.c: who runs for how long, in virtual time: `turns CASE` prints figures for scheduler.py.
//
// A busy thread reads the clock all the time, by a system call, where the seeded machine may have
// others run; and notes the longest time in which it could not.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 16 };

struct busy {
    pthread_t thread;
    long sleep_us, run_us; // alternating; 0: it never sleeps
    long start_us;         // it sleeps before
    long mark_us;          // when used_us starts to count; 0: from the start
    int nice, policy, priority;
    long used_us, gap_us, late_us;
};

static struct busy all[THREADS_MAX];
static int count;
static long end_us;

static long clock_us(clockid_t clock)
{
    struct timespec time;
    syscall(SYS_clock_gettime, clock, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static long now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

static long sleep_until(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    return now_us() - us;
}

static void run_until(struct busy *self, long until_us)
{
    long last = now_us();
    for (long now = last; now < until_us; last = now) {
        now = now_us();
        self->gap_us = now - last > self->gap_us ? now - last : self->gap_us;
    }
}

static void *busy_run(void *argument)
{
    struct busy *self = argument;
    long before = 0;
    setpriority(PRIO_PROCESS, 0, self->nice);
    if (self->start_us != 0) {
        sleep_until(self->start_us);
    }
    if (self->mark_us != 0) {
        run_until(self, self->mark_us);
        before = clock_us(CLOCK_THREAD_CPUTIME_ID);
    }
    while (now_us() < end_us) {
        if (self->sleep_us == 0) {
            run_until(self, end_us);
            continue;
        }
        run_until(self, now_us() + self->run_us);
        long late = sleep_until(now_us() + self->sleep_us);
        self->late_us = late > self->late_us ? late : self->late_us;
    }
    self->used_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - before;
    return NULL;
}

static struct busy *add(void)
{
    return &all[count++];
}

static void start(struct busy *busy)
{
    struct sched_param parameter = {.sched_priority = busy->priority};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, busy->policy);
    pthread_attr_setschedparam(&attributes, &parameter);
    if (pthread_create(&busy->thread, &attributes, busy_run, busy) != 0) {
        abort();
    }
}

static void finish(void)
{
    for (int i = 0; i < count; ++i) {
        pthread_join(all[i].thread, NULL);
        printf("%d used %ld gap %ld late %ld\n", i, all[i].used_us, all[i].gap_us, all[i].late_us);
    }
}

// equal N MS
static void equal(int threads, long ms)
{
    end_us = now_us() + ms * 1000;
    for (int i = 0; i < threads; ++i) {
        start(add());
    }
    finish();
}

// One that sleeps mostly beside a busy one.
static void sleeper(void)
{
    end_us = now_us() + 300000;
    start(add());
    struct busy *busy = add();
    busy->sleep_us = 9000;
    busy->run_us = 1000;
    start(busy);
    finish();
}

// One is busy for long; the other wakes then, and is busy as well.
static void waking(void)
{
    long now = now_us();
    end_us = now + 400000;
    start(add());
    struct busy *busy = add();
    busy->start_us = now + 300000;
    start(busy);
    finish();
}

// The same with new ones, one after the other.
static void late(void)
{
    long now = now_us();
    end_us = now + 400000;
    start(add());
    sleep_until(now + 300000);
    start(add());
    sleep_until(now + 320000);
    start(add());
    finish();
}

// nice MS A B ...: busy ones of each nice
static void nices(long ms, int nice_count, char **nice_values)
{
    end_us = now_us() + ms * 1000;
    for (int i = 0; i < nice_count; ++i) {
        struct busy *busy = add();
        busy->nice = atoi(nice_values[i]);
        start(busy);
    }
    finish();
}

// Two of the same real-time policy beside one that is not real-time; the first of them of the
// higher priority where that differs. They run for 250 ms all together; the creator is before them.
static void real_time(int policy, int first, int second)
{
    const struct sched_param most = {.sched_priority = 50};
    sched_setscheduler(0, SCHED_FIFO, &most);
    end_us = now_us() + 500000;
    start(add());
    for (int i = 0; i < 2; ++i) {
        struct busy *busy = add();
        busy->policy = policy;
        busy->priority = i == 0 ? first : second;
        busy->run_us = 1000000;
        start(busy);
    }
    finish();
}

// Twice as many as CPUs, all started on one: after 50 ms, what each has in the next 100.
static void even(int cpus)
{
    long now = now_us();
    end_us = now + 150000;
    for (int i = 0; i < 2 * cpus; ++i) {
        struct busy *busy = add();
        busy->mark_us = now + 50000;
        start(busy);
    }
    finish();
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "equal") == 0) {
        equal(atoi(argv[2]), atol(argv[3]));
    } else if (strcmp(name, "sleeper") == 0) {
        sleeper();
    } else if (strcmp(name, "waking") == 0) {
        waking();
    } else if (strcmp(name, "late") == 0) {
        late();
    } else if (strcmp(name, "nice") == 0) {
        nices(atol(argv[2]), argc - 3, argv + 3);
    } else if (strcmp(name, "fifo") == 0) {
        real_time(SCHED_FIFO, atoi(argv[2]), atoi(argv[3]));
    } else if (strcmp(name, "round-robin") == 0) {
        real_time(SCHED_RR, atoi(argv[2]), atoi(argv[3]));
    } else if (strcmp(name, "even") == 0) {
        even(atoi(argv[2]));
    } else {
        return 2;
    }
    return 0;
}
