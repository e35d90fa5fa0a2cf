// SPDX-License-Identifier: BSD-3-Clause
// cpu.h: the scheduler's state on one CPU, and what its files share. For core/sched only.
//
// A CPU's run queue and timers are touched by that CPU alone, with interrupts off: no lock. Others
// leave threads in its inbox (inbox.c) and kick it, unless it looks there by itself (poll.c).
#ifndef CORE_SCHED_CPU_H
#define CORE_SCHED_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/count.h"
#include "core/lib/list.h"
#include "core/lib/tree.h"
#include "core/mem/percpu.h"
#include "core/sched/decay.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "hal/hal.h"

enum {
    SCHED_HYSTERESIS_NS = 5000000, // one that has had so much more than the first in the queue gives way
    SCHED_PENALTY_NS = 10000,      // what counts as used by one that takes the CPU from another
    SCHED_LEAD_MAX_NS = 10000000,  // a sleeper wakes at most so far ahead of the others,
    SCHED_LEAD_MORE_NS = 500000,   // or by so much more: how far is not computed for each wake
    SCHED_LAG_MAX_NS = 10000000,   // and one that comes from another CPU is at most so far behind
    SCHED_BALANCE_NS = 250000,     // so often a CPU looks who waits in its queue
    SCHED_TRUST_NS = 2000000,      // or, the only one, where the running thread gives way soon as a rule
    SCHED_WAIT_NS = 50000,         // and who waits so long after that goes to an idle CPU
    CPU_LINE = 128,                // two cache lines: processors fetch them in pairs
};

// What others have for a CPU: for each of them a queue that it alone adds to.
struct inbox {
    _Atomic uint64_t posted;                   // by which CPUs, a bit for every 64th; the owner takes it
    _Atomic bool is_polled;                    // the owner idles and does not halt; it alone writes this
    _Atomic(struct thread *) queues[];         // by CPU, newest first; only that CPU makes it other than NULL
};

// What a CPU knows about how long it is idle (poll.c). Its own.
enum poll_way { POLL_HALTS, POLL_LOOKS };

struct poll {
    hal_ns began_ns;    // when it last became idle
    hal_ns idle_ns;     // how long it had been idle before, since ever
    hal_ns waits_ns[2]; // by enum poll_way
    hal_ns wake_ns;     // how long another CPU takes if it has to be woken first
    hal_ns credit_ns;   // what it may spend on looking in vain, as of began_ns
    uint32_t turns;     // how often it was to look as a rule
    bool is_trial;      // it looked, or did not, though the other is the rule
    // How the look of this time ended; left: there was none.
    enum { POLL_NONE, POLL_LEFT, POLL_CAUGHT, POLL_FAILED } state;
};

struct cpu {
    uint32_t index;        // these two come first: core/mem reads them through hal_cpu_self
    struct heap_cpu *heap; // core/mem's; set at boot
    // This CPU's, interrupts off.
    struct thread *current;
    struct tree line;          // who is ready, by order, but for the first. Where two take turns it is empty
    hal_ns timer_ns;           // what hal_timer_set was told; early firings are harmless
    hal_ns now_ns;             // up to here current's time is accounted: a clock that is cheap and late
    struct decay_clock clock;  // as of now_ns
    decayed floor;             // of the last that was chosen, or more; newcomers start here
    decayed lead;              // until floor is lead_until: who is there leads by what a sleeper may, of nice 0 or
    decayed lead_until;        // more; or by less than SCHED_LEAD_MORE_NS more than that (schedule.c)
    bool was_alone;            // current, when its time was last accounted
    struct thread *gone;       // switched out, to be posted by whoever runs next,
    struct cpu *gone_to;       // to this one; NULL: for good, to be released
    bool is_batching;          // between thread_batch_begin and thread_batch_end
    uint64_t owed[HAL_CPU_MAX / 64]; // kicks put off by that; a bit for each CPU
    struct sched_counts counts;
    struct poll poll;
    struct wheel timers; // of threads parked here
    // Anybody's.
    _Alignas(CPU_LINE) struct inbox *inbox; // set at boot
    _Atomic bool idle;                      // halted, looking or about to: it takes threads off others, and
                                            // is in no section (quiescence.h); only it sets it
    _Atomic bool in_section;                // but an interrupt's; the same
    _Atomic(struct thread *) first;         // ready, with the smallest order; NULL: none. This CPU's; whether
                                            // there is one is a hint for others,
    _Atomic uint32_t line_count;            // as is how many are in line
    _Atomic uint32_t running_priority;      // of current; a hint, too
    _Atomic bool affinity_changed;          // of some thread that is or was here
    _Atomic bool schedule_changed;          // the same
    _Atomic(void (*)(void)) errand;         // of sched_errand_send; NULL: none
    _Atomic uint64_t answered;              // up to this number of quiescence_asked
    _Alignas(CPU_LINE) struct thread idle_thread;
};

