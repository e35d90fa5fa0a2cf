// SPDX-License-Identifier: BSD-3-Clause
// mutex.c: responsibility hand-off (Gidenstam and Papatriantafilou, LFthreads, 2007).
//
// claims counts the holder and everybody who waits. Whoever moves it 0 -> 1 has the lock. Anyone
// else adds its claim, queues a waiter and sleeps until it is granted the lock.
//
// The hard case: unlock sees claims > 0 but an empty queue, because the other thread has claimed
// and not queued yet. Unlock may not wait for it. So it leaves a baton: "somebody must wake the
// next waiter". The late locker finds the baton after queueing and takes it, or unlock takes it
// back. Either way exactly one thread holds it.
//
// Invariant: at most one thread at a time may pop. It is the unlocker, from the moment it drops its
// claim while others remain, or the thread that took the baton; until one of them grants the lock,
// or finds that no claim is left.
//
// A timed locker that gives up leaves its waiter where it is, GONE, and its claim with it: only the
// popper may take a waiter out. When the popper meets it, it drops the claim in the other's stead.
// While the waiter is still queued the same thread may come back and go on waiting with it, so a
// thread that polls with a timeout does not fill memory.
//
// Before it claims, a locker spins for a moment while the owner is running elsewhere: a hand-over
// to a sleeper on another CPU takes some 10 us, most critical sections less than one.
#include "core/sync/mutex.h"

#include "core/lib/mark.h"
#include "core/mem/slab.h"
#include "core/sched/thread.h"
#include "core/sync/waiter.h"

enum {
    SPIN_NS = 25000,    // about what waking a CPU that has halted takes
    SPIN_TURNS = 3000,  // of hal_cpu_relax, which takes 10 to 50 ns: where the clock stands
    SPIN_GAP_MIN = 4,   // of them before the first look
    SPIN_GAP_MAX = 512, // and between two
};

// A baton value not used lately, so that a slow unlocker does not take back somebody else's.
static uint32_t baton_new(struct mutex *mutex)
{
    if (++mutex->baton_serial == 0) {
        ++mutex->baton_serial;
    }
    return mutex->baton_serial;
}

// True when this call took the baton.
static bool baton_take(struct mutex *mutex, uint32_t baton)
{
    return baton != 0 && atomic_compare_exchange_strong(&mutex->baton, &baton, 0);
}

static struct slab timed_slab = {.object_size = (sizeof(struct mutex_waiter) + 15) / 16 * 16};

// Gives the lock to waiter, which may be gone once it is GRANTED. False: it had given up.
static bool grant(struct mutex_waiter *waiter)
{
    struct thread *thread = waiter->thread;
    uint64_t state = atomic_load(&waiter->state);
    for (;;) {
        bool gone = (state & WAITER_STATE_MASK) == WAITER_GONE;
        uint64_t next = gone ? WAITER_FREE : WAITER_GRANTED;
        if (!atomic_compare_exchange_weak(&waiter->state, &state, next)) {
            continue;
        }
        if (gone) {
            MARK("mutex: popper meets a waiter that has gone");
            slab_free(&timed_slab, waiter);
            return false;
        }
        thread_wake(thread);
        return true;
    }
}

// The popper's duty: grants the lock to the first waiter that is still there, or lets somebody else
// do it.
static void hand_over(struct mutex *mutex)
{
    for (;;) {
        if (!ranked_is_empty(&mutex->waiters)) {
            struct ranked *first = ranked_pop(&mutex->waiters);
            if (grant(container_of(first, struct mutex_waiter, ranked))) {
                return;
            }
            if (atomic_fetch_sub(&mutex->claims, 1) == 1) {
                MARK("mutex: the last claim was of one that has gone");
                return;
            }
            continue;
        }
        // Someone has claimed but not queued. Leave the baton; once it is out, the queue is no
        // longer ours to look at except for emptiness.
        uint32_t baton = baton_new(mutex);
        atomic_store(&mutex->baton, baton);
        if (ranked_none_came(&mutex->waiters)) {
            MARK("mutex: baton left to a late locker");
            return;
        }
        if (!baton_take(mutex, baton)) {
            MARK("mutex: baton taken before the unlocker took it back");
            return;
        }
        MARK("mutex: baton taken back by the unlocker");
    }
}

static void waiter_queue(struct mutex *mutex, struct mutex_waiter *waiter)
{
    ranked_push(&mutex->waiters, &waiter->ranked);
    if (baton_take(mutex, atomic_load(&mutex->baton))) {
        MARK("mutex: baton taken by the locker");
        hand_over(mutex); // possibly to ourselves
    }
}

void mutex_take(struct mutex *mutex)
{
    atomic_store_explicit(&mutex->owner, thread_self(), memory_order_relaxed);
}

// thread_is_running, of a thread that may be gone, and its memory another's: then the guess is
// wrong, and no more.
MARK_GUESS static bool owner_is_running(struct thread *owner)
{
    return atomic_load_explicit(&owner->switched_ns, memory_order_relaxed) != 0;
}

