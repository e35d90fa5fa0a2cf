// SPDX-License-Identifier: BSD-3-Clause
// switch.c: choosing the next thread; parking; waking.
//
// A run queue belongs to its CPU and has no lock. A thread is always somewhere exactly once: it
// runs, or is in one run queue, or in one inbox (inbox.c), or is parked and in none. Who turns its
// state from PARKED to RUNNING owns it and queues it.
//
// A parking thread is PARKED before its registers are saved, so it may be woken, and be posted to
// its own CPU's inbox, while it is still running there. Only that CPU takes it out, and does so
// either before the switch (then it may choose it again, and nothing is switched) or after it (then
// the registers are saved). For the same reason a thread that goes to another CPU is posted there
// by whoever runs next on the old one (sched_finish).
//
// Who comes before whom is schedule.c's.
#include "core/sched/cpu.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/sched/sched.h"

static struct thread *thread_of(struct tree_node *node)
{
    return node == NULL ? NULL : container_of(node, struct thread, run_node);
}

static bool runs_before(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, struct thread, run_node)->order <
           container_of(b, struct thread, run_node)->order;
}

// The same, but of equals the one that comes is first.
static bool runs_not_after(const struct tree_node *a, const struct tree_node *b)
{
    return !runs_before(b, a);
}

static inline uint32_t line_count(const struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->line_count, memory_order_relaxed);
}

static void line_count_add(struct cpu *cpu, uint32_t change)
{
    atomic_store_explicit(&cpu->line_count, line_count(cpu) + change, memory_order_relaxed);
}

static inline void first_set(struct cpu *cpu, struct thread *thread)
{
    atomic_store_explicit(&cpu->first, thread, memory_order_relaxed);
}

// One queues behind others, or comes before the first. (Mostly there is none.)
__attribute__((noinline)) static void line_insert(struct cpu *cpu, struct thread *thread)
{
    struct thread *first = runq_first(cpu);
    line_count_add(cpu, 1);
    if (thread->order >= first->order) {
        tree_insert(&cpu->line, &thread->run_node, runs_before);
        return;
    }
    tree_insert(&cpu->line, &first->run_node, runs_not_after);
    first_set(cpu, thread);
}

static inline void line_remove(struct cpu *cpu, struct thread *thread)
{
    tree_remove(&cpu->line, &thread->run_node);
    line_count_add(cpu, -1u);
}

__attribute__((noinline)) static void line_move_up(struct cpu *cpu)
{
    struct thread *first = thread_of(tree_first(&cpu->line));
    line_remove(cpu, first);
    first_set(cpu, first);
}

struct thread *runq_next(const struct cpu *cpu, const struct thread *thread)
{
    return thread_of(thread == runq_first(cpu) ? tree_first(&cpu->line)
                                               : tree_next(&thread->run_node));
}

// May it be queued as it is, and here?
static inline bool is_in_place(const struct cpu *cpu, const struct thread *thread)
{
    return atomic_load(&thread->unusual) == 0 && schedule_is_placed(cpu, thread);
}

// Gives it a place, whatever is unusual; it is in no queue.
__attribute__((noinline)) static void place(struct cpu *cpu, struct thread *thread)
{
    if (thread_is(thread, UNUSUAL_SCHEDULE)) {
        MARK("schedule: changed before it runs");
        schedule_take(cpu, thread);
    }
    schedule_place(cpu, thread);
    if (thread_is(thread, UNUSUAL_MIGRATING)) {
        atomic_fetch_and(&thread->unusual, ~(uint32_t)UNUSUAL_MIGRATING);
    }
}

void runq_insert(struct cpu *cpu, struct thread *thread)
{
    ASSERT(thread_cpu(thread) == cpu);
    if (!is_in_place(cpu, thread)) {
        place(cpu, thread);
    }
    thread->ready_ns = 0;
    if (runq_first(cpu) == NULL) {
        first_set(cpu, thread);
    } else {
        line_insert(cpu, thread);
    }
}

void runq_remove(struct cpu *cpu, struct thread *thread)
{
    if (thread != runq_first(cpu)) {
        line_remove(cpu, thread);
    } else if (line_count(cpu) != 0) {
        line_move_up(cpu);
    } else {
        first_set(cpu, NULL);
    }
}

