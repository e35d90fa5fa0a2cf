// SPDX-License-Identifier: BSD-3-Clause
// schedule.c: who runs before whom on a CPU.
//
// All threads of a run queue are in one tree, by `order`: real-time ones have small numbers, by
// priority and then in the order in which they came; the order of the others is their decayed sum
// (decay.h), so that the one that has had the least comes first. The rules beyond the paper's, each
// a bound:
//
// - It has a sleeper wake, and a new thread start, with a measure as small as nothing: an old busy
//   one waits for up to ln 2 * tau = 140 ms then. Here a sleeper leads by SCHED_LEAD_MAX_NS at
//   most, and a new thread not at all.
// - One that comes from another CPU starts at the floor, as fairness is among the threads of one
//   CPU, or later by what it owes, up to SCHED_LAG_MAX_NS.
// - The hysteresis shrinks with the weight of the more important thread: else two important ones,
// whose
//   measures never differ by that much, would not take turns.
// - The penalty is for who preempts another, not for every switch: a hand-over between two threads
//   costs a hundredth of it.
#include "core/sched/cpu.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"

// Linux's: what a thread of nice -20, -19 ... gets where one of nice 0 gets 1024.
static const uint32_t shares[] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
    172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15,
};

enum { SHARE_IDLE = 3 };

static const decayed ORDER_FIRST = (decayed)1 << 32; // real-time ones are smaller

const struct thread_schedule thread_schedule_core = {
    .policy = THREAD_FIFO,
    .priority = THREAD_PRIORITY_MAX + 1,
};

static uint32_t weight_of(struct thread_schedule schedule)
{
    return decay_weight(schedule.policy == THREAD_IDLE ? SHARE_IDLE
                                                       : shares[schedule.nice - THREAD_NICE_MIN]);
}

void schedule_take(struct cpu *cpu, struct thread *thread)
{
    uint32_t taken = UNUSUAL_SCHEDULE | UNUSUAL_WEIGHT;
    atomic_fetch_and(&thread->unusual, ~taken); // before the look: a later change is seen later
    struct thread_schedule schedule = atomic_load(&thread->schedule);
    bool was_real_time = is_real_time(thread);
    thread->is_round_robin = schedule.policy == THREAD_ROUND_ROBIN;
    thread->priority = schedule.priority;
    thread->weight = is_real_time(thread) ? 0 : weight_of(schedule);
    if (thread->weight < DECAY_WEIGHT_ONE) {
        atomic_fetch_or(&thread->unusual, UNUSUAL_WEIGHT);
    }
    thread->slice_used_ns = 0;
    if (was_real_time && !is_real_time(thread)) {
        thread->order = cpu->floor;
    }
    if (thread == cpu->current) {
        atomic_store_explicit(&cpu->running_priority, thread->priority, memory_order_relaxed);
    }
}

// One that was preempted goes on before its equals, unless its slice is used up.
static void place_real_time(struct thread *thread)
{
    bool is_next = thread->preempted;
    if (thread->slice_used_ns >= THREAD_SLICE_NS) {
        thread->slice_used_ns = 0;
        is_next = false;
    }
    ASSERT(thread->priority <= thread_schedule_core.priority);
    thread->order = 2u * (thread_schedule_core.priority - thread->priority) + !is_next;
}

static void order_raise(struct thread *thread, decayed least)
{
    if (thread->order < least) {
        thread->order = least;
    }
}

// Who has that leads by what a sleeper may at most.
static decayed lead_of(const struct cpu *cpu, uint32_t weight)
{
    decayed lead = decay_before(cpu->floor, &cpu->clock, SCHED_LEAD_MAX_NS, weight);
    return lead < ORDER_FIRST ? ORDER_FIRST : lead;
}

void schedule_place(struct cpu *cpu, struct thread *thread)
{
    if (cpu->floor >= cpu->lead_until) {
        cpu->lead = lead_of(cpu, DECAY_WEIGHT_ONE);
        cpu->lead_until =
            decay_after(cpu->floor, &cpu->clock, SCHED_LEAD_MORE_NS, DECAY_WEIGHT_ONE);
    }
    if (is_real_time(thread)) {
        place_real_time(thread);
    } else if (!thread_is(thread, UNUSUAL_MIGRATING)) {
        order_raise(thread, lead_of(cpu, thread->weight));
    } else if (thread->order <= cpu->floor) {
        thread->order = cpu->floor;
        order_raise(thread, ORDER_FIRST);
    } else {
        decayed last = decay_after(cpu->floor, &cpu->clock, SCHED_LAG_MAX_NS, thread->weight);
        thread->order = thread->order > last ? last : thread->order;
    }
}

