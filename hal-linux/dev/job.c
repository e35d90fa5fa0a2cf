// SPDX-License-Identifier: BSD-3-Clause
// job.c: the queue between guest context and the worker threads.
//
// A stack that is pushed without locks and taken whole: nothing is ever popped, so no address can
// come back between a load and a compare.
#include "hal-linux/dev/job.h"

#include <linux/futex.h>
#include <stddef.h>

#include "hal-linux/syscall.h"

_Atomic uint32_t job_word;
static struct worker_job *_Atomic job_top;

void job_queue(struct worker_job *job)
{
    struct worker_job *top = atomic_load(&job_top);
    do {
        job->next = top;
    } while (!atomic_compare_exchange_weak(&job_top, &top, job));
    // job is a worker's from here on. The count is raised after the push: a worker that read the
    // old count finds it changed, or finds the job.
    atomic_fetch_add(&job_word, 1);
    syscall3(SYS_futex, (long)&job_word, FUTEX_WAKE_PRIVATE, 1);
}

struct worker_job *job_take_all(void)
{
    struct worker_job *top = atomic_exchange(&job_top, NULL);
    struct worker_job *oldest = NULL;
    while (top != NULL) {
        struct worker_job *older = top->next;
        top->next = oldest;
        oldest = top;
        top = older;
    }
    return oldest;
}
