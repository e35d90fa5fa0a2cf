// SPDX-License-Identifier: BSD-3-Clause
// sleeper.c: sleeping until somebody says so, and waking up with the mutex.
//
// The waker that finds the mutex held moves the sleeper onto it instead of waking it for nothing
// (wait morphing): it runs when it is granted the lock. state decides between waker and sleeper:
//
//     SLEEPING -> QUEUED (claimed) -> GRANTED      moved, and unlocked for it
//     SLEEPING -> QUEUED (claimed) -> FREE         the mutex was free: it locks that itself
//     SLEEPING -> GONE                             it gave up; wakers pass it over
//
// One that cannot give up is whose queue it is in, and SLEEPING until it is GRANTED or FREE.
#include "core/sync/waiter.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

bool sleeper_wait_until(struct sleeper *sleeper, hal_ns deadline)
{
    while (!sleeper_is_released(sleeper)) {
        thread_serve();
        if (thread_park_until(deadline)) {
            continue;
        }
        uint64_t sleeping = WAITER_SLEEPING;
        if (atomic_compare_exchange_strong(&sleeper->waiter.state, &sleeping, WAITER_GONE)) {
            return false;
        }
        // Claimed: it is the waker's to say with what.
        MARK("sleeper: woken while giving up");
        deadline = UINT64_MAX;
    }
    return true;
}

bool sleeper_claim(struct sleeper *sleeper)
{
    if (!sleeper->may_give_up) {
        return true;
    }
    uint64_t sleeping = WAITER_SLEEPING;
    if (!atomic_compare_exchange_strong(&sleeper->waiter.state, &sleeping, WAITER_QUEUED)) {
        MARK("sleeper: waker meets one that has gone");
        return false;
    }
    return true;
}

static inline void release_free(struct sleeper *sleeper)
{
    struct thread *thread = sleeper->waiter.thread;
    MARK("sleeper: woken because the mutex is free");
    // Pairs with sleeper_is_released.
    atomic_store_explicit(&sleeper->waiter.state, WAITER_FREE, memory_order_release);
    thread_wake(thread);
}

__attribute__((noinline)) static void release_onto_mutex(struct sleeper *sleeper)
{
    if (!mutex_requeue(sleeper->mutex, &sleeper->waiter)) {
        release_free(sleeper);
    }
}

void sleeper_release(struct sleeper *sleeper)
{
    if (atomic_load(&sleeper->mutex->claims) != 0) {
        release_onto_mutex(sleeper);
    } else {
        release_free(sleeper);
    }
}