// Those that came while thread ran alone for a long time started from a floor as old as
// now_ns was: what it has had since is forgotten but for what a sleeper may lead by.
void schedule_bound(const struct cpu *cpu, struct thread *thread)
{
    const struct thread *first = runq_first(cpu);
    if (!is_real_time(first)) {
        decayed last = decay_after(first->order, &cpu->clock, SCHED_LEAD_MAX_NS, first->weight);
        thread->order = thread->order > last ? last : thread->order;
    }
}

static hal_ns wait_real_time(const struct thread *current, const struct thread *first)
{
    if (first->priority > current->priority) {
        return 0;
    }
    if (!is_real_time(first)) {
        return UINT64_MAX;
    }
    // Another CPU may become free for it.
    hal_ns wait = sched_count == 1 ? UINT64_MAX : SCHED_BALANCE_NS;
    if (first->priority == current->priority && current->is_round_robin) {
        uint64_t used = current->slice_used_ns;
        hal_ns left = used < THREAD_SLICE_NS ? THREAD_SLICE_NS - used : 0;
        wait = wait < left ? wait : left;
    }
    return wait;
}

hal_ns schedule_wait(const struct cpu *cpu)
{
    const struct thread *current = cpu->current;
    const struct thread *first = runq_first(cpu);
    if (is_real_time(current) || is_real_time(first)) {
        return wait_real_time(current, first);
    }
    uint64_t lighter = first->weight < current->weight ? first->weight : current->weight;
    int64_t more = (int64_t)(SCHED_HYSTERESIS_NS * lighter / DECAY_WEIGHT_ONE) -
                   (decay_ns(current->order, &cpu->clock) - decay_ns(first->order, &cpu->clock));
    if (more <= 0) {
        return 0;
    }
    // It has `more` after tau * ln(1 + more / tau), which is about this for what is less than tau.
    const uint64_t tau = DECAY_TAU_NS;
    uint64_t span = (uint64_t)more * DECAY_WEIGHT_ONE / current->weight;
    span = span < tau ? span : tau;
    span = span * 2 * tau / (2 * tau + span);
    return span + span / 64 + 1000; // rather late than twice
}

void schedule_enforce(struct cpu *cpu)
{
    if (thread_is(cpu->current, UNUSUAL_SCHEDULE)) {
        MARK("schedule: changed while it runs");
        schedule_take(cpu, cpu->current);
    }
    struct thread *next;
    for (struct thread *thread = runq_first(cpu); thread != NULL; thread = next) {
        next = runq_next(cpu, thread);
        if (thread_is(thread, UNUSUAL_SCHEDULE)) {
            MARK("schedule: changed in line");
            runq_remove(cpu, thread);
            runq_insert(cpu, thread);
        }
    }
}

void thread_schedule_set(struct thread *thread, struct thread_schedule schedule)
{
    uintptr_t irq = hal_irq_save();
    atomic_store(&thread->schedule, schedule);
    atomic_fetch_or(&thread->unusual, UNUSUAL_SCHEDULE);
    // One that goes to another CPU just now: its cpu is written before it is looked at there.
    struct cpu *cpu = atomic_load(&thread->cpu);
    if (thread == thread_self()) {
        (void)sched_account(cpu);
        schedule_take(cpu, thread);
        if (runq_count(cpu) > 0 && schedule_wait(cpu) == 0) {
            sched_switch(cpu, cpu);
        }
    } else if (cpu != NULL) {
        atomic_store(&cpu->schedule_changed, true);
        cpu_kick(cpu->index);
    }
    hal_irq_restore(irq);
}

struct thread_schedule thread_schedule_get(const struct thread *thread)
{
    return atomic_load(&thread->schedule);
}

hal_ns thread_slice_ns(struct thread_schedule schedule)
{
    switch (schedule.policy) {
    case THREAD_FIFO:
        return 0;
    case THREAD_ROUND_ROBIN:
        return THREAD_SLICE_NS;
    default:
        return 2 * SCHED_HYSTERESIS_NS;
    }
}
