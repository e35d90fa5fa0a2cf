// SPDX-License-Identifier: BSD-3-Clause
// locks.c: two threads that take two mutexes in opposite order: a deadlock under some schedules.
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

static void *other_way_round(void *argument)
{
    pthread_mutex_lock(&second);
    pthread_mutex_lock(&first);
    pthread_mutex_unlock(&first);
    pthread_mutex_unlock(&second);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, other_way_round, NULL);
    pthread_mutex_lock(&first);
    pthread_mutex_lock(&second);
    pthread_mutex_unlock(&second);
    pthread_mutex_unlock(&first);
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
