// SPDX-License-Identifier: BSD-3-Clause
// waitqueue.c: sleepers in a list that the caller's mutex guards.
//
// The mutex decides all: the waker takes a sleeper out and says so while it holds the mutex, and a
// sleeper that gives up, or wakes, looks at that with the mutex. So nothing here is a
// read-modify-write but the wake-up itself. The waker will unlock in a moment and the woken one
// locks the mutex itself: mostly it is free by then, and moving the sleeper onto it, as condvar.c
// does, costs both more than they save. Invariant: who is in the list is ASLEEP.
//
// One that has been served needs the mutex no more, and goes as soon as it sees that.
#include "core/sync/waitqueue.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"

enum sleep { ASLEEP, WOKEN, SERVED };

// On the stack of the thread that waits, which does not go before it is SERVED or has had the
// mutex.
struct queue_waiter {
    struct list node;
    struct thread *thread;
    void *offer;
    _Atomic uint32_t sleep; // enum sleep; changed with the mutex held
};

// All-zero is empty, too.
static struct list *waiters(struct waitqueue *queue)
{
    if (queue->waiters.next == NULL) {
        list_init(&queue->waiters);
    }
    return &queue->waiters;
}

static bool (*interrupt_test)(void);

void wait_interrupt_test_set(bool (*test)(void))
{
    interrupt_test = test;
}

bool wait_is_interrupted(void)
{
    return interrupt_test != NULL && interrupt_test();
}

static enum sleep sleep_of(const struct queue_waiter *waiter)
{
    // Acquire pairs with waitqueue_serve. Who is woken locks the mutex before it looks at more.
    return (enum sleep)atomic_load_explicit(&waiter->sleep, memory_order_acquire);
}

// Until it is not ASLEEP or is to give up, without the mutex.
static enum wait_result sleep(struct queue_waiter *waiter, hal_ns deadline, bool interruptible)
{
    enum sleep state;
    while ((state = sleep_of(waiter)) == ASLEEP) {
        thread_serve();
        if (!thread_park_until(deadline)) {
            return WAIT_TIMED_OUT;
        }
        if (interruptible && sleep_of(waiter) == ASLEEP && wait_is_interrupted()) {
            return WAIT_INTERRUPTED;
        }
    }
    return state == SERVED ? WAIT_SERVED : WAIT_WOKEN;
}

// With the mutex again, a sleeper that gives up: perhaps it does not, by now.
static enum wait_result give_up(struct queue_waiter *waiter, enum wait_result result)
{
    switch (sleep_of(waiter)) {
    case WOKEN:
        MARK("waitqueue: woken while giving up");
        return WAIT_WOKEN;
    case SERVED:
        MARK("waitqueue: served while giving up");
        return WAIT_SERVED;
    default:
        list_remove(&waiter->node);
        return result;
    }
}

static enum wait_result wait(struct waitqueue *queue, struct mutex *mutex, hal_ns deadline,
                             bool interruptible, void *offer)
{
    ASSERT(mutex_is_mine(mutex) && mutex->depth == 0);
    if (interruptible && wait_is_interrupted()) {
        return WAIT_INTERRUPTED;
    }
    struct queue_waiter waiter = {.thread = thread_self(), .offer = offer};
    list_push_back(waiters(queue), &waiter.node);
    thread_wait_note(waiter.thread, THREAD_WAIT_QUEUE, queue);
    mutex_unlock(mutex);
    enum wait_result result = sleep(&waiter, deadline, interruptible);
    thread_wait_note(waiter.thread, THREAD_WAIT_NONE, NULL);
    if (result == WAIT_SERVED) {
        return result;
    }
    mutex_lock_again(mutex);
    if (result != WAIT_WOKEN) {
        result = give_up(&waiter, result);
        if (result == WAIT_SERVED) {
            mutex_unlock(mutex);
        }
    }
    return result;
}

enum wait_result waitqueue_wait_until(struct waitqueue *queue, struct mutex *mutex, hal_ns deadline,
                                      bool interruptible)
{
    return wait(queue, mutex, deadline, interruptible, NULL);
}

enum wait_result waitqueue_offer(struct waitqueue *queue, struct mutex *mutex, void *offer)
{
    return wait(queue, mutex, UINT64_MAX, true, offer);
}

void waitqueue_wait(struct waitqueue *queue, struct mutex *mutex)
{
    (void)waitqueue_wait_until(queue, mutex, UINT64_MAX, false);
}

static struct queue_waiter *waiter_first(const struct waitqueue *queue)
{
    struct list *first = queue->waiters.next;
    return first == NULL || first == &queue->waiters
               ? NULL
               : container_of(first, struct queue_waiter, node);
}

// Release pairs with sleep_of: after that only the mutex keeps the waiter, and only one that is
// WOKEN.
static void waiter_release(struct queue_waiter *waiter, enum sleep state)
{
    struct thread *thread = waiter->thread;
    list_remove(&waiter->node);
    atomic_store_explicit(&waiter->sleep, state, memory_order_release);
    thread_wake(thread);
}

bool waitqueue_wake_one(struct waitqueue *queue)
{
    struct queue_waiter *waiter = waiter_first(queue);
    if (waiter == NULL) {
        return false;
    }
    waiter_release(waiter, WOKEN);
    return true;
}

void *waitqueue_offered(const struct waitqueue *queue)
{
    const struct queue_waiter *waiter = waiter_first(queue);
    return waiter == NULL ? NULL : waiter->offer;
}

void waitqueue_serve(struct waitqueue *queue)
{
    struct queue_waiter *waiter = waiter_first(queue);
    ASSERT(waiter != NULL && waiter->offer != NULL);
    waiter_release(waiter, SERVED);
}

// Of many at once: a kick for each CPU.
static void wake_some(struct waitqueue *queue)
{
    uintptr_t irq = thread_batch_begin();
    for (int i = 0; i < THREAD_BATCH_MAX && waitqueue_wake_one(queue); ++i) {
    }
    thread_batch_end(irq);
}

void waitqueue_wake_all(struct waitqueue *queue)
{
    while (queue->waiters.next != queue->waiters.previous) { // two or more
        wake_some(queue);
    }
    (void)waitqueue_wake_one(queue);
}
