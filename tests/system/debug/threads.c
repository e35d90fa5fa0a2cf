// SPDX-License-Identifier: BSD-3-Clause
// threads.c: a program to be looked into: one thread for each kind of waiting, one that computes,
// and a main thread that calls back through the C library and its own library. With an argument it
// dies in the end, in a function of the library.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "library.h"

enum { LOOKS = 200, TWO_DIE = 2 };

static pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t free_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t held_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t empty;
static int ends[2];
static _Atomic unsigned long turns;
static _Atomic int waiting;
static volatile sig_atomic_t handled;
static pthread_t main_thread, sleeping_thread;

static void *mutex_waiter(void *argument)
{
    ++waiting;
    pthread_mutex_lock(&held_mutex);
    return argument;
}

static void *cond_waiter(void *argument)
{
    pthread_mutex_lock(&free_mutex);
    ++waiting;
    pthread_cond_wait(&never, &free_mutex);
    return argument;
}

static void *rwlock_waiter(void *argument)
{
    ++waiting;
    pthread_rwlock_wrlock(&held_rwlock);
    return argument;
}

static void *semaphore_waiter(void *argument)
{
    ++waiting;
    sem_wait(&empty);
    return argument;
}

static void *pipe_reader(void *argument)
{
    char byte;
    ++waiting;
    (void)!read(ends[0], &byte, 1);
    return argument;
}

static void *sleeper(void *argument)
{
    sleeping_thread = pthread_self();
    ++waiting;
    sleep(100000);
    return argument;
}

static void *joiner(void *argument)
{
    ++waiting;
    pthread_join(sleeping_thread, NULL);
    return argument;
}

static void *computer(void *argument)
{
    ++waiting;
    for (;;) {
        ++turns;
    }
    return argument;
}

__attribute__((noinline)) void in_handler(void)
{
    handled = 1;
}

static void handler(int signal)
{
    (void)signal;
    in_handler();
}

// Spins until another thread's signal has found it here.
__attribute__((noinline)) static void interrupted(void)
{
    while (!handled) {
    }
}

static void *signaller(void *argument)
{
    pthread_kill(main_thread, SIGUSR1);
    return argument;
}

static void *dier(void *argument)
{
    library_die(0);
    return argument;
}

static int compare(const void *a, const void *b)
{
    return library_compare(*(const int *)a, *(const int *)b);
}

__attribute__((noinline)) void everybody_waits(void)
{
    __asm__ volatile("" : : : "memory");
}

static void start(void *(*entry)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, entry, NULL) != 0) {
        abort();
    }
}

int main(int count, char **arguments)
{
    void *(*const waiters[])(void *) = {mutex_waiter, cond_waiter, rwlock_waiter, semaphore_waiter,
                                        pipe_reader,  sleeper,     joiner,        computer};
    int numbers[] = {3, 1, 2};
    main_thread = pthread_self();
    signal(SIGUSR1, handler);
    pthread_mutex_lock(&held_mutex);
    pthread_rwlock_rdlock(&held_rwlock);
    sem_init(&empty, 0, 0);
    if (pipe(ends) != 0 || open(arguments[0], O_RDONLY) < 0) {
        return 1;
    }
    for (size_t i = 0; i < sizeof waiters / sizeof waiters[0]; ++i) {
        start(waiters[i]);
        while (waiting <= (int)i) {
            sched_yield();
        }
    }
    qsort(numbers, 3, sizeof numbers[0], compare);
    start(signaller);
    interrupted();
    // Who waits here, or is about to, only an observer can tell: it looks until it is content.
    for (int i = 0; i < LOOKS; ++i) {
        everybody_waits();
        usleep(1000);
    }
    if (count > 1) {
        if (atoi(arguments[1]) == TWO_DIE) {
            start(dier);
        }
        library_die(atoi(arguments[1]));
    }
    return 0;
}