_Static_assert(offsetof(struct cpu, index) == offsetof(struct percpu, index), "core/mem/percpu.h");
_Static_assert(offsetof(struct cpu, heap) == offsetof(struct percpu, heap), "core/mem/percpu.h");

extern struct cpu *sched_cpus[HAL_CPU_MAX]; // of those that exist
extern uint32_t sched_count; // of CPUs

// Kicks another CPU, or this one. Interrupts off.
static inline void cpu_kick(uint32_t index)
{
    count_add(&hal_cpu_self()->counts.kicks, 1);
    hal_cpu_kick(index);
}

// switch.c. All with interrupts off.

// In the order in which they are to run; NULL: no more.
static inline struct thread *runq_first(const struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->first, memory_order_relaxed);
}

struct thread *runq_next(const struct cpu *cpu, const struct thread *thread);

static inline uint32_t runq_count(const struct cpu *cpu)
{
    return (runq_first(cpu) != NULL) +
           atomic_load_explicit(&cpu->line_count, memory_order_relaxed);
}

void runq_insert(struct cpu *cpu, struct thread *thread);
void runq_remove(struct cpu *cpu, struct thread *thread);
// For one that has just been made THREAD_RUNNING and is in no queue. True: it is real-time and queued here; the caller
// calls preempt_for_real_time, with interrupts as it found them.
bool thread_ready(struct thread *thread);
void preempt_for_real_time(void);
void thread_depart(struct cpu *cpu, struct thread *thread, struct cpu *target); // neither queued nor current
void sched_switch(struct cpu *cpu, struct cpu *target); // target: where the caller is ready to run; NULL: nowhere
void sched_switch_dead(struct cpu *cpu);
void sched_finish(void); // first thing after every switch
void sched_idle_init(struct cpu *cpu); // lays its idle thread's stack out, before it runs
hal_ns sched_account(struct cpu *cpu); // charges current for its time up to now; answers now

static inline struct cpu *thread_cpu(const struct thread *thread)
{
    return atomic_load_explicit(&thread->cpu, memory_order_relaxed);
}

// inbox.c. All with interrupts off.
size_t inbox_size(uint32_t cpus); // bytes for each of so many
void inbox_init(struct cpu *cpu, void *memory); // of zeros, inbox_size, aligned to CPU_LINE
// thread is the target's from here on. True: it took a kick.
bool inbox_post(struct cpu *target, struct thread *thread);
void inbox_take(struct cpu *cpu);
bool inbox_poll(struct cpu *cpu, hal_ns until); // looks whether anything comes, and lets interrupts in. True: yes

// Where it is empty in the eyes of this CPU: a post that is not seen yet kicks.
static inline bool inbox_is_empty(const struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->inbox->posted, memory_order_relaxed) == 0;
}

static inline void inbox_drain(struct cpu *cpu)
{
    if (!inbox_is_empty(cpu)) {
        inbox_take(cpu);
    }
}

// The CPU idles: it will look into its inbox, and nobody need kick it until inbox_unwatch.
static inline void inbox_watch(struct cpu *cpu)
{
    atomic_store_explicit(&cpu->inbox->is_polled, true, memory_order_relaxed);
}

// It will halt, or run a thread, after another look: a fence. True: there is nothing.
bool inbox_unwatch(struct cpu *cpu);

// poll.c. All with interrupts off.
void poll_init(struct cpu *cpu);
void poll_begin(struct cpu *cpu); // the CPU has just become idle
bool poll_run(struct cpu *cpu);   // looks for work for a while, if that is worth while. True: there is some

// schedule.c. All with interrupts off.
static inline bool is_real_time(const struct thread *thread)
{
    return thread->priority != 0;
}

