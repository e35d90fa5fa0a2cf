// SPDX-License-Identifier: BSD-3-Clause
// condvar.h: condition variables. At most 48 bytes (pthread_cond_t); all-zero is ready.
#ifndef CORE_SYNC_CONDVAR_H
#define CORE_SYNC_CONDVAR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sync/mutex.h"

struct condvar_waiter;

struct condvar {
    struct mutex *unused_or_guard[1]; // condvar.c may lay these 48 bytes out as it likes
    uint64_t state[5];
};

_Static_assert(sizeof(struct condvar) == 48, "pthread_cond_t");

// Unlocks mutex, waits, locks it again. May return early (spurious), as POSIX allows. A recursive mutex is released whole.
void condvar_wait(struct condvar *condvar, struct mutex *mutex);
bool condvar_wait_until(struct condvar *condvar, struct mutex *mutex, hal_ns deadline); // false: timed out

void condvar_wake_one(struct condvar *condvar); // with or without the mutex; a waiter is moved onto a held mutex
void condvar_wake_all(struct condvar *condvar);

#endif
