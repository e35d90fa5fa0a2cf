// SPDX-License-Identifier: BSD-3-Clause
// waiter.h: one thread that waits for a mutex, or sleeps on something that a mutex guards. For core/sync only.
//
// It lies on the stack of the thread that waits, which does not go while others may touch it. The waiter of a timed
// lock, which may go earlier, is memory of mutex.c's own.
#ifndef CORE_SYNC_WAITER_H
#define CORE_SYNC_WAITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/ranked.h"
#include "hal/hal.h"

enum waiter_state { // the low bits; the waiter of a timed lock has its thread's id above them
    WAITER_QUEUED,   // for a mutex
    WAITER_GRANTED,  // has the mutex
    WAITER_GONE,     // has given up. Of a timed lock: its popper frees it and drops its claim; it may come back before
    WAITER_FREE,     // in nobody's hands and without the mutex
    WAITER_SLEEPING, // in no mutex's queue yet
    WAITER_STATE_BITS = 3,
    WAITER_STATE_MASK = 7,
};

struct mutex_waiter {
    struct ranked ranked;
    struct thread *thread;
    _Atomic uint64_t state;
    _Atomic(struct mutex *) mutex; // of a timed lock
};

// Queues waiter, whose thread sleeps and has not got the lock, for mutex. False: nobody holds it, and nothing was done.
bool mutex_requeue(struct mutex *mutex, struct mutex_waiter *waiter);

// Makes the caller, which has been granted the mutex, its owner.
void mutex_take(struct mutex *mutex);

// A thread that sleeps until somebody wakes it, and then has the mutex again.
struct sleeper {
    struct mutex_waiter waiter;
    struct ranked_node node; // in a queue of the owner's
    struct mutex *mutex;
    bool may_give_up;
};

// may_give_up: it will wait by sleeper_wait_until.
static inline void sleeper_init(struct sleeper *sleeper, struct mutex *mutex, bool may_give_up)
{
    sleeper->may_give_up = may_give_up;
    sleeper->waiter.ranked.rank = sleeper->node.rank = rank_of_self();
    sleeper->waiter.thread = thread_self();
    sleeper->mutex = mutex;
    atomic_store_explicit(&sleeper->waiter.state, WAITER_SLEEPING, memory_order_relaxed);
}

static inline bool sleeper_is_released(struct sleeper *sleeper)
{
    uint64_t state = atomic_load(&sleeper->waiter.state); // pairs with sleeper_release
    return state == WAITER_GRANTED || state == WAITER_FREE;
}

// The sleeper's: waits to be released. (Mostly it is not yet; if it is, the park returns at once.)
static inline void sleeper_wait(struct sleeper *sleeper)
{
    do {
        thread_serve();
        thread_park();
    } while (!sleeper_is_released(sleeper));
}

// False: the deadline has passed; then it takes itself out of the queue.
bool sleeper_wait_until(struct sleeper *sleeper, hal_ns deadline);

// The sleeper's last act: on return it has the mutex.
static inline void sleeper_relock(struct sleeper *sleeper)
{
    if (atomic_load_explicit(&sleeper->waiter.state, memory_order_relaxed) == WAITER_GRANTED) {
        MARK("sleeper: wakes with the mutex");
        MARK_LOCK_AGAIN(sleeper->mutex);
        mutex_take(sleeper->mutex);
    } else {
        mutex_lock_again(sleeper->mutex);
    }
}

// The waker's, in two steps: claims the right to release sleeper, if that may give up. False: it has. Then releases it,
// after which sleeper may be gone: moves it onto the mutex, or wakes it to lock the mutex itself if nobody holds it.
bool sleeper_claim(struct sleeper *sleeper);
void sleeper_release(struct sleeper *sleeper);

#endif
