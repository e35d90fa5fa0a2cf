// SPDX-License-Identifier: BSD-3-Clause
// rwlock.c: one word while nobody waits, a queue behind a mutex when somebody does.
//
// state is the number of readers, or WRITER; WAITED says that the queue is not empty. While WAITED
// is set nobody takes the lock but the queue's first, or first readers, whom dispatch lets in: so
// the order is that of rank (ranked.h), then of arrival, and neither side starves. Readers who join
// others pass the queue, but never make the first of them: a free lock that is WAITED stays free
// until dispatch sees it. WAITED is set and cleared with guard held, and whoever makes the lock
// free while it is set calls dispatch.
#include "core/sync/rwlock.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "core/sync/ranked.h"

static const uint32_t WRITER = 1u << 31;
static const uint32_t WAITED = 1u << 30;

struct rwlock_waiter {
    struct ranked_node node;
    struct thread *thread;
    bool writes;
    _Atomic bool granted; // set with guard held; the waiter may be gone then
};

static void writer_set(struct rwlock *lock, uint32_t id)
{
    __atomic_store_n(&lock->guard.kind, id, __ATOMIC_RELAXED);
}

static struct rwlock_waiter *first_waiter(struct rwlock *lock)
{
    return lock->first == NULL ? NULL : container_of(lock->first, struct rwlock_waiter, node.list);
}

static void ring_remove(struct rwlock *lock, struct list *node)
{
    struct list *next = node->next;
    if (lock->first == node) {
        lock->first = next == node ? NULL : next;
    }
    list_remove(node);
}

// Does the state let waiter in? Only unlockers and who joins readers change it meanwhile.
static bool enter(struct rwlock *lock, struct rwlock_waiter *waiter)
{
    uint32_t state = atomic_load(&lock->state);
    if ((state & WRITER) != 0 || (waiter->writes && state != WAITED)) {
        return false;
    }
    if (waiter->writes) {
        atomic_fetch_or(&lock->state, WRITER);
        writer_set(lock, waiter->thread->id);
    } else {
        atomic_fetch_add(&lock->state, 1);
    }
    return true;
}

static void grant(struct rwlock *lock, struct rwlock_waiter *waiter)
{
    struct thread *thread = waiter->thread;
    ring_remove(lock, &waiter->node.list);
    atomic_store(&waiter->granted, true);
    thread_wake(thread);
}

// Lets in those who are first: a kick for each CPU. Answers whether there may be more.
static bool admit_some(struct rwlock *lock)
{
    int count = 0;
    uintptr_t irq = thread_batch_begin();
    struct rwlock_waiter *waiter;
    while (count < THREAD_BATCH_MAX && (waiter = first_waiter(lock)) != NULL &&
           enter(lock, waiter)) {
        grant(lock, waiter);
        ++count;
    }
    thread_batch_end(irq);
    return count == THREAD_BATCH_MAX;
}

// Lets in who is first, as far as the state allows. With guard held.
static void dispatch(struct rwlock *lock)
{
    while (lock->first != NULL && admit_some(lock)) {
    }
    if (lock->first == NULL) {
        atomic_fetch_and(&lock->state, ~WAITED);
    }
}

// False: timed out.
static bool leave(struct rwlock *lock, struct rwlock_waiter *waiter)
{
    mutex_lock(&lock->guard);
    bool granted = atomic_load(&waiter->granted);
    if (!granted) {
        MARK("rwlock: timed out");
        ring_remove(lock, &waiter->node.list);
        dispatch(lock); // readers behind a writer that leaves
    }
    mutex_unlock(&lock->guard);
    return granted;
}

static bool lock_slowly(struct rwlock *lock, bool writes, hal_ns deadline)
{
    struct rwlock_waiter waiter = {.thread = thread_self(), .writes = writes};
    uint8_t rank = rank_of_self();
    waiter.node.rank = rank == 0 ? 0 : (uint8_t)(2 * rank + writes); // of equals, those who write
    mutex_lock(&lock->guard);
    atomic_fetch_or(&lock->state, WAITED);
    lock->first = ranked_ring_add(lock->first, &waiter.node);
    dispatch(lock); // perhaps it is free by now
    mutex_unlock(&lock->guard);
    thread_wait_note(waiter.thread, THREAD_WAIT_RWLOCK, lock);
    bool granted = false;
    bool in_time = true;
    while (!(granted = atomic_load(&waiter.granted)) && in_time) {
        thread_serve();
        in_time = thread_park_until(deadline);
    }
    thread_wait_note(waiter.thread, THREAD_WAIT_NONE, NULL);
    return granted || leave(lock, &waiter);
}

static void dispatch_guarded(struct rwlock *lock)
{
    mutex_lock(&lock->guard);
    dispatch(lock);
    mutex_unlock(&lock->guard);
}

bool rwlock_read_try_lock(struct rwlock *lock)
{
    uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    while ((state & (WRITER | WAITED)) == 0) {
        if (atomic_compare_exchange_weak(&lock->state, &state, state + 1)) {
            return true;
        }
    }
    return false;
}

bool rwlock_read_join(struct rwlock *lock)
{
    uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    while ((state & WRITER) == 0 && (state & ~WAITED) > 0) {
        if (atomic_compare_exchange_weak(&lock->state, &state, state + 1)) {
            MARK("rwlock: a reader joins others");
            return true;
        }
    }
    return false;
}

bool rwlock_read_lock_until(struct rwlock *lock, hal_ns deadline)
{
    return rwlock_read_try_lock(lock) || lock_slowly(lock, false, deadline);
}

void rwlock_read_lock(struct rwlock *lock)
{
    (void)!rwlock_read_lock_until(lock, UINT64_MAX);
}

void rwlock_read_unlock(struct rwlock *lock)
{
    uint32_t before = atomic_fetch_sub(&lock->state, 1);
    ASSERT((before & ~WAITED) > 0 && (before & WRITER) == 0);
    if (before == (WAITED | 1)) {
        MARK("rwlock: the last reader lets others in");
        dispatch_guarded(lock);
    }
}

bool rwlock_write_try_lock(struct rwlock *lock)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&lock->state, &none, WRITER)) {
        return false;
    }
    writer_set(lock, thread_self()->id);
    return true;
}

bool rwlock_write_lock_until(struct rwlock *lock, hal_ns deadline)
{
    return rwlock_write_try_lock(lock) || lock_slowly(lock, true, deadline);
}

void rwlock_write_lock(struct rwlock *lock)
{
    (void)!rwlock_write_lock_until(lock, UINT64_MAX);
}

void rwlock_write_unlock(struct rwlock *lock)
{
    ASSERT(rwlock_is_write_locked_by_me(lock));
    writer_set(lock, 0);
    uint32_t before = atomic_fetch_and(&lock->state, ~WRITER);
    if ((before & WAITED) != 0) {
        MARK("rwlock: a writer lets others in");
        dispatch_guarded(lock);
    }
}

bool rwlock_is_write_locked_by_me(const struct rwlock *lock)
{
    return __atomic_load_n(&lock->guard.kind, __ATOMIC_RELAXED) == thread_self()->id;
}
