// SPDX-License-Identifier: BSD-3-Clause
// pair.c: threads that hand over to each other come together on one CPU.
//
// A thread wakes on its last CPU. Where that is not the waker's, and the waker has nothing more to
// do, a wake costs a look or a kick, and two CPUs are in use where one would do: on one CPU the
// hand-over is a switch. Where the waker is busy after the wake both get on, and on one CPU they
// would not. So a thread that is about to park judges the last wake that it sent to another CPU:
//
// - It was a hand-over if the other CPU was idle, and the waker ran on for less than what the wake
//   took: PAIR_KICKED_NS if that CPU had to be kicked, PAIR_POLLED_NS if it looked by itself. A CPU
//   that has others to run is left to them.
// - After PAIR_HANDOVERS of them in a row, always to the same thread, which in between nobody else
//   woke from another CPU, the waker goes to the other's CPU, and parks there: the next wakes are
//   local. One that serves many stays where it is, and so do they.
// - Not where it parks for a mutex: they contend, and would have to take turns.
// - Once in PAIR_REST_NS at most, so that going to and fro, whatever the reason, costs next to
//   nothing.
//
// The other way, apart, is balance.c's: who waits for SCHED_WAIT_NS while a CPU is idle goes there.
// That is twice PAIR_KICKED_NS: two who are in between stay as they are.
//
// Nothing here is shared: a parking thread goes as one goes that is told to by its affinity
// (switch.c), and parks when it is its turn over there; till then balance.c does not push it away.
// partner is only compared, and asked for its CPU, which may be any by then.
#include "core/sched/cpu.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"

enum {
    PAIR_HANDOVERS = 8,
    PAIR_KICKED_NS = 25000,
    PAIR_POLLED_NS = 2000,
    PAIR_REST_NS = 10000000,
};

_Static_assert(SCHED_WAIT_NS == 2 * PAIR_KICKED_NS, "hysteresis");

// The caller owns thread until it is posted, and what is its own then is the waker's.
void pair_post(struct cpu *cpu, struct cpu *target, struct thread *thread)
{
    struct thread *self = cpu->current;
    if (!cpu_is_allowed(self, target) || is_real_time(self) || is_real_time(thread)) {
        (void)inbox_post(target, thread);
        return;
    }
    struct thread_pair *pair = &self->pair;
    if (pair->partner != thread || thread->pair.waker != self) {
        pair->partner = thread;
        thread->pair.waker = self;
        pair->handovers = 0;
    }
    bool is_free = atomic_load_explicit(&target->idle, memory_order_relaxed);
    bool is_kicked = inbox_post(target, thread);
    pair->cost_ns = !is_free ? 0 : is_kicked ? PAIR_KICKED_NS : PAIR_POLLED_NS;
    pair->woke_ns = hal_clock_ns();
}

void pair_rest(struct thread *thread, hal_ns now)
{
    thread->pair.rest_ns = now + PAIR_REST_NS;
}

static void go(struct thread *self, struct cpu *target)
{
    uintptr_t irq = hal_irq_save();
    struct cpu *cpu = hal_cpu_self();
    if (target != cpu && cpu_is_allowed(self, target)) {
        MARK("pair: one goes to the other");
        self->pair.is_parking = true;
        sched_switch(cpu, target);
        self->pair.is_parking = false;
    }
    hal_irq_restore(irq);
}

void pair_judge(struct thread *self)
{
    struct thread_pair *pair = &self->pair;
    ASSERT(pair->woke_ns != 0);
    hal_ns now = hal_clock_ns();
    hal_ns span = now - pair->woke_ns;
    pair->woke_ns = 0;
    if (atomic_load_explicit(&self->wait_kind, memory_order_relaxed) == THREAD_WAIT_MUTEX) {
        return;
    }
    pair->handovers = span < pair->cost_ns ? pair->handovers + 1 : 0;
    struct cpu *target = thread_cpu(pair->partner);
    if (pair->handovers >= PAIR_HANDOVERS && now >= pair->rest_ns && target != NULL) {
        pair->handovers = 0;
        pair_rest(self, now);
        go(self, target);
    }
}
