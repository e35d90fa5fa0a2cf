// SPDX-License-Identifier: BSD-3-Clause
// rcu.h: read, copy, update (McKenney & Slingwine 1998): what is found without a lock stays until
// the finder is done.
//
// A reader looks between rcu_read_begin and rcu_read_end, follows pointers by acquire loads, and
// keeps nothing beyond the end that it has not counted. A writer, under a lock of its own, makes a
// thing unfindable by an atomic store and gives it to rcu_defer. Lists and a hash are in
// rcu_list.h.
#ifndef CORE_SYNC_RCU_H
#define CORE_SYNC_RCU_H

#include "core/sched/thread.h"

enum { RCU_GATHER_MAX = 128 }; // so many deferred calls are not kept waiting for more

// In a thing whose end is deferred.
struct rcu_head {
    struct rcu_head *next;
    void (*function)(struct rcu_head *head);
};

// A reader does not block meanwhile. For threads, and for interrupts between
// quiescence_interrupt_begin and its end. Nests.
static inline void rcu_read_begin(void)
{
    preempt_disable();
}

static inline void rcu_read_end(void)
{
    preempt_enable();
}

// Has function called, on a thread of this file's own, where it may block, after all readers that
// may see head have ended. Any context; needs no memory. In the order of the calls.
void rcu_defer(struct rcu_head *head, void (*function)(struct rcu_head *head));

// At boot, once threads can be made. -ENOMEM.
HAL_MUST_CHECK int rcu_start(void);

#endif
