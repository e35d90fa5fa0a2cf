// SPDX-License-Identifier: BSD-3-Clause
// sleeper.c: sleeping until somebody says so, and waking up with the mutex.
//
// The waker that finds the mutex held moves the sleeper onto it instead of waking it for nothing
// (wait morphing): it runs when it is granted the lock. state decides between waker and sleeper:
//
//     SLEEPING -> QUEUED (claimed) -> GRANTED      moved, and unlocked for it
//     SLEEPING -> QUEUED (claimed) -> FREE         the mutex was free: it locks that itself
//     SLEEPING -> GONE                             it gave up; wakers pass it over
#include "core/sync/waiter.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

void sleeper_init(struct sleeper *sleeper, struct mutex *mutex, bool may_give_up)
{
    sleeper->may_give_up = may_give_up;
    sleeper->waiter.ranked.rank = sleeper->node.rank = rank_of_self();
    sleeper->waiter.thread = thread_self();
    sleeper->mutex = mutex;
    atomic_store_explicit(&sleeper->waiter.state, WAITER_SLEEPING, memory_order_relaxed);
    list_init(&sleeper->node.list);
}

bool sleeper_wait(struct sleeper *sleeper, hal_ns deadline)
{
    for (;;) {
        uint64_t state = atomic_load(&sleeper->waiter.state);
        if (state == WAITER_GRANTED || state == WAITER_FREE) {
            return true;
        }
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
}

void sleeper_relock(struct sleeper *sleeper)
{
    if (atomic_load_explicit(&sleeper->waiter.state, memory_order_relaxed) == WAITER_GRANTED) {
        MARK("sleeper: wakes with the mutex");
        MARK_LOCK_AGAIN(sleeper->mutex);
        mutex_take(sleeper->mutex);
    } else {
        mutex_lock_again(sleeper->mutex);
    }
}

bool sleeper_claim(struct sleeper *sleeper)
{
    if (!sleeper->may_give_up) {
        atomic_store_explicit(&sleeper->waiter.state, WAITER_QUEUED, memory_order_relaxed);
        return true; // nobody else changes it, and thread_wake orders it
    }
    uint64_t sleeping = WAITER_SLEEPING;
    if (!atomic_compare_exchange_strong(&sleeper->waiter.state, &sleeping, WAITER_QUEUED)) {
        MARK("sleeper: waker meets one that has gone");
        return false;
    }
    return true;
}

void sleeper_release(struct sleeper *sleeper)
{
    struct thread *thread = sleeper->waiter.thread;
    if (!mutex_requeue(sleeper->mutex, &sleeper->waiter)) {
        MARK("sleeper: woken because the mutex is free");
        // Pairs with sleeper_wait.
        atomic_store_explicit(&sleeper->waiter.state, WAITER_FREE, memory_order_release);
        thread_wake(thread);
    }
}
