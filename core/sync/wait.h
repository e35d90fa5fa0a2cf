// SPDX-License-Identifier: BSD-3-Clause
// wait.h: one thread waits for any of several objects, or a deadline, or a signal.
//
// An object that can be waited for keeps a list, under a lock of its own, of who is to be woken
// when it may have become ready. The thread looks at each and enters its wait in the list in the
// same breath; if none was ready, wait_any sleeps until one is.
#ifndef CORE_SYNC_WAIT_H
#define CORE_SYNC_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/sched/thread.h"

// Of the thread that waits, on its stack: it outlives what the sources have in lists.
struct wait {
    struct thread *thread;
    _Atomic bool is_woken; // since the thread last slept
    enum thread_wait kind; // this and the next: as people are told
    const void *object;
};

struct wait_source {          // embedded in what its maker knows of one object
    struct wait_source *next; // NULL: the last
    // Answers what is ready, in bits of its own; 0: nothing. May sleep for locks.
    unsigned (*look)(struct wait_source *source);
};

static inline struct wait wait_make(enum thread_wait kind, const void *object)
{
    return (struct wait){.thread = thread_self(), .kind = kind, .object = object};
}

// Whom to wake, who will not sleep before it has looked again.
static inline struct thread *wait_flag(struct wait *wait)
{
    struct thread *thread = wait->thread;
    atomic_store_explicit(&wait->is_woken, true, memory_order_release); // pairs with wait_any
    return thread;
}

// Any context, as long as wait is there: the object's lock is held, which the waiter takes to
// leave.
static inline void wait_wake(struct wait *wait)
{
    thread_wake(wait_flag(wait));
}

// The caller has looked at the objects of all sources, and entered in their lists, and none was
// ready. Sleeps until one is. Answers how many are, 0 after the deadline, or -EINTR when
// wait_is_interrupted() says so. Then the caller leaves the lists.
HAL_MUST_CHECK int wait_any(struct wait_source *sources, struct wait *wait, hal_ns deadline);

#endif
