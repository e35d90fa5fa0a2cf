// SPDX-License-Identifier: BSD-3-Clause
// rwlock.h: many readers or one writer; neither side starves. 56 bytes (pthread_rwlock_t); all-zero is unlocked.
//
// First come, first served once somebody has to wait: a thread that has a read lock must not ask for another but by
// rwlock_read_join.
#ifndef CORE_SYNC_RWLOCK_H
#define CORE_SYNC_RWLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sync/mutex.h"

struct list;

struct rwlock {
    struct mutex guard;      // of waiters; its kind is the id of the thread that holds the lock for writing, or 0
    struct list *first;      // of the ring of waiters; with guard held
    uint32_t kind;           // not ours: core/libc keeps the pthread kind here
    _Atomic uint32_t state;  // see rwlock.c
};

_Static_assert(sizeof(struct rwlock) == 56, "pthread_rwlock_t");
_Static_assert(offsetof(struct rwlock, kind) == 48, "pthread_rwlock_t.__data.__flags");

void rwlock_read_lock(struct rwlock *lock);
HAL_MUST_CHECK bool rwlock_read_lock_until(struct rwlock *lock, hal_ns deadline); // false: timed out
HAL_MUST_CHECK bool rwlock_read_try_lock(struct rwlock *lock);
HAL_MUST_CHECK bool rwlock_read_join(struct rwlock *lock); // enters if readers have the lock, whoever waits
void rwlock_read_unlock(struct rwlock *lock);
void rwlock_write_lock(struct rwlock *lock);
HAL_MUST_CHECK bool rwlock_write_lock_until(struct rwlock *lock, hal_ns deadline); // false: timed out
HAL_MUST_CHECK bool rwlock_write_try_lock(struct rwlock *lock);
void rwlock_write_unlock(struct rwlock *lock);
bool rwlock_is_write_locked_by_me(const struct rwlock *lock);

#endif
