// SPDX-License-Identifier: BSD-3-Clause
// sched.c: starting the scheduler, its interrupts, and what a CPU does when it has nothing to do.
//
// A CPU's boot context becomes nothing: the CPU goes on in its idle thread, which is always ready
// and in no queue.
#include "core/sched/sched.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/frame_clear.h"
#include "core/sched/cpu.h"
#include "hal/upcall.h"

static struct cpu boot_cpu;
struct cpu *sched_cpus[HAL_CPU_MAX] = {&boot_cpu};
uint32_t sched_count = 1;
static void (*_Atomic frame_hook)(struct hal_frame *frame); // other CPUs run when it is registered

void sched_frame_hook_set(void (*hook)(struct hal_frame *frame))
{
    atomic_store_explicit(&frame_hook, hook,
                          memory_order_release); // pairs with sched_interrupt_end
}

uint32_t sched_cpu_count(void)
{
    return sched_count;
}

// Should the caller move meanwhile, it is told of the CPU that it was on.
bool thread_is_waited_for(void)
{
    return runq_count(hal_cpu_self()) > 0;
}

uint32_t thread_cpu_index(void)
{
    return hal_cpu_self()->index;
}

void sched_fault_count(void)
{
    uintptr_t irq = hal_irq_save();
    count_add(&hal_cpu_self()->counts.faults, 1);
    hal_irq_restore(irq);
}

void sched_counts_get(uint32_t cpu, struct sched_counts *counts)
{
    const struct sched_counts *from = &sched_cpus[cpu]->counts;
    *counts = (struct sched_counts){
        .switches = count_get(&from->switches),
        .wakes = count_get(&from->wakes),
        .kicks = count_get(&from->kicks),
        .interrupts = count_get(&from->interrupts),
        .timers = count_get(&from->timers),
        .kicked = count_get(&from->kicked),
        .faults = count_get(&from->faults),
        .polls = count_get(&from->polls),
        .polled_ns = count_get(&from->polled_ns),
        .polled_vain_ns = count_get(&from->polled_vain_ns),
        .unkicked = count_get(&from->unkicked),
        .moves = count_get(&from->moves),
    };
}

void sched_counts_sum(struct sched_counts *sum)
{
    *sum = (struct sched_counts){0};
    for (uint32_t i = 0; i < sched_count; ++i) {
        struct sched_counts counts;
        sched_counts_get(i, &counts);
        sum->switches += counts.switches;
        sum->wakes += counts.wakes;
        sum->kicks += counts.kicks;
        sum->interrupts += counts.interrupts;
        sum->timers += counts.timers;
        sum->kicked += counts.kicked;
        sum->faults += counts.faults;
        sum->polls += counts.polls;
        sum->polled_ns += counts.polled_ns;
        sum->polled_vain_ns += counts.polled_vain_ns;
        sum->unkicked += counts.unkicked;
        sum->moves += counts.moves;
    }
}

// Is it the turn of the first in the queue? When not, the timer asks again when it may be.
static void preempt(struct cpu *cpu)
{
    hal_ns now = sched_account(cpu);
    hal_ns wait = schedule_wait(cpu);
    if (wait == UINT64_MAX) {
        return;
    }
    if (wait > 0) {
        timer_want(cpu, now + wait);
    } else if (cpu->current->preempt_count > 0) {
        cpu->current->need_switch = true;
    } else {
        cpu->current->preempted = true;
        sched_switch(cpu, cpu);
    }
}

void sched_interrupt_end(struct hal_frame *frame)
{
    struct cpu *cpu = hal_cpu_self();
    count_add(&cpu->counts.interrupts, 1);
    // The idle thread looks at the queue itself.
    if (runq_count(cpu) > 0 && cpu->current != &cpu->idle_thread) {
        preempt(cpu);
    }
    void (*hook)(struct hal_frame *) = atomic_load_explicit(&frame_hook, memory_order_acquire);
    if (hook != NULL) {
        hook(frame);
    }
}

void sched_look_again(hal_ns delay)
{
    timer_want(hal_cpu_self(), hal_clock_ns() + delay);
}

void upcall_timer(struct hal_frame *frame)
{
    struct cpu *cpu = hal_cpu_self();
    hal_ns now = hal_clock_ns();
    count_add(&cpu->counts.timers, 1);
    inbox_drain(cpu);
    timer_expire(cpu, now);
    cpu->current->found = THREAD_FOUND;
    balance_push(cpu, now);
    sched_interrupt_end(frame);
}

// Sends away what a changed mask forbids to be here.
static void affinity_check(struct cpu *cpu)
{
    struct thread *current = cpu->current;
    affinity_enforce(cpu);
    if (current == &cpu->idle_thread || cpu_is_allowed(current, cpu)) {
        return;
    }
    if (current->preempt_count > 0) {
        current->need_switch = true;
    } else {
        sched_switch(cpu, cpu);
    }
}

void sched_errand_send(uint32_t cpu, void (*errand)(void))
{
    ASSERT(cpu < sched_count && sched_cpus[cpu] != hal_cpu_self());
    ASSERT(atomic_load_explicit(&sched_cpus[cpu]->errand, memory_order_relaxed) == NULL);
    // Release pairs with the exchange in errand_run.
    atomic_store_explicit(&sched_cpus[cpu]->errand, errand, memory_order_release);
    cpu_kick(cpu);
}

static void errand_run(struct cpu *cpu)
{
    if (atomic_load_explicit(&cpu->errand, memory_order_relaxed) != NULL) {
        void (*errand)(void) = atomic_exchange(&cpu->errand, NULL);
        errand();
    }
}

