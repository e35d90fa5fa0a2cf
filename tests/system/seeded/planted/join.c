// SPDX-License-Identifier: BSD-3-Clause
// join.c: a thread works on a block that is freed when it is done. Planted: nobody waits for the
// end of the thread, which is done before it has touched the block for the last time.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/seeded/planted/planted.h"

struct job {
    long input, output;
    _Atomic bool is_over;
};

static _Atomic bool is_done;

static void *work(void *argument)
{
    struct job *job = argument;
    job->output = job->input * job->input;
    atomic_store_explicit(&is_done, true, memory_order_release);
    atomic_store_explicit(&job->is_over, true, memory_order_release);
    return NULL;
}

void play_round(void)
{
    pthread_t thread;
    struct job *job = calloc(1, sizeof *job);
    job->input = 7;
    is_done = false;
    thread_start(&thread, work, job);
    while (!is_done) {
        sched_yield();
    }
    if (!is_planted) {
        pthread_join(thread, NULL);
    }
    check(job->output == 49, "the work is done");
    free(job);
    struct job *other = calloc(1, sizeof *other);
    if (is_planted) {
        pthread_join(thread, NULL); // so that what it did is seen
    }
    check(!other->is_over, "a block is its owner's");
    free(other);
}