void thread_depart(struct cpu *cpu, struct thread *thread, struct cpu *target)
{
    ASSERT(thread_cpu(thread) == cpu && thread != cpu->current);
    if (target == cpu) {
        runq_insert(cpu, thread); // it may go nowhere: a mask that is being changed
        return;
    }
    if (thread->timer_armed) {
        timer_remove(cpu, thread);
    }
    atomic_fetch_or(&thread->unusual, UNUSUAL_MIGRATING);
    count_add(&cpu->counts.moves, 1);
    atomic_store_explicit(&thread->cpu, target, memory_order_relaxed); // the post publishes it
    (void)inbox_post(target, thread);
}

static bool may_stay(const struct cpu *cpu, struct thread *thread)
{
    if (thread_is(thread, UNUSUAL_AFFINITY)) { // before the look: a later change is seen later
        atomic_fetch_and(&thread->unusual, ~(uint32_t)UNUSUAL_AFFINITY);
    }
    return cpu_is_allowed(thread, cpu);
}

static inline bool ready(struct cpu *cpu, struct thread *thread)
{
    struct cpu *target = thread_cpu(thread);
    if (target != cpu) {
        pair_post(cpu, target, thread);
    } else if (may_stay(cpu, thread)) {
        runq_insert(cpu, thread);
        if (is_real_time(thread)) {
            return true;
        }
        if (cpu->current != &cpu->idle_thread) {
            timer_want(cpu, look_due(cpu, cpu->current));
        }
    } else {
        MARK("wake: of one that must not stay");
        thread_depart(cpu, thread, cpu_allowed(thread, cpu));
    }
    return false;
}

bool thread_ready(struct thread *thread)
{
    return ready(hal_cpu_self(), thread);
}

// A caller that may be interrupted here is preempted here; one that may not, by a kick once it may.
void preempt_for_real_time(void)
{
    bool may_switch = hal_irq_enabled() && thread_self()->preempt_count == 0;
    uintptr_t irq = hal_irq_save();
    struct cpu *cpu = hal_cpu_self();
    if (!may_switch) {
        cpu_kick(cpu->index);
    } else if (runq_count(cpu) > 0 && schedule_wait(cpu) == 0) {
        cpu->current->preempted = true;
        sched_switch(cpu, cpu);
    } else {
        timer_want(cpu, cpu->now_ns + SCHED_BALANCE_NS); // another CPU may have room for it
    }
    hal_irq_restore(irq);
}

// Charges current for its time up to now. Who looks at the time that it has used waits until
// runtime_close.
__attribute__((always_inline)) static inline hal_ns runtime_open(struct cpu *cpu)
{
    struct thread *thread = cpu->current;
    uint32_t version = atomic_load_explicit(&thread->runtime_version, memory_order_relaxed);
    uint64_t runtime = atomic_load_explicit(&thread->runtime_ns, memory_order_relaxed);
    // Before the clock is read: who takes a later time than ours for the thread's sees the number.
    atomic_store_explicit(&thread->runtime_version, version + 1, memory_order_relaxed);
    hal_ns now = hal_clock_ns();
    uint64_t span = now - cpu->now_ns;
    atomic_store_explicit(&thread->runtime_ns, runtime + span, memory_order_release);
    uint64_t growth = decay_advance(&cpu->clock, cpu->now_ns, now);
    cpu->now_ns = now;
    schedule_charge(cpu, thread, growth, span);
    return now;
}

// It runs since then; 0: it does not. The release stores pair with thread_runtime_ns.
static inline void runtime_close(struct thread *thread, hal_ns since)
{
    uint32_t version = atomic_load_explicit(&thread->runtime_version, memory_order_relaxed);
    atomic_store_explicit(&thread->switched_ns, since, memory_order_release);
    atomic_store_explicit(&thread->runtime_version, version + 1, memory_order_release);
}

hal_ns sched_account(struct cpu *cpu)
{
    hal_ns now = runtime_open(cpu);
    runtime_close(cpu->current, now);
    cpu->was_alone = runq_first(cpu) == NULL;
    return now;
}

static void preemption_note(const struct cpu *cpu, struct thread *previous, struct thread *next)
{
    previous->preempted = false;
    if (next != previous && next->weight != 0) {
        next->order = decay_after(next->order, &cpu->clock, SCHED_PENALTY_NS, next->weight);
    }
}

