// SPDX-License-Identifier: BSD-3-Clause
// condvar.c: sleepers, and wakers that need not hold the caller's mutex.
//
// A sleeper queues itself while it holds the caller's mutex, so a waker that has changed the
// condition under that mutex finds it. Mostly there is one: then `sleepers` is that one, marked as
// alone, and a compare-and-exchange puts it there and takes it away. The second one makes a ring of
// them, by rank (ranked.h), that has a mutex of its own, guard.
//
// Invariant: from 0 and from one that is alone anybody may change `sleepers`, by
// compare-and-exchange; from a ring only who has guard, and to a ring, too. Who takes the one that
// is alone owns it: that one cannot give up. Who is in the ring is SLEEPING, or GONE and about to
// take guard and leave.
#include "core/sync/condvar.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "core/sync/waiter.h"

enum { ALONE = 1 };

static struct sleeper *sleeper_of(struct list *node)
{
    return container_of(node, struct sleeper, node.list);
}

static uintptr_t sleepers_load(struct condvar *condvar)
{
    return atomic_load_explicit(&condvar->sleepers, memory_order_relaxed);
}

static struct sleeper *alone_of(uintptr_t sleepers)
{
    return (struct sleeper *)(sleepers & ~(uintptr_t)ALONE);
}

// The ring is changed, and wakers come by guard: no more is to be ordered.
static void ring_store(struct condvar *condvar, struct list *first)
{
    atomic_store_explicit(&condvar->sleepers, (uintptr_t)first, memory_order_relaxed);
}

// True: nobody else sleeps, so that it does alone.
static inline bool sleep_alone(struct condvar *condvar, struct sleeper *sleeper)
{
    uintptr_t none = 0;
    // Release pairs with whoever takes it: its fields.
    return sleepers_load(condvar) == 0 &&
           atomic_compare_exchange_strong(&condvar->sleepers, &none, (uintptr_t)sleeper | ALONE);
}

// ---- With guard held ----------------------------------------------------------------------------

static void ring_add(struct condvar *condvar, struct sleeper *sleeper)
{
    uintptr_t sleepers = sleepers_load(condvar);
    struct list *node = &sleeper->node.list;
    // What is no ring yet becomes one of the new one; then nobody else changes it.
    while (sleepers == 0 || (sleepers & ALONE) != 0) {
        if (atomic_compare_exchange_strong(&condvar->sleepers, &sleepers, (uintptr_t)node)) {
            break;
        }
        MARK("condvar: changed while it becomes a ring");
    }
    struct list *first = (struct list *)sleepers;
    if ((sleepers & ALONE) != 0) {
        MARK("condvar: one is alone no more");
        first = ranked_ring_add(NULL, &alone_of(sleepers)->node);
    }
    ring_store(condvar, ranked_ring_add(first, &sleeper->node));
}

static void ring_remove(struct condvar *condvar, struct list *node)
{
    struct list *next = node->next;
    if (next == node) {
        ring_store(condvar, NULL);
        return; // it was the only one
    }
    if (sleepers_load(condvar) == (uintptr_t)node) {
        ring_store(condvar, next);
    }
    list_remove(node);
}

// Takes out the first that has not given up, and claims it. NULL: there is none.
static struct sleeper *ring_claim(struct condvar *condvar)
{
    uintptr_t sleepers;
    while ((sleepers = sleepers_load(condvar)) != 0 && (sleepers & ALONE) == 0) {
        struct list *first = (struct list *)sleepers;
        ring_remove(condvar, first);
        if (sleeper_claim(sleeper_of(first))) {
            return sleeper_of(first);
        }
    }
    return NULL;
}

// ---- Without it ---------------------------------------------------------------------------------

static void enter(struct condvar *condvar, struct sleeper *sleeper)
{
    mutex_lock(&condvar->guard);
    thread_wait_note(thread_self(), THREAD_WAIT_CONDVAR, condvar); // until a waker moves it
    ring_add(condvar, sleeper);
    mutex_unlock(&condvar->guard);
}

