// SPDX-License-Identifier: BSD-3-Clause
// counter.c: two threads add to a sum. Planted: without the mutex.
#include <pthread.h>

#include "tests/system/seeded/planted/planted.h"

enum { TURNS = 30 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

// Not static: a report of a race names what the program exports.
__attribute__((noinline)) void add(long value)
{
    if (!is_planted) {
        pthread_mutex_lock(&mutex);
    }
    sum += value;
    if (!is_planted) {
        pthread_mutex_unlock(&mutex);
    }
}

void add_all(void)
{
    for (int i = 1; i <= TURNS; ++i) {
        add(i);
    }
}

void play_round(void)
{
    sum = 0;
    run_beside(add_all, add_all);
    check(sum == TURNS * (TURNS + 1), "what was added is the sum");
}