__attribute__((noinline)) static void gone_release(struct cpu *cpu)
{
    struct thread *gone = cpu->gone;
    cpu->gone = NULL;
    if (cpu->gone_to != NULL) {
        MARK("switch: one that changes CPU is posted by the next");
        thread_depart(cpu, gone, cpu->gone_to);
    } else {
        thread_release(gone);
    }
}

static inline void finish(void)
{
    struct cpu *cpu = hal_cpu_self();
    if (cpu->gone != NULL) {
        gone_release(cpu);
    }
    quiescence_pass(cpu);
}

// next is to run, and in no queue.
static inline void next_note(struct cpu *cpu, const struct thread *next, bool is_alone)
{
    if (next->order > cpu->floor) {
        cpu->floor = next->order;
    }
    cpu->was_alone = is_alone;
    if (!is_alone) {
        timer_want(cpu, look_due(cpu, next));
    }
}

static inline struct thread *next_take(struct cpu *cpu)
{
    struct thread *next = runq_first(cpu);
    if (next == NULL) {
        cpu->was_alone = true;
        inbox_watch(cpu);
        return &cpu->idle_thread;
    }
    bool is_alone = line_count(cpu) == 0;
    if (is_alone) {
        first_set(cpu, NULL);
    } else {
        line_move_up(cpu);
    }
    next_note(cpu, next, is_alone);
    return next;
}

// The same where current, self, queues up behind one other: none of the two needs a place in line.
static inline struct thread *next_exchange(struct cpu *cpu, struct thread *self)
{
    struct thread *next = runq_first(cpu);
    if (!is_in_place(cpu, self)) {
        place(cpu, self);
    }
    if (self->order < next->order) {
        next = self;
    } else {
        self->ready_ns = 0;
        first_set(cpu, self);
    }
    next_note(cpu, next, false);
    return next;
}

// current is queued, or published, or gone; its time is open.
__attribute__((always_inline)) static inline void switch_next(struct cpu *cpu, struct thread *next)
{
    struct thread *previous = cpu->current;
    if (previous->preempted) {
        preemption_note(cpu, previous, next);
    }
    if (next == previous) {
        MARK("switch: the parking thread is chosen again");
        runtime_close(previous, cpu->now_ns);
        quiescence_pass(cpu);
        return;
    }
    runtime_close(previous, 0);
    atomic_store_explicit(&next->switched_ns, cpu->now_ns, memory_order_relaxed);
    cpu->current = next;
    atomic_store_explicit(&cpu->running_priority, next->priority, memory_order_relaxed);
    count_add(&cpu->counts.switches, 1);
    hal_context_switch(&previous->context, &next->context);
    finish(); // cpu is stale
}

void sched_switch(struct cpu *cpu, struct cpu *target)
{
    ASSERT(!hal_irq_enabled());
    struct thread *self = cpu->current;
    ASSERT(self->preempt_count == 0);
    (void)runtime_open(cpu);
    inbox_drain(cpu);
    if (target == cpu && !may_stay(cpu, self)) {
        target = cpu_allowed(self, cpu);
    }
    if (self == &cpu->idle_thread || target == NULL) {
        // The idle thread is in no queue; a parked one is its waker's.
    } else if (target != cpu) {
        ASSERT(cpu->gone == NULL);
        cpu->gone = self;
        cpu->gone_to = target;
    } else {
        runq_insert(cpu, self);
    }
    switch_next(cpu, next_take(cpu));
}

// sched_switch of a thread that is in nobody's queue: it is its waker's. The caller has turned
// interrupts off.
static inline void switch_away(struct cpu *cpu)
{
    struct thread *self = cpu->current;
    ASSERT(self->preempt_count == 0);
    if (sched_count == 1) {
        self->found >>= 1;
    }
    (void)runtime_open(cpu);
    inbox_drain(cpu);
    switch_next(cpu, next_take(cpu));
}

void sched_switch_dead(struct cpu *cpu)
{
    (void)runtime_open(cpu);
    inbox_drain(cpu);
    ASSERT(cpu->gone == NULL);
    cpu->gone = cpu->current;
    cpu->gone_to = NULL;
    switch_next(cpu, next_take(cpu));
}

