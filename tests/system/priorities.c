// SPDX-License-Identifier: BSD-3-Clause
// priorities.c: real-time policies and nice as programs ask for them; in which order real-time
// threads run on one CPU, and are served by what they wait for.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>

#include "show.h"

static void policy_show(int id)
{
    struct sched_param parameter = {-1};
    SHOW(sched_getparam(id, &parameter));
    printf("  policy %x, priority %d\n", (unsigned)sched_getscheduler(id),
           parameter.sched_priority);
}

static void *policy_of_thread(void *argument)
{
    int policy;
    struct sched_param parameter;
    SHOW(pthread_getschedparam(pthread_self(), &policy, &parameter));
    printf("  %s: %d, %d, nice %d\n", (const char *)argument, policy, parameter.sched_priority,
           getpriority(PRIO_PROCESS, 0));
    return NULL;
}

static void thread_run(const char *name, int inherit, int policy, int priority)
{
    pthread_t thread;
    pthread_attr_t attributes;
    struct sched_param parameter = {priority};
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, inherit);
    pthread_attr_setschedpolicy(&attributes, policy);
    pthread_attr_setschedparam(&attributes, &parameter);
    int error = pthread_create(&thread, &attributes, policy_of_thread, (void *)name);
    if (error == 0) {
        pthread_join(thread, NULL);
    }
    printf("%s: %d\n", name, error);
}

static void policies(void)
{
    struct timespec interval = {9, 9};
    struct sched_param parameter = {7};
    SHOW(sched_setscheduler(0, SCHED_RR, &parameter));
    policy_show(0);
    SHOW(sched_rr_get_interval(0, &interval));
    printf("  %ld.%09ld\n", (long)interval.tv_sec, interval.tv_nsec);
    parameter.sched_priority = 99;
    SHOW(sched_setparam(0, &parameter));
    policy_show(0);
    parameter.sched_priority = 100;
    SHOW(sched_setparam(0, &parameter));
    parameter.sched_priority = 0;
    SHOW(sched_setparam(0, &parameter));
    SHOW(sched_setparam(-1, &parameter));
    SHOW(sched_setparam(0, NULL));
    SHOW(sched_setscheduler(0, SCHED_BATCH, &parameter));
    policy_show(0);
    SHOW(sched_setscheduler(0, SCHED_IDLE, &parameter));
    policy_show(0);
    parameter.sched_priority = 3;
    SHOW(sched_setscheduler(0, SCHED_IDLE, &parameter));
    SHOW(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter));
    policy_show(0);
    thread_run("after reset", PTHREAD_INHERIT_SCHED, SCHED_OTHER, 0);
    SHOW(sched_rr_get_interval(0, &interval));
    printf("  %ld.%09ld\n", (long)interval.tv_sec, interval.tv_nsec);
    SHOW(sched_rr_get_interval(-1, &interval));
    SHOW(sched_setscheduler(0, SCHED_FIFO, &parameter));
    thread_run("inherits", PTHREAD_INHERIT_SCHED, SCHED_OTHER, 0);
    thread_run("explicit other", PTHREAD_EXPLICIT_SCHED, SCHED_OTHER, 0);
    thread_run("explicit rr", PTHREAD_EXPLICIT_SCHED, SCHED_RR, 12);
    SHOW(pthread_setschedprio(pthread_self(), 5));
    policy_show(0);
    parameter.sched_priority = 0;
    SHOW(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameter));
    policy_show(0);
    SHOW(sched_get_priority_min(SCHED_RR));
    SHOW(sched_get_priority_max(SCHED_RR));
    SHOW(sched_get_priority_max(4));
    SHOW(sched_get_priority_max(6));
}

static void nices(void)
{
    SHOW(setpriority(PRIO_PROCESS, 0, -5));
    SHOW(getpriority(PRIO_PROCESS, 0));
    thread_run("nice is inherited", PTHREAD_INHERIT_SCHED, SCHED_OTHER, 0);
    SHOW(nice(7));
    SHOW(getpriority(PRIO_PROCESS, getpid()));
    SHOW(setpriority(PRIO_PROCESS, 0, 100));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, -100));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 0));
    SHOW(setpriority(PRIO_PROCESS, 99999999, 0));
    SHOW(getpriority(PRIO_PROCESS, 99999999));
    SHOW(setpriority(77, 0, 0));
}

