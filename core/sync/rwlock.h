// SPDX-License-Identifier: BSD-3-Clause
// rwlock.h: many readers or one writer; neither side starves. At most 56 bytes (pthread_rwlock_t); all-zero is unlocked.
#ifndef CORE_SYNC_RWLOCK_H
#define CORE_SYNC_RWLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct rwlock {
    uint64_t state[7];
};

_Static_assert(sizeof(struct rwlock) == 56, "pthread_rwlock_t");

void rwlock_read_lock(struct rwlock *lock);
HAL_MUST_CHECK bool rwlock_read_lock_until(struct rwlock *lock, hal_ns deadline);
HAL_MUST_CHECK bool rwlock_read_try_lock(struct rwlock *lock);
void rwlock_read_unlock(struct rwlock *lock);
void rwlock_write_lock(struct rwlock *lock);
HAL_MUST_CHECK bool rwlock_write_lock_until(struct rwlock *lock, hal_ns deadline);
HAL_MUST_CHECK bool rwlock_write_try_lock(struct rwlock *lock);
void rwlock_write_unlock(struct rwlock *lock);
bool rwlock_is_write_locked_by_me(const struct rwlock *lock);

#endif