void upcall_kick(struct hal_frame *frame)
{
    struct cpu *cpu = hal_cpu_self();
    count_add(&cpu->counts.kicked, 1);
    errand_run(cpu);
    inbox_drain(cpu);
    if (atomic_load_explicit(&cpu->schedule_changed, memory_order_relaxed) &&
        atomic_exchange(&cpu->schedule_changed, false)) {
        schedule_enforce(cpu);
    }
    if (runq_count(cpu) > 0) {
        balance_push(cpu, hal_clock_ns());
    }
    if (atomic_load_explicit(&cpu->affinity_changed, memory_order_relaxed) &&
        atomic_exchange(&cpu->affinity_changed, false)) {
        affinity_check(cpu);
    }
    quiescence_interrupt(hal_cpu_self()); // affinity_check may have switched
    sched_interrupt_end(frame);
}

// Free memory is cleared page by page; interrupts are let in between, and who wakes up is seen.
// True: there is work.
static bool clear_run(struct cpu *cpu)
{
    while (frame_clear()) {
        if (inbox_poll(cpu, 0) || runq_count(cpu) > 0) {
            MARK("sched: work comes while memory is cleared");
            return true;
        }
    }
    return false;
}

static void idle_run(void *argument)
{
    struct cpu *cpu = argument; // the idle thread stays
    sched_finish();
    poll_begin(cpu);
    for (;;) {
        inbox_watch(cpu);
        inbox_drain(cpu);
        if (runq_count(cpu) > 0) {
            atomic_store_explicit(&cpu->idle, false, memory_order_relaxed);
            (void)inbox_unwatch(cpu); // its fence pairs with the one in quiescence_wait, too
            sched_switch(cpu, NULL);
            poll_begin(cpu);
            continue;
        }
        // Before the kick that makes another's balance_push look.
        // Release pairs with quiescence.c.
        atomic_store_explicit(&cpu->idle, true, memory_order_release);
        balance_pull(cpu);
        if (!poll_run(cpu) && !clear_run(cpu) && inbox_unwatch(cpu)) {
            timer_settle(cpu);
            hal_cpu_idle();
        }
    }
}

void sched_idle_init(struct cpu *cpu)
{
    struct thread *idle = &cpu->idle_thread;
    hal_context_init(&idle->context, idle->stack, idle->stack_size, idle_run, cpu);
}

// Leaves the boot stack for ever.
HAL_NORETURN static void cpu_run(struct cpu *cpu)
{
    struct thread *idle = &cpu->idle_thread;
    struct hal_context boot = {0};
    cpu->current = idle;
    cpu->now_ns = hal_clock_ns();
    (void)decay_anchor(&cpu->clock, cpu->now_ns);
    atomic_store_explicit(&idle->switched_ns, cpu->now_ns, memory_order_relaxed);
    hal_context_switch(&boot, &idle->context);
    __builtin_unreachable();
}

void upcall_cpu(struct cpu *cpu)
{
    cpu_run(cpu);
}

void sched_adopt(void)
{
    hal_cpu_adopt(sched_cpus[0]);
}

// The CPU begins at the far end of its idle thread's stack, which comes to need that later, if ever.
// One that does not start is fatal: nothing runs yet.
static void cpu_start(struct cpu *cpu)
{
    enum { START_SIZE = 2 * HAL_PAGE_SIZE };
    int error = hal_cpu_start(cpu->index, cpu, cpu->idle_thread.stack, START_SIZE);
    ASSERT(error == 0);
}

// -ENOMEM is fatal here, too.
static void cpus_make(void)
{
    size_t size = sizeof(struct cpu) + inbox_size(sched_count);
    hal_phys start;
    size_t pages = (sched_count * size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    int error = frame_alloc(pages, FRAME_ZERO, &start);
    ASSERT(error == 0);
    for (uint32_t i = 0; i < sched_count; ++i) {
        char *memory = frame_address(start) + i * size;
        if (i > 0) {
            sched_cpus[i] = (struct cpu *)(void *)memory;
        }
        inbox_init(sched_cpus[i], memory + sizeof(struct cpu));
    }
}

void sched_start(const struct hal_boot *boot, void (*first)(void *), void *argument)
{
    ASSERT(hal_cpu_self() == sched_cpus[0] && !hal_irq_enabled());
    ASSERT(boot->cpu_count >= 1 && boot->cpu_count <= HAL_CPU_MAX);
    sched_count = boot->cpu_count;
    struct hal_cpu_set all = {0};
    cpus_make();
    for (uint32_t i = 0; i < sched_count; ++i) {
        struct cpu *cpu = sched_cpus[i];
        cpu->index = i;
        cpu->heap = percpu_heaps[i];
        poll_init(cpu);
        cpu->timer_ns = UINT64_MAX;
        all.words[i / 64] |= 1ul << i % 64;
        thread_idle_init(cpu);
        sched_idle_init(cpu);
    }
    struct cpu *cpu = sched_cpus[0];
    cpu->current = &cpu->idle_thread;
    struct thread *thread;
    const struct thread_config config = {.name = "main", .affinity = &all, .detached = true};
    int error = thread_create(&thread, &config, first, argument);
    ASSERT(error == 0);
    thread_start(thread);
    for (uint32_t i = 1; i < sched_count; ++i) {
        cpu_start(sched_cpus[i]);
    }
    cpu_run(cpu);
}
