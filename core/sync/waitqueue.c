// SPDX-License-Identifier: BSD-3-Clause
// waitqueue.c: sleepers in a list that the caller's mutex guards.
//
// The waker holds the mutex, so a sleeper is always moved onto it and wakes with it. Invariant: who
// is in the list is SLEEPING, or GONE and about to take the mutex and leave.
#include "core/sync/waitqueue.h"

#include "core/sched/thread.h"
#include "core/sync/waiter.h"

// All-zero is empty, too.
static struct list *waiters(struct waitqueue *queue)
{
    if (queue->waiters.next == NULL) {
        list_init(&queue->waiters);
    }
    return &queue->waiters;
}

enum wait_result waitqueue_wait_until(struct waitqueue *queue, struct mutex *mutex, hal_ns deadline,
                                      bool interruptible)
{
    ASSERT(mutex_is_mine(mutex) && mutex->depth == 0);
    if (interruptible && wait_is_interrupted()) {
        return WAIT_INTERRUPTED;
    }
    struct sleeper sleeper;
    sleeper_init(&sleeper, mutex, interruptible || deadline != UINT64_MAX);
    thread_wait_note(sleeper.waiter.thread, THREAD_WAIT_QUEUE, queue); // until a waker moves it
    list_push_back(waiters(queue), &sleeper.node);
    mutex_unlock(mutex);
    enum wait_result result = sleeper_wait(&sleeper, deadline, interruptible);
    thread_wait_note(sleeper.waiter.thread, THREAD_WAIT_NONE, NULL);
    sleeper_relock(&sleeper);
    if (result != WAIT_WOKEN) {
        list_remove(&sleeper.node); // a waker that passed it over has done so already: harmless
    }
    return result;
}

void waitqueue_wait(struct waitqueue *queue, struct mutex *mutex)
{
    (void)waitqueue_wait_until(queue, mutex, UINT64_MAX, false);
}

static bool wake_first(struct waitqueue *queue)
{
    struct list *node;
    while ((node = list_pop_front(waiters(queue))) != NULL) {
        struct sleeper *sleeper = container_of(node, struct sleeper, node);
        if (sleeper_claim(sleeper)) {
            ASSERT(mutex_is_mine(sleeper->mutex));
            sleeper_release(sleeper);
            return true;
        }
    }
    return false;
}

bool waitqueue_wake_one(struct waitqueue *queue)
{
    return wake_first(queue);
}

void waitqueue_wake_all(struct waitqueue *queue)
{
    while (wake_first(queue)) {
    }
}
