// SPDX-License-Identifier: BSD-3-Clause
// quiescence.c: waiting until every CPU has been outside of any section.
//
// A thread in a section keeps its CPU. So a CPU that has changed threads, or was interrupted
// outside of a section, or idles, has left all sections that were under way before. Whoever waits
// raises quiescence_asked; each CPU answers by setting its own `answered` to that number after its
// next switch, or in an interrupt, for those that do not switch are kicked in the end. Interrupted
// in a section it has the thread switch at the section's end. While nobody waits, a switch costs a
// look at two numbers.
//
// An interrupt that begins a section where a CPU idles says so: the asker then waits for the CPU to
// answer by itself.
//
// Invariant: `missing` is how many CPUs have not answered the number in quiescence_asked. Who turns
// a CPU's `answered` into that number counts it down, once; the CPU itself, or for one that idles
// the asker.
#include "core/sched/quiescence.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/sched/cpu.h"

_Alignas(CPU_LINE) _Atomic uint64_t quiescence_asked;
static _Alignas(CPU_LINE) _Atomic uint32_t missing;
static _Atomic(struct thread *) asker;

void quiescence_answer(struct cpu *cpu)
{
    ASSERT(!hal_irq_enabled());
    // Acquire pairs with the store in quiescence_wait: what the asker did before is seen by
    // sections that begin from here on.
    uint64_t number = atomic_load_explicit(&quiescence_asked, memory_order_acquire);
    uint64_t answered = atomic_load_explicit(&cpu->answered, memory_order_relaxed);
    if (answered == number) {
        return;
    }
    if (!atomic_compare_exchange_strong(&cpu->answered, &answered, number)) {
        MARK("quiescence: two answer for a CPU");
        return;
    }
    struct thread *thread = atomic_load_explicit(&asker, memory_order_relaxed);
    // Release: what was looked at in sections comes before the asker's acquire load.
    if (atomic_fetch_sub(&missing, 1) == 1) {
        thread_wake(thread); // which may be far away by now: a wake too many
    }
}

// The thread that is interrupted may have a switch owed to it, which is not for here.
void quiescence_interrupt_begin(void)
{
    struct cpu *cpu = hal_cpu_self();
    ASSERT(!hal_irq_enabled());
    ++cpu->current->preempt_count;
    atomic_store_explicit(&cpu->in_section, true, memory_order_relaxed);
    // Pairs with the fence in quiescence_wait: the asker sees the section, or it what the asker
    // did.
    atomic_thread_fence(memory_order_seq_cst);
}

void quiescence_interrupt_end(void)
{
    struct cpu *cpu = hal_cpu_self();
    // Release pairs with the acquire in cpu_ask: the section has ended.
    atomic_store_explicit(&cpu->in_section, false, memory_order_release);
    --cpu->current->preempt_count;
}

void quiescence_interrupt(struct cpu *cpu)
{
    struct thread *current = cpu->current;
    if (!quiescence_is_asked(cpu)) {
        return;
    }
    if (current->preempt_count == 0) {
        MARK("quiescence: interrupted outside of a section");
        quiescence_answer(cpu);
    } else {
        MARK("quiescence: interrupted in a section");
        current->need_switch = true;
    }
}

// One that idles answers nothing by itself for long. Acquire pairs with the release store in
// idle_run: the sections before it have ended. The fences here and there see to it that either
// this look finds it awake, or its later sections find what the asker did.
static void cpu_ask(struct cpu *cpu, bool kicks)
{
    uintptr_t irq = hal_irq_save();
    if (!quiescence_is_asked(cpu)) {
        // It has answered.
    } else if (cpu == hal_cpu_self()) {
        quiescence_answer(cpu);
    } else if (atomic_load_explicit(&cpu->idle, memory_order_acquire) &&
               !atomic_load_explicit(&cpu->in_section, memory_order_acquire)) {
        MARK("quiescence: a CPU idles");
        quiescence_answer(cpu);
    } else if (kicks) {
        cpu_kick(cpu->index);
    }
    hal_irq_restore(irq);
}

static void cpus_ask(bool kicks)
{
    for (uint32_t i = 0; i < sched_count; ++i) {
        cpu_ask(sched_cpus[i], kicks);
    }
}

void quiescence_wait(hal_ns patience)
{
    struct thread *self = thread_self();
    ASSERT(self->preempt_count == 0);
    ASSERT(atomic_load_explicit(&asker, memory_order_relaxed) == NULL);
    atomic_store_explicit(&asker, self, memory_order_relaxed);
    atomic_store_explicit(&missing, sched_count, memory_order_relaxed);
    uint64_t number = atomic_load_explicit(&quiescence_asked, memory_order_relaxed) + 1;
    atomic_store_explicit(&quiescence_asked, number, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst); // pairs with the one in idle_run
    cpus_ask(patience == 0);
    hal_ns deadline = patience == 0 ? UINT64_MAX : hal_clock_ns() + patience;
    while (atomic_load_explicit(&missing, memory_order_acquire) != 0) {
        if (!thread_park_until(deadline)) {
            MARK("quiescence: out of patience");
            cpus_ask(true);
            deadline = UINT64_MAX;
        }
    }
    atomic_store_explicit(&asker, NULL, memory_order_relaxed);
}
