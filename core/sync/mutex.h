// SPDX-License-Identifier: BSD-3-Clause
// mutex.h: a sleeping lock with no lock inside it (responsibility hand-off; see mutex.c).
//
// The layout fits glibc's pthread_mutex_t: 40 bytes, the kind at offset 16, all-zero is unlocked and normal.
#ifndef CORE_SYNC_MUTEX_H
#define CORE_SYNC_MUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct mutex_waiter;
struct thread;

struct mutex {
    _Atomic uint32_t claims;              // holder plus everyone who wants to be
    _Atomic uint32_t baton;               // 0, or a wake-up nobody has done yet
    _Atomic(struct mutex_waiter *) inbox; // newest first; anyone pushes
    uint32_t kind;                        // not ours: core/libc keeps the pthread kind here
    uint16_t baton_serial;                // holder only
    uint16_t depth;                       // holder only: mutex_lock_recursive beyond the first
    struct mutex_waiter *queue;           // oldest first; the one popper owns it
    _Atomic(struct thread *) owner;
};

_Static_assert(sizeof(struct mutex) == 40, "pthread_mutex_t");
_Static_assert(offsetof(struct mutex, kind) == 16, "pthread_mutex_t.__data.__kind");

void mutex_lock(struct mutex *mutex);
HAL_MUST_CHECK bool mutex_try_lock(struct mutex *mutex);
HAL_MUST_CHECK bool mutex_lock_until(struct mutex *mutex, hal_ns deadline); // false: timed out
void mutex_unlock(struct mutex *mutex);
bool mutex_is_mine(const struct mutex *mutex);

// The recursive form: the owner may lock again, and unlocks as often.
void mutex_lock_recursive(struct mutex *mutex);
HAL_MUST_CHECK bool mutex_try_lock_recursive(struct mutex *mutex);
void mutex_unlock_recursive(struct mutex *mutex);

#endif
