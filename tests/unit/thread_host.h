// SPDX-License-Identifier: BSD-3-Clause
// thread_host.h: core/sched's contract on the host's threads, for tests in which threads are real:
// each is a CPU of its own.
#ifndef TESTS_UNIT_THREAD_HOST_H
#define TESTS_UNIT_THREAD_HOST_H

#include <stdint.h>

enum { HOST_THREADS = 4 };

// Runs work(index) on HOST_THREADS threads at once, each on CPU index, and waits for all.
void host_threads_run(void (*work)(uint32_t index));

// The calling thread is CPU index from here on.
void host_thread_adopt(uint32_t index);

#endif
