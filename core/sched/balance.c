// SPDX-License-Identifier: BSD-3-Clause
// balance.c: which CPU a thread runs on.
//
// A thread starts on its creator's CPU and wakes where it last ran: most wait for each other, and
// reaching another CPU costs more than a short wait. (pair.c brings those together that do.) A CPU
// with a queue looks at it every SCHED_BALANCE_NS. One that it finds there, and finds again after
// SCHED_WAIT_NS, while a CPU is idle, or has two threads less in its queue, is pushed there:
// whoever it waits for is busy. Then it has to wait for SCHED_BALANCE_NS for a while, as
// a new one has (PAIR_REST_NS): where all CPUs are busy, those that are idle for a moment would
// have the same few go round. Only the owner of a run queue takes threads from it: an idle CPU
// kicks a crowded one and is given something.
#include "core/sched/cpu.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"

enum { LOOKS_MAX = 32 }; // at a queue that may be long; others come to its front in time

// An idle CPU if the mask has one, else the next allowed after preferred. preferred itself where
// the mask allows none: it is being changed, and its changer will kick.
struct cpu *cpu_allowed(const struct thread *thread, struct cpu *preferred)
{
    struct cpu *found = preferred;
    for (uint32_t i = sched_count; i > 0; --i) {
        struct cpu *cpu = sched_cpus[(preferred->index + i) % sched_count];
        if (!cpu_is_allowed(thread, cpu)) {
            continue;
        }
        if (atomic_load_explicit(&cpu->idle, memory_order_relaxed)) {
            return cpu;
        }
        found = cpu;
    }
    return found;
}

// Does target want a thread of cpu's? An idle one does, and one with so few that moving one makes
// it fairer.
static bool is_wanted(struct cpu *cpu, struct cpu *target)
{
    return atomic_load_explicit(&target->idle, memory_order_relaxed) ||
           runq_count(cpu) >= runq_count(target) + 2;
}

// The thread that has most claim to run among those that may run on target, and have waited long
// enough, or have to wait here and would not there. *again: after how long one may have waited long
// enough.
static struct thread *pushable(struct cpu *cpu, struct cpu *target, hal_ns now, hal_ns *again)
{
    uint32_t running = atomic_load_explicit(&target->running_priority, memory_order_relaxed);
    bool wants_any = is_wanted(cpu, target);
    struct thread *thread = runq_first(cpu);
    for (uint32_t i = 0; thread != NULL && i < LOOKS_MAX; thread = runq_next(cpu, thread), ++i) {
        if (thread->priority <= running && !wants_any) {
            return NULL; // nor has any later one a higher priority
        }
        if (!cpu_is_allowed(thread, target) || thread->pair.is_parking) {
            continue;
        }
        if (thread->priority > running && thread->priority <= cpu->current->priority) {
            return thread; // the next to run here stays
        }
        if (thread->ready_ns == 0) {
            thread->ready_ns = now;
        }
        hal_ns patience = now < thread->pair.rest_ns ? SCHED_BALANCE_NS : SCHED_WAIT_NS;
        if (now - thread->ready_ns >= patience) {
            return thread;
        }
        *again = *again < patience ? *again : patience;
    }
    return NULL;
}

// Called where all queued threads' registers are saved: from interrupts.
void balance_push(struct cpu *cpu, hal_ns now)
{
    hal_ns again = UINT64_MAX;
    for (uint32_t i = 1; i < sched_count && runq_count(cpu) > 0; ++i) {
        struct cpu *target = sched_cpus[(cpu->index + i) % sched_count];
        struct thread *thread = pushable(cpu, target, now, &again);
        if (thread != NULL) {
            // One thread for each.
            atomic_store_explicit(&target->idle, false, memory_order_relaxed);
            runq_remove(cpu, thread);
            pair_rest(thread, now);
            thread_depart(cpu, thread, target);
        }
    }
    if (again != UINT64_MAX) {
        timer_want(cpu, now + again);
    }
}

void balance_pull(struct cpu *cpu)
{
    for (uint32_t i = 1; i < sched_count; ++i) {
        struct cpu *other = sched_cpus[(cpu->index + i) % sched_count];
        if (runq_count(other) > 0) {
            cpu_kick(other->index);
            return;
        }
    }
}

void affinity_enforce(struct cpu *cpu)
{
    struct thread *next;
    for (struct thread *thread = runq_first(cpu); thread != NULL; thread = next) {
        next = runq_next(cpu, thread);
        if (!cpu_is_allowed(thread, cpu)) {
            MARK("affinity: one leaves the line");
            runq_remove(cpu, thread);
            thread_depart(cpu, thread, cpu_allowed(thread, cpu));
        }
    }
}

int thread_affinity_set(struct thread *thread, const struct hal_cpu_set *cpus)
{
    struct hal_cpu_set mask = {0};
    bool empty = true;
    for (uint32_t i = 0; i < sched_count; ++i) {
        mask.words[i / 64] |= cpus->words[i / 64] & 1ul << i % 64;
        empty = empty && mask.words[i / 64] == 0;
    }
    if (empty) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < HAL_CPU_MAX / 64; ++i) {
        atomic_store(&thread->affinity[i], mask.words[i]);
    }
    atomic_fetch_or(&thread->unusual, UNUSUAL_AFFINITY);
    uintptr_t irq = hal_irq_save();
    // A thread that goes to another CPU just now is checked there: its cpu is written before the
    // check, and read here after the mask was written.
    struct cpu *cpu = atomic_load(&thread->cpu);
    if (thread == thread_self()) {
        if (!cpu_is_allowed(thread, cpu)) {
            sched_switch(cpu, cpu);
        }
    } else if (cpu != NULL && !cpu_is_allowed(thread, cpu)) {
        atomic_store(&cpu->affinity_changed, true);
        cpu_kick(cpu->index);
    }
    hal_irq_restore(irq);
    return 0;
}

void thread_affinity_get(struct thread *thread, struct hal_cpu_set *cpus)
{
    for (uint32_t i = 0; i < HAL_CPU_MAX / 64; ++i) {
        cpus->words[i] = atomic_load_explicit(&thread->affinity[i], memory_order_relaxed);
    }
}
