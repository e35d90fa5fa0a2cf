// SPDX-License-Identifier: BSD-3-Clause
// rcu_steps.h: RCU for a test of the seeded machine that is about who uses it: each call is one
// step, and what is deferred is done at once when nobody reads.
#ifndef SEED_RCU_STEPS_H
#define SEED_RCU_STEPS_H

#include "core/lib/mark.h"
#include "core/sync/rcu.h"

static struct rcu_head *ended; // waits until nobody reads
static int reader_count;

MARK_GUESS static void ended_run(void)
{
    while (reader_count == 0 && ended != NULL) {
        struct rcu_head *head = ended;
        ended = head->next;
        head->function(head);
    }
}

MARK_GUESS void rcu_defer(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
    head->function = function;
    head->next = ended;
    ended = head;
    ended_run();
}

MARK_GUESS void preempt_disable(void)
{
    ++reader_count;
}

MARK_GUESS void preempt_enable(void)
{
    --reader_count;
    ended_run();
}

#endif