void sched_finish(void)
{
    finish();
}

// A function of its own: in place, what is known of the state here would cost the other way three
// instructions.
__attribute__((noinline)) static void notice_take(struct thread *self)
{
    MARK("park: woken before");
    // An exchange, not a store: what the waker did before must be seen by what the caller looks at
    // now.
    uint32_t state = atomic_exchange(&self->state, THREAD_RUNNING);
    ASSERT(state == THREAD_NOTIFIED);
}

void thread_park(void)
{
    uintptr_t irq = hal_irq_save();
    struct thread *self = thread_self();
    pair_park(self);
    uint32_t running = THREAD_RUNNING;
    if (atomic_compare_exchange_strong(&self->state, &running, THREAD_PARKED)) {
        switch_away(hal_cpu_self());
    } else {
        notice_take(self);
    }
    hal_irq_restore(irq);
}

// Where the thread goes to another CPU meanwhile, it leaves the wheel of timers first: a timer that
// is still armed is in the wheel of the CPU that the caller comes back on.
static bool park_until(struct thread *self, hal_ns deadline)
{
    uint32_t notified = THREAD_NOTIFIED;
    if (atomic_compare_exchange_strong(&self->state, &notified, THREAD_RUNNING)) {
        return true;
    }
    if (hal_clock_ns() >= deadline) {
        return false;
    }
    pair_park(self); // here: who goes to another CPU has no timer
    uintptr_t irq = hal_irq_save();
    timer_insert(hal_cpu_self(), self, deadline);
    thread_park();
    if (self->timer_armed) {
        MARK("timer: woken in time");
        timer_remove(hal_cpu_self(), self);
    }
    bool passed = self->timer_passed;
    hal_irq_restore(irq);
    return !passed;
}

// What is left on the wall, from now on: right until somebody sets that clock.
static bool park_until_wall(struct thread *self, hal_ns time)
{
    atomic_store(&self->on_wall, true); // before the clock is read: pairs with wake_on_wall
    hal_ns wall = hal_clock_wall_ns();
    bool in_time = park_until(self, time > wall ? hal_clock_ns() + (time - wall) : 0);
    atomic_store_explicit(&self->on_wall, false, memory_order_relaxed);
    // The two clocks do not run quite alike; who wakes too early looks again.
    return in_time || hal_clock_wall_ns() < time;
}

bool thread_park_until(hal_ns deadline)
{
    if (deadline == UINT64_MAX) {
        thread_park();
        return true;
    }
    struct thread *self = thread_self();
    return deadline < THREAD_WALL ? park_until(self, deadline)
                                  : park_until_wall(self, deadline & ~THREAD_WALL);
}

static void wake_on_wall(struct thread *thread, void *argument)
{
    // It sees the clock as it is now, or we see this.
    if (atomic_load(&thread->on_wall)) {
        MARK("wall: set while it is slept by");
        thread_wake(thread);
    }
}

void thread_wall_changed(void)
{
    thread_walk(wake_on_wall, NULL);
}

void thread_sleep_until(hal_ns deadline)
{
    struct thread *self = thread_self();
    thread_wait_note(self, THREAD_WAIT_SLEEP, NULL);
    while (thread_park_until(deadline)) {
    }
    thread_wait_note(self, THREAD_WAIT_NONE, NULL);
}

static uint32_t state_woken(uint32_t state)
{
    switch (state) {
    case THREAD_PARKED:
        return THREAD_RUNNING;
    case THREAD_RUNNING:
        return THREAD_NOTIFIED;
    default:
        return state;
    }
}

// The usual case of ready, without a call: the woken one stays where it is, and nobody else is
// ready.
static inline bool ready_next(struct cpu *cpu, struct thread *thread)
{
    if (thread_cpu(thread) != cpu || !is_in_place(cpu, thread) || runq_first(cpu) != NULL ||
        look_due(cpu, cpu->current) < cpu->timer_ns) {
        return false;
    }
    thread->ready_ns = 0;
    first_set(cpu, thread);
    return true;
}

__attribute__((noinline)) static void ready_and_restore(struct cpu *cpu, struct thread *thread,
                                                        uintptr_t irq)
{
    bool is_urgent = ready(cpu, thread);
    hal_irq_restore(irq);
    if (is_urgent) {
        preempt_for_real_time();
    }
}

