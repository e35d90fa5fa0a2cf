// SPDX-License-Identifier: BSD-3-Clause
// waitqueue.h: threads that wait for a condition guarded by the caller's own mutex.
#ifndef CORE_SYNC_WAITQUEUE_H
#define CORE_SYNC_WAITQUEUE_H

#include <stdbool.h>

#include "core/lib/list.h"
#include "core/sync/mutex.h"

struct thread;

// Guarded by its owner's mutex. All-zero is empty (list_init happens on first use).
struct waitqueue {
    struct list waiters;
};

// Unlocks mutex (which is not held recursively), waits for a wake, locks it again. FIFO.
void waitqueue_wait(struct waitqueue *queue, struct mutex *mutex);

enum wait_result { WAIT_WOKEN, WAIT_TIMED_OUT, WAIT_INTERRUPTED, WAIT_SERVED };

// The same with an end, and ended early when wait_is_interrupted() says so, before or after a thread_wake (a signal).
// The mutex is held again whatever the result.
enum wait_result waitqueue_wait_until(struct waitqueue *queue, struct mutex *mutex, hal_ns deadline,
                                      bool interruptible);

bool waitqueue_wake_one(struct waitqueue *queue); // with the mutex held; false: nobody waits
void waitqueue_wake_all(struct waitqueue *queue); // with the mutex held

// Waits, interruptibly and without an end, for somebody to do what is offered, or for a wake. WAIT_SERVED: it has been
// done, and the mutex is not held; else it is. offer may be NULL.
enum wait_result waitqueue_offer(struct waitqueue *queue, struct mutex *mutex, void *offer);

// With the mutex held: what the first that waits offers. NULL: nobody waits, or that one only to be woken.
void *waitqueue_offered(const struct waitqueue *queue);
// With the mutex held: says to that one that it has been served. Its offer is gone from here.
void waitqueue_serve(struct waitqueue *queue);

// core/linux registers the test "has the calling thread a signal to handle?"; NULL until then: never.
void wait_interrupt_test_set(bool (*test)(void));
bool wait_is_interrupted(void);

#endif
