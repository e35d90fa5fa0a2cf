// SPDX-License-Identifier: BSD-3-Clause
// condvar.c: a queue of sleepers with a mutex of its own, so that wakers need not hold the
// caller's.
//
// A sleeper queues itself while it holds the caller's mutex, so a waker that has changed the
// condition under that mutex finds it. Invariant: who is in the ring is SLEEPING, or GONE and about
// to take guard and leave.
#include "core/sync/condvar.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "core/sync/waiter.h"

static struct sleeper *sleeper_of(struct list *node)
{
    return container_of(node, struct sleeper, node.list);
}

// The next two: with guard held.

static void ring_remove(struct condvar *condvar, struct list *node)
{
    struct list *next = node->next;
    if (next == node) {
        atomic_store_explicit(&condvar->first, NULL, memory_order_relaxed);
        return; // it was alone
    }
    if (atomic_load_explicit(&condvar->first, memory_order_relaxed) == node) {
        atomic_store_explicit(&condvar->first, next, memory_order_relaxed);
    }
    list_remove(node);
}

// Takes out the first that has not given up, and claims it. NULL: there is none.
static struct sleeper *ring_claim(struct condvar *condvar)
{
    struct list *first;
    while ((first = atomic_load_explicit(&condvar->first, memory_order_relaxed)) != NULL) {
        ring_remove(condvar, first);
        if (sleeper_claim(sleeper_of(first))) {
            return sleeper_of(first);
        }
    }
    return NULL;
}

// One that has given up may have been taken out by a waker, which passed it over.
static void leave(struct condvar *condvar, struct list *node)
{
    mutex_lock(&condvar->guard);
    struct list *first = atomic_load_explicit(&condvar->first, memory_order_relaxed);
    if (first == node || !list_is_empty(node)) {
        ring_remove(condvar, node);
    }
    mutex_unlock(&condvar->guard);
}

bool condvar_wait_until(struct condvar *condvar, struct mutex *mutex, hal_ns deadline)
{
    ASSERT(mutex_is_mine(mutex));
    struct sleeper sleeper;
    sleeper_init(&sleeper, mutex, deadline != UINT64_MAX);
    mutex_lock(&condvar->guard);
    thread_wait_note(sleeper.waiter.thread, THREAD_WAIT_CONDVAR, condvar); // until a waker moves it
    struct list *first = atomic_load_explicit(&condvar->first, memory_order_relaxed);
    first = ranked_ring_add(first, &sleeper.node);
    atomic_store_explicit(&condvar->first, first, memory_order_relaxed);
    mutex_unlock(&condvar->guard);
    uint16_t depth = mutex->depth;
    mutex->depth = 0;
    mutex_unlock(mutex);
    bool woken = sleeper_wait(&sleeper, deadline);
    thread_wait_note(sleeper.waiter.thread, THREAD_WAIT_NONE, NULL);
    if (!woken) {
        MARK("condvar: timed out");
        leave(condvar, &sleeper.node.list);
    }
    sleeper_relock(&sleeper);
    mutex->depth = depth;
    return woken;
}

void condvar_wait(struct condvar *condvar, struct mutex *mutex)
{
    (void)condvar_wait_until(condvar, mutex, UINT64_MAX);
}

// Whoever changed the condition with the mutex held sees here who queued before: the mutex orders
// it.
static bool nobody_sleeps(struct condvar *condvar)
{
    return atomic_load_explicit(&condvar->first, memory_order_relaxed) == NULL;
}

void condvar_wake_one(struct condvar *condvar)
{
    if (nobody_sleeps(condvar)) {
        return;
    }
    mutex_lock(&condvar->guard);
    struct sleeper *sleeper = ring_claim(condvar);
    mutex_unlock(&condvar->guard);
    if (sleeper != NULL) {
        sleeper_release(sleeper);
    }
}

void condvar_wake_all(struct condvar *condvar)
{
    if (nobody_sleeps(condvar)) {
        return;
    }
    struct list claimed;
    list_init(&claimed);
    mutex_lock(&condvar->guard);
    struct sleeper *sleeper;
    while ((sleeper = ring_claim(condvar)) != NULL) {
        list_push_back(&claimed, &sleeper->node.list);
    }
    mutex_unlock(&condvar->guard);
    struct list *node;
    while ((node = list_pop_front(&claimed)) != NULL) {
        sleeper_release(sleeper_of(node));
    }
}