// Answers the state before.
static inline uint32_t state_wake(struct thread *thread)
{
    uint32_t state = atomic_load_explicit(&thread->state, memory_order_relaxed);
    uint32_t next = state;
    // Also where nothing changes this is a compare-and-exchange: it orders what the caller did
    // before against the sleeper's exchange in thread_park, so that one of the two sees the other.
    do {
        next = state_woken(state);
    } while (!atomic_compare_exchange_weak(&thread->state, &state, next));
    if (state == THREAD_NOTIFIED) {
        MARK("wake: of one that is notified already");
    }
    return state;
}

void thread_wake(struct thread *thread)
{
    uintptr_t irq = hal_irq_save();
    if (state_wake(thread) == THREAD_PARKED) {
        struct cpu *cpu = hal_cpu_self();
        count_add(&cpu->counts.wakes, 1);
        if (!ready_next(cpu, thread)) {
            ready_and_restore(cpu, thread, irq);
            return;
        }
    }
    hal_irq_restore(irq);
}

// Also one that is only queued: it may be switched to right now, and whether it runs already is not
// to be told. If it runs elsewhere by the time of the interrupt, it came there through an inbox,
// after what the caller did.
void thread_kick(struct thread *thread)
{
    uintptr_t irq = hal_irq_save();
    atomic_thread_fence(memory_order_seq_cst); // what the caller did comes before these looks
    struct cpu *cpu = thread_cpu(thread);
    bool is_parked = atomic_load_explicit(&thread->state, memory_order_relaxed) == THREAD_PARKED;
    if (thread != thread_self() && cpu != NULL && !is_parked) {
        cpu_kick(cpu->index);
    }
    hal_irq_restore(irq);
}

static bool (*serve_function)(bool never_restarts);

void thread_serve_set(bool (*serve)(bool never_restarts))
{
    serve_function = serve;
}

void thread_serve_begin_once(void)
{
    thread_serve_begin();
    thread_self()->never_restarts = true;
}

// What is called may wait itself, in the same or in another way.
void thread_serve_slow(void)
{
    struct thread *self = thread_self();
    bool had_served = self->has_served;
    bool never_restarts = self->never_restarts;
    self->is_serving = false;
    bool has_served = serve_function(never_restarts);
    self->has_served = had_served || has_served;
    self->never_restarts = never_restarts;
    self->is_serving = true;
    // It may have parked, and so have used up the wake that the caller is about to wait for: the
    // next park returns at once, and the caller looks again. An exchange, as in thread_park.
    (void)atomic_exchange(&self->state, THREAD_NOTIFIED);
}

// Behind the first, whatever time it has used: a caller that yields means another to run.
static inline void fall_behind(struct thread *self, const struct thread *first)
{
    if (!is_real_time(self) && self->order < first->order) {
        self->order = first->order;
    }
}

__attribute__((noinline)) static void yield_to_some(struct cpu *cpu, struct thread *self)
{
    fall_behind(self, runq_first(cpu));
    sched_switch(cpu, cpu);
}

void thread_yield(void)
{
    uintptr_t irq = hal_irq_save();
    struct cpu *cpu = hal_cpu_self();
    inbox_drain(cpu);
    struct thread *self = cpu->current, *first = runq_first(cpu);
    if (first == NULL) {
        // Nobody else has anything to do here.
    } else if (line_count(cpu) != 0 || atomic_load(&self->unusual) != 0 ||
               self->preempt_count != 0) {
        yield_to_some(cpu, self);
    } else {
        fall_behind(self, first);
        (void)runtime_open(cpu);
        switch_next(cpu, next_exchange(cpu, self));
    }
    hal_irq_restore(irq);
}

void preempt_disable(void)
{
    struct thread *self = thread_self();
    ++self->preempt_count;
    atomic_signal_fence(memory_order_seq_cst);
}

void preempt_enable(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    struct thread *self = thread_self();
    ASSERT(self->preempt_count > 0);
    if (--self->preempt_count == 0 && self->need_switch) {
        self->need_switch = false;
        uintptr_t irq = hal_irq_save();
        self->preempted = true;
        sched_switch(hal_cpu_self(), hal_cpu_self());
        hal_irq_restore(irq);
    }
}
