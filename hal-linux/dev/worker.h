// SPDX-License-Identifier: BSD-3-Clause
// worker.h: hosted threads for device work that blocks.
//
// There is always a thread that waits for the next job: whoever takes the last one's place starts
// another before it begins its own job, up to WORKER_MAX. Jobs that block for ever (a read of a
// quiet terminal) so hold up nobody.
#ifndef HAL_LINUX_DEV_WORKER_H
#define HAL_LINUX_DEV_WORKER_H

enum { WORKER_MAX = 128 };

struct worker_job {
    struct worker_job *next;
    void (*run)(struct worker_job *job); // on a worker thread, all signals blocked
};

// Gives job to a worker, now or when the machine says. As job_queue.
void worker_submit(struct worker_job *job);

// Hosted: starts the first worker. 0 or -errno.
int worker_start(void);

#endif
