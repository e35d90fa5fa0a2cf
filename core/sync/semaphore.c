// SPDX-License-Identifier: BSD-3-Clause
// semaphore.c: a counter with a queue, without a lock, so that interrupts and signal handlers may
// post.
//
// count is the value less the number of waiters. A post that raises it from below 0 owes some
// waiter a grant. Posts and queued waiters are matched by the server: whoever raises calls from 0
// serves, and goes on until nobody has called meanwhile; the others leave it to him. So the queue
// has one popper at a time, and nobody waits for anybody.
//
// The semaphore's memory may go as soon as a waiter is granted (a parent waits for its child on its
// own stack). So a post that owes nothing touches nothing after the count, one that calls says in
// the same step that it owes, and the server grants after it has ceased to be one.
//
// A timed waiter that gives up is GONE and calls the server, which takes it out and gives back its
// claim.
#include "core/sync/semaphore.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/slab.h"
#include "core/sched/thread.h"

// In calls: one call, and one call of a post that owes a grant.
static const uint64_t CALL = 1;
static const uint64_t CALL_OWES = 1ul << 32 | 1;

enum semaphore_state { SEMAPHORE_WAITING, SEMAPHORE_CLAIMED, SEMAPHORE_GRANTED, SEMAPHORE_GONE };

struct semaphore_waiter {
    struct ranked ranked;
    struct thread *thread;
    _Atomic uint32_t state;
};

static struct slab timed_slab = {.object_size = (sizeof(struct semaphore_waiter) + 15) / 16 * 16};

static struct semaphore_waiter *waiter_of(struct ranked *ranked)
{
    return container_of(ranked, struct semaphore_waiter, ranked);
}

// The next two: the server only.

// Gives back the claim of one that has gone. If a post has counted it as a waiter, that post owes
// nothing any more (owed may be below 0 until the post gets so far).
static void claim_drop(struct semaphore *semaphore, struct semaphore_waiter *waiter)
{
    if (atomic_fetch_add(&semaphore->count, 1) >= 0) {
        MARK("semaphore: a post meets one that has gone");
        --semaphore->owed;
    }
    slab_free(&timed_slab, waiter);
}

// Takes out of the queue who has gone, and who is to be granted: those it appends at *granted, and
// answers their end.
static struct ranked **match(struct semaphore *semaphore, struct ranked **granted)
{
    struct ranked **link = &semaphore->waiters.first;
    while (*link != NULL) {
        struct ranked *ranked = *link;
        struct semaphore_waiter *waiter = waiter_of(ranked);
        uint32_t waiting = SEMAPHORE_WAITING;
        if (atomic_load(&waiter->state) == SEMAPHORE_GONE) {
            *link = ranked->next;
            claim_drop(semaphore, waiter);
        } else if (semaphore->owed <= 0) {
            link = &ranked->next;
        } else if (atomic_compare_exchange_strong(&waiter->state, &waiting, SEMAPHORE_CLAIMED)) {
            *link = ranked->next;
            --semaphore->owed;
            ranked->next = NULL;
            *granted = ranked;
            granted = &ranked->next;
        } // else it has gone just now: look again
    }
    return granted;
}

static void serve(struct semaphore *semaphore, uint64_t call)
{
    uintptr_t irq = hal_irq_save(); // others rely on the server
    struct ranked *granted = NULL;
    struct ranked **end = &granted;
    if (atomic_fetch_add(&semaphore->calls, call) == 0) {
        uint64_t calls;
        do {
            calls = atomic_load(&semaphore->calls);
            semaphore->owed += (int32_t)(calls >> 32);
            ranked_gather(&semaphore->waiters);
            end = match(semaphore, end);
        } while (atomic_fetch_sub(&semaphore->calls, calls) != calls);
    } else {
        MARK("semaphore: left to the server");
    }
    while (granted != NULL) {
        struct semaphore_waiter *waiter = waiter_of(granted);
        struct thread *thread = waiter->thread;
        struct ranked *next = granted->next;
        atomic_store(&waiter->state, SEMAPHORE_GRANTED); // it may be gone now
        thread_wake(thread);
        granted = next;
    }
    hal_irq_restore(irq);
}

