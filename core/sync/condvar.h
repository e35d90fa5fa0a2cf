// SPDX-License-Identifier: BSD-3-Clause
// condvar.h: condition variables. 48 bytes (pthread_cond_t); all-zero is ready.
#ifndef CORE_SYNC_CONDVAR_H
#define CORE_SYNC_CONDVAR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/sync/mutex.h"

struct condvar {
    struct mutex guard;         // of the ring; its kind is not ours: core/libc keeps the clock there
    _Atomic uintptr_t sleepers; // 0: none; one that is alone, marked; or the first of their ring (condvar.c)
};

_Static_assert(sizeof(struct condvar) == 48, "pthread_cond_t");

// Unlocks mutex, waits, locks it again. A recursive mutex is released whole. The sleepers of one condvar may use
// different mutexes.
void condvar_wait(struct condvar *condvar, struct mutex *mutex);
bool condvar_wait_until(struct condvar *condvar, struct mutex *mutex, hal_ns deadline); // false: timed out

// Thread context, with or without the mutex; a sleeper is moved onto a held mutex. Cheap where nobody sleeps.
void condvar_wake_one(struct condvar *condvar);
void condvar_wake_all(struct condvar *condvar);

#endif
