// SPDX-License-Identifier: BSD-3-Clause
// waiter.h: one thread that waits for a mutex. For core/sync only.
//
// It lies on the stack of the thread that waits, which does not go before the waiter is GRANTED.
// The waiter of a timed lock, which may go earlier, is memory of mutex.c's own.
#ifndef CORE_SYNC_WAITER_H
#define CORE_SYNC_WAITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mutex;
struct thread;

enum waiter_state { // the low bits; the waiter of a timed lock has its thread's id above them
    WAITER_QUEUED,
    WAITER_GRANTED, // has the lock
    WAITER_GONE,    // has given up; whoever pops it frees it and drops its claim, but it may come back before
    WAITER_FREE,
    WAITER_STATE_BITS = 2,
};

struct mutex_waiter {
    struct mutex_waiter *next;
    struct thread *thread;
    _Atomic uint64_t state;
    _Atomic(struct mutex *) mutex; // of a timed lock
};

// Queues waiter, whose thread sleeps and has not got the lock, for mutex. False: nobody holds it,
// and nothing was done.
bool mutex_requeue(struct mutex *mutex, struct mutex_waiter *waiter);

// Called by waiter's thread: waits until it is granted.
void mutex_await(struct mutex *mutex, struct mutex_waiter *waiter);

#endif