// ---- Who runs when ---------------------------------------------------------

static char order[64];
static int order_count;
static sem_t ready, go, ended;

static void note(char what)
{
    order[order_count++] = what; // all are on one CPU and real-time: nobody is in between
}

static void *waiter(void *argument)
{
    sem_wait(&go);
    note((char)(long)argument);
    sem_post(&ended);
    return NULL;
}

// It lets others go on three times; after sem_wait for those that are to come in a certain order.
static void *yielder(void *argument)
{
    if ((long)argument >= 'x') {
        sem_post(&ready);
        sem_wait(&go);
    }
    for (int i = 0; i < 3; ++i) {
        note((char)(long)argument);
        sched_yield();
    }
    sem_post(&ended);
    return NULL;
}

static pthread_t start(void *(*run)(void *), int policy, int priority, char name)
{
    pthread_t thread;
    pthread_attr_t attributes;
    struct sched_param parameter = {priority};
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, policy);
    pthread_attr_setschedparam(&attributes, &parameter);
    if (pthread_create(&thread, &attributes, run, (void *)(long)name) != 0) {
        abort();
    }
    return thread;
}

static void priority_set(pthread_t thread, int priority)
{
    struct sched_param parameter = {priority};
    pthread_setschedparam(thread, SCHED_FIFO, &parameter);
}

static void finish(const char *name, int count)
{
    for (int i = 0; i < count; ++i) {
        sem_wait(&ended);
    }
    printf("%s: %.*s\n", name, order_count, order);
    order_count = 0;
}

// The caller has 50.
static void orders(void)
{
    sem_init(&ready, 0, 0);
    sem_init(&go, 0, 0);
    sem_init(&ended, 0, 0);
    start(waiter, SCHED_FIFO, 60, 'w'); // runs at once, and waits
    note('a');
    sem_post(&go);
    note('b');
    finish("a higher one runs before sem_post returns", 1);

    start(waiter, SCHED_FIFO, 40, 'w');
    sem_post(&go);
    note('a');
    finish("a lower one runs when the caller waits", 1);

    start(yielder, SCHED_FIFO, 10, 'x');
    sem_wait(&ready);
    start(yielder, SCHED_FIFO, 10, 'y');
    sem_wait(&ready);
    start(yielder, SCHED_RR, 30, 'z');
    sem_wait(&ready);
    start(yielder, SCHED_OTHER, 0, 'o');
    for (int i = 0; i < 3; ++i) {
        sem_post(&go);
    }
    note('a');
    finish("by priority, and in turns by sched_yield", 4);

    pthread_t low = start(yielder, SCHED_FIFO, 10, 'l');
    note('a');
    priority_set(low, 70); // queued
    note('b');
    finish("one that is raised runs at once", 1);

    start(yielder, SCHED_FIFO, 30, 'm');
    note('a');
    priority_set(pthread_self(), 20);
    note('b');
    priority_set(pthread_self(), 50);
    finish("one that lowers itself waits at once", 1);
}

// ---- Who is served when --------------------------------------------------------

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *locker(void *argument)
{
    pthread_mutex_lock(&mutex);
    note((char)(long)argument);
    pthread_mutex_unlock(&mutex);
    sem_post(&ended);
    return NULL;
}

static void *sleeper(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex);
    note((char)(long)argument);
    pthread_mutex_unlock(&mutex);
    sem_post(&ended);
    return NULL;
}

static void *writer(void *argument)
{
    pthread_rwlock_wrlock(&rwlock);
    note((char)(long)argument);
    pthread_rwlock_unlock(&rwlock);
    sem_post(&ended);
    return NULL;
}

// Each runs at once, and waits before the next one starts: a, b, c, d is the order in which they
// come.
static void waiters_start(void *(*run)(void *))
{
    start(run, SCHED_FIFO, 60, 'a');
    start(run, SCHED_RR, 80, 'b');
    start(run, SCHED_FIFO, 70, 'c');
    start(run, SCHED_FIFO, 80, 'd');
}

