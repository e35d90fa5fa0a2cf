// SPDX-License-Identifier: BSD-3-Clause
// semaphore.h: a counter that one waits for. 32 bytes (sem_t); all-zero is a semaphore of value 0.
#ifndef CORE_SYNC_SEMAPHORE_H
#define CORE_SYNC_SEMAPHORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sync/ranked.h"
#include "hal/hal.h"

struct semaphore {
    _Atomic int32_t count;                    // value, less everyone who waits
    int32_t owed;                             // grants; the server's
    _Atomic uint64_t calls;                   // for the server, see semaphore.c
    struct ranked_queue waiters;              // anyone pushes, the server pops
};

_Static_assert(sizeof(struct semaphore) == 32, "sem_t");

void semaphore_init(struct semaphore *semaphore, uint32_t value);
void semaphore_wait(struct semaphore *semaphore);

// False: timed out, given up (thread_serve), or no memory.
HAL_MUST_CHECK bool semaphore_wait_until(struct semaphore *semaphore, hal_ns deadline);
HAL_MUST_CHECK bool semaphore_try_wait(struct semaphore *semaphore);
HAL_MUST_CHECK int semaphore_post(struct semaphore *semaphore); // any context. -EOVERFLOW beyond INT32_MAX
uint32_t semaphore_value(const struct semaphore *semaphore);

#endif