// One that has given up may have been taken out by a waker, which passed it over.
static void leave(struct condvar *condvar, struct list *node)
{
    mutex_lock(&condvar->guard);
    if (sleepers_load(condvar) == (uintptr_t)node || !list_is_empty(node)) {
        ring_remove(condvar, node);
    }
    mutex_unlock(&condvar->guard);
}

// Answers what mutex_take_back takes.
static inline uint16_t mutex_give_up(struct mutex *mutex)
{
    uint16_t depth = mutex->depth;
    mutex->depth = 0;
    mutex_release(mutex); // which is the caller's
    return depth;
}

static inline void mutex_take_back(struct sleeper *sleeper, uint16_t depth)
{
    thread_wait_note(sleeper->waiter.thread, THREAD_WAIT_NONE, NULL);
    sleeper_relock(sleeper);
    sleeper->mutex->depth = depth;
}

__attribute__((noinline)) static bool wait_timed(struct condvar *condvar, struct mutex *mutex,
                                                 hal_ns deadline)
{
    struct sleeper sleeper;
    sleeper_init(&sleeper, mutex, true);
    enter(condvar, &sleeper);
    uint16_t depth = mutex_give_up(mutex);
    bool is_woken = sleeper_wait_until(&sleeper, deadline);
    if (!is_woken) {
        MARK("condvar: timed out");
        leave(condvar, &sleeper.node.list);
    }
    mutex_take_back(&sleeper, depth);
    return is_woken;
}

void condvar_wait(struct condvar *condvar, struct mutex *mutex)
{
    ASSERT(mutex_is_mine(mutex));
    struct sleeper sleeper;
    sleeper_init(&sleeper, mutex, false);
    thread_wait_note(sleeper.waiter.thread, THREAD_WAIT_CONDVAR, condvar);
    if (!sleep_alone(condvar, &sleeper)) {
        enter(condvar, &sleeper);
    }
    uint16_t depth = mutex_give_up(mutex);
    sleeper_wait(&sleeper);
    mutex_take_back(&sleeper, depth);
}

bool condvar_wait_until(struct condvar *condvar, struct mutex *mutex, hal_ns deadline)
{
    ASSERT(mutex_is_mine(mutex));
    if (deadline != UINT64_MAX) {
        return wait_timed(condvar, mutex, deadline);
    }
    condvar_wait(condvar, mutex);
    return true;
}

__attribute__((noinline)) static void wake_from_ring(struct condvar *condvar)
{
    mutex_lock(&condvar->guard);
    struct sleeper *sleeper = ring_claim(condvar);
    mutex_unlock(&condvar->guard);
    if (sleeper != NULL) {
        sleeper_release(sleeper);
    }
}

// True: it was taken, and is the caller's. False: `sleepers` is what is there by now, 0 or a ring.
static inline bool take_alone(struct condvar *condvar, uintptr_t *sleepers)
{
    while ((*sleepers & ALONE) != 0) {
        // Acquire pairs with sleep_alone.
        if (atomic_compare_exchange_strong(&condvar->sleepers, sleepers, 0)) {
            return true;
        }
        MARK("condvar: it is alone no more, or woken");
    }
    return false;
}

// Whoever changed the condition with the mutex held sees here who queued before: the mutex orders
// it.
void condvar_wake_one(struct condvar *condvar)
{
    uintptr_t sleepers = sleepers_load(condvar);
    if (sleepers == 0) {
        return;
    }
    if (take_alone(condvar, &sleepers)) {
        sleeper_release(alone_of(sleepers));
    } else if (sleepers != 0) {
        wake_from_ring(condvar);
    }
}

void condvar_wake_all(struct condvar *condvar)
{
    uintptr_t sleepers = sleepers_load(condvar);
    if (sleepers == 0) {
        return;
    }
    if (take_alone(condvar, &sleepers)) {
        sleeper_release(alone_of(sleepers));
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