// True: got it. With no owner the lock is on its way to somebody who is being woken: mostly to the
// one that waits for this very CPU, if one does, and that one will not run while we spin. Each look
// takes the mutex's line from the owner's cache, so the first is not at once, and the next are
// further and further apart: the owner of short sections gets many of them done in between.
static bool spin(struct mutex *mutex)
{
    uint32_t left = sched_cpu_count() == 1 ? 0 : SPIN_TURNS;
    hal_ns end = left == 0 ? 0 : hal_clock_ns() + SPIN_NS;
    for (uint32_t gap = SPIN_GAP_MIN; left > gap; gap = gap < SPIN_GAP_MAX ? 2 * gap : gap) {
        struct thread *owner = atomic_load_explicit(&mutex->owner, memory_order_relaxed);
        bool is_hopeless = owner != NULL ? !owner_is_running(owner) : thread_is_waited_for();
        if (is_hopeless || hal_clock_ns() >= end) {
            return false;
        }
        for (uint32_t i = 0; i < gap; ++i) {
            hal_cpu_relax();
        }
        if (mutex_try_lock_untold(mutex)) {
            return true;
        }
        left -= gap;
    }
    return false;
}

void mutex_lock_contended(struct mutex *mutex)
{
    ASSERT(!mutex_is_mine(mutex));
    if (spin(mutex)) {
        return;
    }
    if (atomic_fetch_add(&mutex->claims, 1) == 0) {
        mutex_take(mutex);
        return;
    }
    struct mutex_waiter waiter = {.ranked.rank = rank_of_self(), .thread = thread_self()};
    thread_wait_note(waiter.thread, THREAD_WAIT_MUTEX, mutex);
    waiter_queue(mutex, &waiter);
    while (atomic_load(&waiter.state) != WAITER_GRANTED) {
        thread_serve();
        thread_park();
    }
    thread_wait_note(waiter.thread, THREAD_WAIT_NONE, NULL);
    mutex_take(mutex);
}

void mutex_unlock_contended(struct mutex *mutex)
{
    hand_over(mutex);
}

bool mutex_requeue(struct mutex *mutex, struct mutex_waiter *waiter)
{
    uint32_t claims = atomic_load(&mutex->claims);
    do {
        if (claims == 0) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&mutex->claims, &claims, claims + 1));
    MARK("mutex: a sleeper queued by its waker");
    thread_wait_note(waiter->thread, THREAD_WAIT_MUTEX, mutex);
    waiter_queue(mutex, waiter);
    return true;
}

static uint64_t timed_state(enum waiter_state state)
{
    return (uint64_t)thread_self()->id << WAITER_STATE_BITS | state;
}

// The waiter with which the caller gave up on this mutex before, if it is still queued; it goes on
// waiting with it.
static struct mutex_waiter *waiter_resume(struct mutex *mutex)
{
    // Perhaps it is another's by now: the state tells.
    struct mutex_waiter *waiter = thread_self()->timed_waiter;
    uint64_t gone = timed_state(WAITER_GONE);
    if (waiter == NULL || atomic_load(&waiter->mutex) != mutex ||
        !atomic_compare_exchange_strong(&waiter->state, &gone, timed_state(WAITER_QUEUED))) {
        return NULL;
    }
    MARK("mutex: one that has gone comes back");
    return waiter;
}

static bool timed_await(struct mutex *mutex, struct mutex_waiter *waiter, hal_ns deadline)
{
    struct thread *self = thread_self();
    thread_wait_note(self, THREAD_WAIT_MUTEX, mutex);
    while (atomic_load(&waiter->state) != WAITER_GRANTED) {
        uint64_t queued = timed_state(WAITER_QUEUED);
        thread_serve();
        if (thread_park_until(deadline)) {
            continue;
        }
        self->timed_waiter = waiter;
        if (atomic_compare_exchange_strong(&waiter->state, &queued, timed_state(WAITER_GONE))) {
            MARK("mutex: timed out");
            thread_wait_note(self, THREAD_WAIT_NONE, NULL);
            return false; // the waiter is the popper's now
        }
        MARK("mutex: granted while timing out");
    }
    thread_wait_note(self, THREAD_WAIT_NONE, NULL);
    slab_free(&timed_slab, waiter);
    mutex_take(mutex);
    return true;
}

bool mutex_lock_until(struct mutex *mutex, hal_ns deadline)
{
    if (mutex_try_lock(mutex)) {
        return true;
    }
    if (deadline == UINT64_MAX) {
        mutex_lock_contended(mutex);
        return true;
    }
    ASSERT(!mutex_is_mine(mutex));
    struct mutex_waiter *waiter = waiter_resume(mutex);
    if (waiter != NULL) {
        return timed_await(mutex, waiter, deadline);
    }
    waiter = slab_alloc(&timed_slab);
    if (waiter == NULL) {
        return false;
    }
    waiter->ranked.rank = rank_of_self();
    waiter->thread = thread_self();
    atomic_store(&waiter->mutex, mutex);
    atomic_store(&waiter->state, timed_state(WAITER_QUEUED));
    if (spin(mutex) || atomic_fetch_add(&mutex->claims, 1) == 0) {
        mutex_take(mutex);
        slab_free(&timed_slab, waiter);
        return true;
    }
    waiter_queue(mutex, waiter);
    return timed_await(mutex, waiter, deadline);
}

static bool lock_deeper(struct mutex *mutex)
{
    if (!mutex_is_mine(mutex)) {
        return false;
    }
    ASSERT(mutex->depth < UINT16_MAX);
    ++mutex->depth;
    return true;
}

bool mutex_try_lock_recursive(struct mutex *mutex)
{
    return lock_deeper(mutex) || mutex_try_lock(mutex);
}

void mutex_lock_recursive(struct mutex *mutex)
{
    if (!lock_deeper(mutex)) {
        mutex_lock(mutex);
    }
}

void mutex_unlock_recursive(struct mutex *mutex)
{
    if (mutex->depth > 0) {
        ASSERT(mutex_is_mine(mutex));
        --mutex->depth;
    } else {
        mutex_unlock(mutex);
    }
}