static void waiter_push(struct semaphore *semaphore, struct semaphore_waiter *waiter)
{
    ranked_push(&semaphore->waiters, &waiter->ranked);
    serve(semaphore, CALL); // a post may have come before
}

void semaphore_init(struct semaphore *semaphore, uint32_t value)
{
    ASSERT(value <= INT32_MAX);
    *semaphore = (struct semaphore){.count = (int32_t)value};
}

bool semaphore_try_wait(struct semaphore *semaphore)
{
    int32_t count = atomic_load(&semaphore->count);
    while (count > 0) {
        if (atomic_compare_exchange_weak(&semaphore->count, &count, count - 1)) {
            return true;
        }
    }
    return false;
}

void semaphore_wait(struct semaphore *semaphore)
{
    if (atomic_fetch_sub(&semaphore->count, 1) > 0) {
        return;
    }
    struct semaphore_waiter waiter = {.ranked.rank = rank_of_self(), .thread = thread_self()};
    waiter_push(semaphore, &waiter);
    thread_wait_note(waiter.thread, THREAD_WAIT_SEMAPHORE, semaphore);
    while (atomic_load(&waiter.state) != SEMAPHORE_GRANTED) {
        thread_park();
    }
    thread_wait_note(waiter.thread, THREAD_WAIT_NONE, NULL);
}

static bool timed_await(struct semaphore *semaphore, struct semaphore_waiter *waiter,
                        hal_ns deadline)
{
    thread_wait_note(thread_self(), THREAD_WAIT_SEMAPHORE, semaphore);
    bool is_claimed = false;
    while (atomic_load(&waiter->state) != SEMAPHORE_GRANTED) {
        uint32_t waiting = SEMAPHORE_WAITING;
        thread_serve();
        bool gives_up = !is_claimed && thread_serve_gives_up();
        if (!gives_up && thread_park_until(deadline)) {
            continue;
        }
        if (atomic_compare_exchange_strong(&waiter->state, &waiting, SEMAPHORE_GONE)) {
            MARK("semaphore: timed out");
            thread_wait_note(thread_self(), THREAD_WAIT_NONE, NULL);
            serve(semaphore, CALL);
            return false;
        }
        MARK("semaphore: granted while timing out");
        deadline = UINT64_MAX;
        is_claimed = true;
    }
    thread_wait_note(thread_self(), THREAD_WAIT_NONE, NULL);
    slab_free(&timed_slab, waiter);
    return true;
}

bool semaphore_wait_until(struct semaphore *semaphore, hal_ns deadline)
{
    if (deadline == UINT64_MAX && !thread_self()->is_serving) {
        semaphore_wait(semaphore);
        return true;
    }
    if (semaphore_try_wait(semaphore)) {
        return true;
    }
    struct semaphore_waiter *waiter = slab_alloc(&timed_slab);
    if (waiter == NULL) {
        return false;
    }
    *waiter = (struct semaphore_waiter){.ranked.rank = rank_of_self(), .thread = thread_self()};
    if (atomic_fetch_sub(&semaphore->count, 1) > 0) {
        slab_free(&timed_slab, waiter);
        return true;
    }
    waiter_push(semaphore, waiter);
    return timed_await(semaphore, waiter, deadline);
}

int semaphore_post(struct semaphore *semaphore)
{
    int32_t count = atomic_load_explicit(&semaphore->count, memory_order_relaxed);
    do {
        if (count == INT32_MAX) {
            return -EOVERFLOW;
        }
    } while (!atomic_compare_exchange_weak(&semaphore->count, &count, count + 1));
    if (count < 0) {
        serve(semaphore, CALL_OWES);
    }
    return 0;
}

uint32_t semaphore_value(const struct semaphore *semaphore)
{
    int32_t count = atomic_load_explicit(&semaphore->count, memory_order_relaxed);
    return count > 0 ? (uint32_t)count : 0;
}
