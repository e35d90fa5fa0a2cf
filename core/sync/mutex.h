// SPDX-License-Identifier: BSD-3-Clause
// mutex.h: a sleeping lock with no lock inside it (responsibility hand-off; see mutex.c).
//
// The layout fits glibc's pthread_mutex_t: 40 bytes, the kind at offset 16, all-zero is unlocked
// and normal. A thread that unlocks for a waiter hands the lock over: first come, first served, but
// for those who find it free, and real-time threads come first, by priority.
#ifndef CORE_SYNC_MUTEX_H
#define CORE_SYNC_MUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/sync/ranked.h"
#include "hal/hal.h"

struct thread;

// What every lock and unlock touches is in the first 32 bytes: a program's mutex may lie across two
// cache lines.
struct mutex {
    _Atomic uint32_t claims; // holder plus everyone who wants to be
    _Atomic uint32_t baton;  // 0, or a wake-up nobody has done yet
    _Atomic(struct thread *) owner;
    uint32_t kind;               // not ours: core/libc keeps the pthread kind here
    uint16_t baton_serial;       // the one popper's
    uint16_t depth;              // holder only: mutex_lock_recursive beyond the first
    struct ranked_queue waiters; // struct mutex_waiter; anyone pushes, one pops
};

_Static_assert(sizeof(struct mutex) == 40, "pthread_mutex_t");
_Static_assert(offsetof(struct mutex, kind) == 16, "pthread_mutex_t.__data.__kind");

// The parts of the two below that are not worth having everywhere.
void mutex_lock_contended(struct mutex *mutex);
void mutex_unlock_contended(struct mutex *mutex);

static inline bool mutex_is_mine(const struct mutex *mutex)
{
    return atomic_load_explicit(&mutex->owner, memory_order_relaxed) == (struct thread *)hal_self();
}

// mutex_try_lock, but a machine that watches is not told.
HAL_MUST_CHECK static inline bool mutex_try_lock_untold(struct mutex *mutex)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&mutex->claims, &none, 1)) {
        return false;
    }
    atomic_store_explicit(&mutex->owner, (struct thread *)hal_self(), memory_order_relaxed);
    return true;
}

HAL_MUST_CHECK static inline bool mutex_try_lock(struct mutex *mutex)
{
    if (!mutex_try_lock_untold(mutex)) {
        return false;
    }
    MARK_LOCK_TRIED(mutex);
    return true;
}

// The caller must not hold it. Always inline: where it is called tells which lock this is
// (MARK_LOCK).
__attribute__((always_inline)) static inline void mutex_lock(struct mutex *mutex)
{
    MARK_LOCK(mutex);
    if (!mutex_try_lock_untold(mutex)) {
        mutex_lock_contended(mutex);
    }
}

// mutex_lock, by a caller that has had it, and waited for something meanwhile: this place tells
// nothing.
static inline void mutex_lock_again(struct mutex *mutex)
{
    MARK_LOCK_AGAIN(mutex);
    if (!mutex_try_lock_untold(mutex)) {
        mutex_lock_contended(mutex);
    }
}

// mutex_unlock, by a caller that has looked itself whether it may.
static inline void mutex_release(struct mutex *mutex)
{
    MARK_UNLOCK(mutex);
    atomic_store_explicit(&mutex->owner, NULL, memory_order_relaxed);
    if (atomic_fetch_sub(&mutex->claims, 1) != 1) {
        mutex_unlock_contended(mutex);
    }
}

static inline void mutex_unlock(struct mutex *mutex)
{
    ASSERT(mutex_is_mine(mutex));
    mutex_release(mutex);
}

// False: the deadline (hal_clock_ns) has passed, or there was no memory to wait with.
HAL_MUST_CHECK bool mutex_lock_until(struct mutex *mutex, hal_ns deadline);

// The recursive form: the owner may lock again (65535 times; asserted), and unlocks as often.
void mutex_lock_recursive(struct mutex *mutex);
HAL_MUST_CHECK bool mutex_try_lock_recursive(struct mutex *mutex);
void mutex_unlock_recursive(struct mutex *mutex);

#endif
