// SPDX-License-Identifier: BSD-3-Clause
// shares.c: threads share the processors: busy ones are preempted, sleepers get their turn, locks exclude.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { HOGS = 6, LOCKERS = 6, ROUNDS = 3000 };

static _Atomic int stop, started;
static _Atomic unsigned long turns[HOGS];

static void *hog(void *argument)
{
    _Atomic unsigned long *mine = argument;
    ++started;
    while (stop == 0) { // no system call: only preemption takes it off its processor
        ++*mine;
    }
    return NULL;
}

static struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void busy_threads_are_preempted(void)
{
    pthread_t threads[HOGS];
    for (int i = 0; i < HOGS; ++i) {
        pthread_create(&threads[i], NULL, hog, &turns[i]);
    }
    while (started < HOGS) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int i = 0; i < 20; ++i) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    stop = 1;
    int idle = 0;
    for (int i = 0; i < HOGS; ++i) {
        pthread_join(threads[i], NULL);
        idle += turns[i] == 0;
    }
    printf("hogs that never ran: %d\n", idle);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static long counter, written[2];
static _Atomic long read_errors;
static _Atomic int arrived;

static void *locker(void *argument)
{
    long number = (long)argument;
    for (int i = 0; i < ROUNDS; ++i) {
        struct timespec soon = in_ms(CLOCK_REALTIME, (i + number) % 2);
        if (i % 7 != 0 || pthread_mutex_timedlock(&mutex, &soon) != 0) {
            pthread_mutex_lock(&mutex);
        }
        ++counter;
        pthread_mutex_unlock(&mutex);
        if ((i + number) % 5 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            ++written[0];
            if (i % 11 == 0) {
                sched_yield();
            }
            ++written[1];
        } else {
            pthread_rwlock_rdlock(&rwlock);
            read_errors += written[0] != written[1];
        }
        pthread_rwlock_unlock(&rwlock);
        sem_post(&sem);
        if (i % 3 == 0) {
            sched_yield();
        }
        sem_wait(&sem);
        if (i % 50 == 0) { // moves from processor to processor
            cpu_set_t set;
            CPU_ZERO(&set);
            CPU_SET((size_t)(i / 50 + number) % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
            sched_setaffinity(0, sizeof set, &set);
        }
    }
    pthread_mutex_lock(&mutex);
    if (++arrived == LOCKERS) {
        pthread_cond_broadcast(&cond);
    }
    while (arrived < LOCKERS) {
        pthread_cond_wait(&cond, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void locks_exclude(void)
{
    pthread_t threads[LOCKERS];
    sem_init(&sem, 0, 0);
    for (long i = 0; i < LOCKERS; ++i) {
        pthread_create(&threads[i], NULL, locker, (void *)i);
    }
    for (int i = 0; i < LOCKERS; ++i) {
        pthread_join(threads[i], NULL);
    }
    int value = -1;
    sem_getvalue(&sem, &value);
    printf("counted %ld of %d, written %ld and %ld, torn reads %ld, semaphore %d\n", counter,
           LOCKERS * ROUNDS, written[0], written[1], read_errors, value);
}

static void timeouts_time_out(void)
{
    struct timespec soon = in_ms(CLOCK_REALTIME, 5);
    pthread_mutex_lock(&mutex);
    printf("condition: %d\n", pthread_cond_timedwait(&cond, &mutex, &soon) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    soon = in_ms(CLOCK_REALTIME, 5);
    printf("semaphore: %d\n", sem_timedwait(&sem, &soon) == -1 && errno == ETIMEDOUT);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long slept = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    printf("slept at least 10 ms: %d\n", slept >= 10000000);
}

int main(void)
{
    busy_threads_are_preempted();
    locks_exclude();
    timeouts_time_out();
    return 0;
}
