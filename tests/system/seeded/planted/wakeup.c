// SPDX-License-Identifier: BSD-3-Clause
// wakeup.c: one thread waits for another with a condition variable. Planted: it looks whether it
// has to before it takes the mutex, so the wake-up can come in between and be lost.
#include <pthread.h>
#include <stdatomic.h>

#include "tests/system/seeded/planted/planted.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static atomic_bool is_ready;

static void get_ready(void)
{
    pthread_mutex_lock(&mutex);
    is_ready = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
}

static void wait_until_ready(void)
{
    if (is_planted && is_ready) {
        return;
    }
    pthread_mutex_lock(&mutex);
    while (is_planted || !is_ready) {
        pthread_cond_wait(&condition, &mutex);
        if (is_ready) {
            break;
        }
    }
    pthread_mutex_unlock(&mutex);
}

void play_round(void)
{
    is_ready = false;
    run_beside(get_ready, wait_until_ready);
}
