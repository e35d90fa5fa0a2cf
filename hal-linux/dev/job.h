// SPDX-License-Identifier: BSD-3-Clause
// job.h: the queue between guest context and the worker threads.
#ifndef HAL_LINUX_DEV_JOB_H
#define HAL_LINUX_DEV_JOB_H

#include <stdatomic.h>
#include <stdint.h>

#include "hal-linux/dev/worker.h"

// Counts submissions: the futex word that workers wait on.
extern _Atomic uint32_t job_word;

// Gives job to the worker threads now. Any thread, any context: raw system calls only. Jobs start in
// order.
void job_queue(struct worker_job *job);

// All jobs that nobody took yet, the oldest first, linked by next; or NULL.
struct worker_job *job_take_all(void);

#endif
