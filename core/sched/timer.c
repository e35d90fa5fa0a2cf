// SPDX-License-Identifier: BSD-3-Clause
// timer.c: the one timer of each CPU, for sleepers and for time slices.
//
// cpu->timer_ns is what the machine was told, or earlier than what is needed: a deadline that is
// given up is not taken back, the interrupt then finds nothing to do. So the machine is told only
// of earlier deadlines, and a CPU with one thread has no tick.
#include "core/sched/cpu.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"

static bool ends_before(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, struct thread, timer_node)->timer_ns <
           container_of(b, struct thread, timer_node)->timer_ns;
}

void timer_want(struct cpu *cpu, hal_ns deadline)
{
    if (deadline < cpu->timer_ns) {
        cpu->timer_ns = deadline;
        hal_timer_set(deadline);
    }
}

void timer_insert(struct cpu *cpu, struct thread *thread, hal_ns deadline)
{
    ASSERT(!thread->timer_armed);
    thread->timer_armed = true;
    thread->timer_passed = false;
    thread->timer_ns = deadline;
    tree_insert(&cpu->timers, &thread->timer_node, ends_before);
    timer_want(cpu, deadline);
}

void timer_remove(struct cpu *cpu, struct thread *thread)
{
    ASSERT(thread->timer_armed && thread_cpu(thread) == cpu);
    thread->timer_armed = false;
    tree_remove(&cpu->timers, &thread->timer_node);
}

hal_ns timer_first(const struct cpu *cpu)
{
    struct tree_node *node = tree_first(&cpu->timers);
    return node == NULL ? UINT64_MAX : container_of(node, struct thread, timer_node)->timer_ns;
}

void timer_expire(struct cpu *cpu, hal_ns now)
{
    cpu->timer_ns = UINT64_MAX;
    struct tree_node *node;
    while ((node = tree_first(&cpu->timers)) != NULL) {
        struct thread *thread = container_of(node, struct thread, timer_node);
        if (thread->timer_ns > now) {
            timer_want(cpu, thread->timer_ns);
            return;
        }
        MARK("timer: passed");
        timer_remove(cpu, thread);
        thread->timer_passed = true;
        thread_wake(thread);
    }
}

void timer_settle(struct cpu *cpu)
{
    hal_ns deadline = timer_first(cpu);
    if (deadline != cpu->timer_ns) {
        cpu->timer_ns = deadline;
        hal_timer_set(deadline);
    }
}
