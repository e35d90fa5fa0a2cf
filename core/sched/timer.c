// SPDX-License-Identifier: BSD-3-Clause
// timer.c: the one timer of each CPU, for sleepers and for time slices.
//
// cpu->timer_ns is what the machine was told, or earlier than what is needed: a deadline that is
// given up is not taken back, the interrupt then finds nothing to do. So the machine is told only
// of earlier deadlines, and a CPU with one thread has no tick.
#include "core/sched/cpu.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"

void timer_insert(struct cpu *cpu, struct thread *thread, hal_ns deadline)
{
    ASSERT(!thread->timer_armed);
    thread->timer_armed = true;
    thread->timer_passed = false;
    wheel_insert(&cpu->timers, &thread->timer_node, deadline);
    timer_want(cpu, deadline);
}

void timer_remove(struct cpu *cpu, struct thread *thread)
{
    ASSERT(thread->timer_armed && thread_cpu(thread) == cpu);
    thread->timer_armed = false;
    wheel_remove(&cpu->timers, &thread->timer_node);
}

void timer_expire(struct cpu *cpu, hal_ns now)
{
    cpu->timer_ns = UINT64_MAX;
    struct wheel_node *node;
    while ((node = wheel_take(&cpu->timers, now)) != NULL) {
        struct thread *thread = container_of(node, struct thread, timer_node);
        MARK("timer: passed");
        thread->timer_armed = false;
        thread->timer_passed = true;
        thread_wake(thread);
    }
    timer_want(cpu, wheel_first(&cpu->timers));
}

void timer_settle(struct cpu *cpu)
{
    hal_ns deadline = wheel_first(&cpu->timers);
    if (deadline != cpu->timer_ns) {
        cpu->timer_ns = deadline;
        hal_timer_set(deadline);
    }
}
