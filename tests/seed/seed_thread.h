// SPDX-License-Identifier: BSD-3-Clause
// seed_thread.h: for the reset of tests that run on seed_thread.c instead of core/sched.
#ifndef SEED_SEED_THREAD_H
#define SEED_SEED_THREAD_H

struct thread;

void seed_threads_reset(void);
struct thread *seed_thread(unsigned index); // the one of body index

#endif