// The caller has 50.
static void services(void)
{
    pthread_mutex_lock(&mutex);
    waiters_start(locker);
    pthread_mutex_unlock(&mutex);
    finish("a mutex", 4);

    waiters_start(waiter);
    for (int i = 0; i < 4; ++i) {
        sem_post(&go);
        note('0' + i);
    }
    finish("a semaphore", 4);

    waiters_start(sleeper);
    for (int i = 0; i < 4; ++i) {
        pthread_cond_signal(&condition);
        note('0' + i);
    }
    finish("a condition, one at a time", 4);

    waiters_start(sleeper);
    pthread_mutex_lock(&mutex);
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    finish("a condition, all, with the mutex", 4);

    pthread_rwlock_wrlock(&rwlock);
    waiters_start(writer);
    pthread_rwlock_unlock(&rwlock);
    finish("a read-write lock", 4);
}

// ---- The same by futexes ---------------------------------------------------------

static unsigned here, there;

static void *futex_waiter(void *argument)
{
    syscall(SYS_futex, &here, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    note((char)(long)argument);
    sem_post(&ended);
    return NULL;
}

// The caller has 50, and while it wakes 90.
static void futexes(void)
{
    waiters_start(futex_waiter);
    for (int i = 0; i < 4; ++i) {
        syscall(SYS_futex, &here, FUTEX_WAKE_PRIVATE, 1);
        note('0' + i);
    }
    finish("a futex, one at a time", 4);

    waiters_start(futex_waiter);
    priority_set(pthread_self(), 90);
    syscall(SYS_futex, &here, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &there, 0);
    syscall(SYS_futex, &here, FUTEX_WAKE_PRIVATE, 1);
    note('0');
    priority_set(pthread_self(), 50);
    note('1');
    syscall(SYS_futex, &there, FUTEX_WAKE_PRIVATE, 1);
    note('2');
    syscall(SYS_futex, &here, FUTEX_WAKE_PRIVATE, 1);
    finish("a futex, some on another word", 4);
}

// ---- Sleepers whose time has come when the CPU gets to look --------------------------

static struct timespec deadlines[8];

static void time_add(struct timespec *time, long ns)
{
    time->tv_nsec += ns;
    time->tv_sec += time->tv_nsec / 1000000000;
    time->tv_nsec %= 1000000000;
}

static int is_before(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec != deadline->tv_sec ? now.tv_sec < deadline->tv_sec
                                          : now.tv_nsec < deadline->tv_nsec;
}

static void *timed_sleeper(void *argument)
{
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadlines[(long)argument - 'a'], NULL);
    note((char)(long)argument);
    sem_post(&ended);
    return NULL;
}

// All sleep before the first is due; as long a lead as that takes here. They are 50 ns apart, d, a,
// c, b, and e with c. The caller has 50, and while their time comes 90.
static void sleepers(void)
{
    enum { COUNT = 5, APART_NS = 50 };
    static const long at[COUNT] = {1, 3, 2, 0, 2};
    int is_early = 0;
    for (long lead_ns = 2000000; !is_early; lead_ns *= 4) {
        struct timespec start_time, last;
        clock_gettime(CLOCK_MONOTONIC, &start_time);
        time_add(&start_time, lead_ns);
        for (int i = 0; i < COUNT; ++i) {
            deadlines[i] = start_time;
            time_add(&deadlines[i], at[i] * APART_NS);
            start(timed_sleeper, SCHED_FIFO, 60, (char)('a' + i));
        }
        priority_set(pthread_self(), 90);
        is_early = is_before(&start_time);
        last = start_time;
        time_add(&last, 1000000);
        while (is_before(&last)) {
        }
        priority_set(pthread_self(), 50);
        if (is_early) {
            finish("sleepers, by their deadlines", COUNT);
        } else {
            for (int i = 0; i < COUNT; ++i) {
                sem_wait(&ended);
            }
            order_count = 0;
        }
    }
}

int main(void)
{
    struct sched_param parameter = {50};
    cpu_set_t first;
    policies();
    nices();
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);
    SHOW(sched_setscheduler(0, SCHED_FIFO, &parameter));
    orders();
    services();
    futexes();
    sleepers();
    return 0;
}