void schedule_take(struct cpu *cpu, struct thread *thread);  // what has changed; it is in no queue
void schedule_place(struct cpu *cpu, struct thread *thread); // gives it its order, before it is queued
void schedule_bound(const struct cpu *cpu, struct thread *thread);

static inline bool thread_is(const struct thread *thread, enum thread_unusual what)
{
    return (atomic_load(&thread->unusual) & (uint32_t)what) != 0;
}

// False: perhaps schedule_place changes the order of thread, which has no UNUSUAL_WEIGHT or UNUSUAL_MIGRATING.
static inline bool schedule_is_placed(const struct cpu *cpu, const struct thread *thread)
{
    return thread->order >= cpu->lead && cpu->floor < cpu->lead_until;
}

// thread has run for span, in which the clock grew by growth.
static inline void schedule_charge(struct cpu *cpu, struct thread *thread, uint64_t growth,
                                   hal_ns span)
{
    if (thread->weight == 0) {
        thread->slice_used_ns += thread->is_round_robin ? span : 0;
        return;
    }
    thread->order = decay_add(thread->order, &cpu->clock, growth, thread->weight);
    if (runq_first(cpu) == NULL) {
        cpu->floor = thread->order > cpu->floor ? thread->order : cpu->floor;
    } else if (span > SCHED_LEAD_MAX_NS && cpu->was_alone) {
        schedule_bound(cpu, thread);
    }
}

hal_ns schedule_wait(const struct cpu *cpu); // until the first in the queue takes current's place; UINT64_MAX: never
void schedule_enforce(struct cpu *cpu);      // takes what has changed of the threads here

// timer.c
static inline void timer_want(struct cpu *cpu, hal_ns deadline)
{
    if (deadline < cpu->timer_ns) {
        cpu->timer_ns = deadline;
        hal_timer_set(deadline);
    }
}

// When the CPU looks who waits behind thread, which runs from now on. To set a machine's timer, and to have it fire in
// vain, can cost more than what the thread does before it parks: where no other CPU could take who waits, one that no
// look found running the last time is trusted.
static inline hal_ns look_due(const struct cpu *cpu, const struct thread *thread)
{
    return cpu->now_ns + (thread->found == 0 ? SCHED_TRUST_NS : SCHED_BALANCE_NS);
}

void timer_insert(struct cpu *cpu, struct thread *thread, hal_ns deadline);
void timer_remove(struct cpu *cpu, struct thread *thread);
void timer_expire(struct cpu *cpu, hal_ns now);
void timer_settle(struct cpu *cpu); // before idling: no timer but for sleepers

// thread.c
void thread_release(struct thread *thread); // ended; its stack is left
void thread_idle_init(struct cpu *cpu);     // -ENOMEM is fatal here: nothing runs yet

// pair.c
void pair_post(struct cpu *cpu, struct cpu *target, struct thread *thread); // woken by current; as inbox_post
void pair_rest(struct thread *thread, hal_ns now); // it is moved, or new. By itself, its CPU or creator
void pair_judge(struct thread *self);

// The caller, thread_self(), is about to park. May return on another CPU.
static inline void pair_park(struct thread *self)
{
    if (self->pair.woke_ns != 0) {
        pair_judge(self);
    }
}

// quiescence.c: a CPU answers who waits for it to be outside of any section. Interrupts off.
extern _Atomic uint64_t quiescence_asked;
void quiescence_answer(struct cpu *cpu);
void quiescence_interrupt(struct cpu *cpu);

static inline bool quiescence_is_asked(const struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->answered, memory_order_relaxed) !=
           atomic_load_explicit(&quiescence_asked, memory_order_relaxed);
}

// At a switch.
static inline void quiescence_pass(struct cpu *cpu)
{
    if (quiescence_is_asked(cpu)) {
        quiescence_answer(cpu);
    }
}

// balance.c
static inline bool cpu_is_allowed(const struct thread *thread, const struct cpu *cpu)
{
    return (atomic_load(&thread->affinity[cpu->index / 64]) >> cpu->index % 64 & 1) != 0;
}

struct cpu *cpu_allowed(const struct thread *thread, struct cpu *preferred);
void balance_push(struct cpu *cpu, hal_ns now); // gives threads that have waited to idle CPUs
void balance_pull(struct cpu *cpu);             // asks a crowded CPU to do that for this one
void affinity_enforce(struct cpu *cpu);         // sends away queued threads that must not be here

#endif
