// SPDX-License-Identifier: BSD-3-Clause
// waitqueue.c: sleepers in a list that the caller's mutex guards.
//
// The mutex decides all: the waker takes a sleeper out and says so while it holds the mutex, and a
// sleeper that gives up, or wakes, looks at that with the mutex. So nothing here is a
// read-modify-write but the wake-up itself. The waker will unlock in a moment and the woken one
// locks the mutex itself: mostly it is free by then, and moving the sleeper onto it, as condvar.c
// does, costs both more than they save. Invariant: who is in the list has not been woken.
#include "core/sync/waitqueue.h"

#include "core/lib/mark.h"
#include "core/sched/thread.h"

// On the stack of the thread that waits, which does not go before it has had the mutex.
struct queue_waiter {
    struct list node;
    struct thread *thread;
    _Atomic bool is_woken; // set with the mutex held
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

static bool is_woken(const struct queue_waiter *waiter)
{
    // Who sees it locks the mutex before it looks at anything else.
    return atomic_load_explicit(&waiter->is_woken, memory_order_relaxed);
}

// Until it is woken, or is to give up, without the mutex.
static enum wait_result sleep(struct queue_waiter *waiter, hal_ns deadline, bool interruptible)
{
    while (!is_woken(waiter)) {
        thread_serve();
        if (!thread_park_until(deadline)) {
            return WAIT_TIMED_OUT;
        }
        if (interruptible && !is_woken(waiter) && wait_is_interrupted()) {
            return WAIT_INTERRUPTED;
        }
    }
    return WAIT_WOKEN;
}

enum wait_result waitqueue_wait_until(struct waitqueue *queue, struct mutex *mutex, hal_ns deadline,
                                      bool interruptible)
{
    ASSERT(mutex_is_mine(mutex) && mutex->depth == 0);
    if (interruptible && wait_is_interrupted()) {
        return WAIT_INTERRUPTED;
    }
    struct queue_waiter waiter = {.thread = thread_self()};
    list_push_back(waiters(queue), &waiter.node);
    thread_wait_note(waiter.thread, THREAD_WAIT_QUEUE, queue);
    mutex_unlock(mutex);
    enum wait_result result = sleep(&waiter, deadline, interruptible);
    thread_wait_note(waiter.thread, THREAD_WAIT_NONE, NULL);
    mutex_lock(mutex);
    if (result != WAIT_WOKEN && is_woken(&waiter)) {
        MARK("waitqueue: woken while giving up");
        return WAIT_WOKEN;
    }
    if (result != WAIT_WOKEN) {
        list_remove(&waiter.node);
    }
    return result;
}

void waitqueue_wait(struct waitqueue *queue, struct mutex *mutex)
{
    (void)waitqueue_wait_until(queue, mutex, UINT64_MAX, false);
}

// The caller's mutex keeps the sleeper where it is.
bool waitqueue_wake_one(struct waitqueue *queue)
{
    struct list *node = list_pop_front(waiters(queue));
    if (node == NULL) {
        return false;
    }
    struct queue_waiter *waiter = container_of(node, struct queue_waiter, node);
    atomic_store_explicit(&waiter->is_woken, true, memory_order_relaxed); // thread_wake orders it
    thread_wake(waiter->thread);
    return true;
}

void waitqueue_wake_all(struct waitqueue *queue)
{
    while (waitqueue_wake_one(queue)) {
    }
}
