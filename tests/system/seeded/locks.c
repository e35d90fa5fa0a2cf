// SPDX-License-Identifier: BSD-3-Clause
// locks.c: two threads that take two mutexes in opposite order: a deadlock under most schedules.
// Each has a CPU of its own, as on one neither would be interrupted within so short a time, and
// they start together.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;

enum { ROUNDS = 200 }; // enough that a seed without the deadlock is seldom

static void take(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    pthread_barrier_wait(&start);
    for (int i = 0; i < ROUNDS; ++i) {
        pthread_mutex_lock(outer);
        pthread_mutex_lock(inner);
        pthread_mutex_unlock(inner);
        pthread_mutex_unlock(outer);
    }
}

static void *other_way_round(void *argument)
{
    take(&second, &first);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(1, &cpus);
    pthread_attr_init(&attributes);
    pthread_attr_setaffinity_np(&attributes, sizeof cpus, &cpus);
    pthread_barrier_init(&start, NULL, 2);
    pthread_create(&thread, &attributes, other_way_round, NULL);
    take(&first, &second);
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
