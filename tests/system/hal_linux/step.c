// SPDX-License-Identifier: BSD-3-Clause
// step.c: a signal at every instruction boundary of the contract's own code.
//
// The thread under test runs with the trap flag set, through its own code, the entry stub, the
// upcall, a context switch and back. SIGTRAP counts instructions; at the chosen ones a kick is
// injected, which the host delivers at exactly that instruction. Each run must give the right
// answer and exactly the injected number of upcalls (fewer only where two kicks coalesced before
// the first was delivered).
#include "tests/system/hal_linux/cases.h"

#include <signal.h>
#include <ucontext.h>

#include "tests/system/hal_linux/sched.h"
#include "hal-linux/entry.h"
#include "hal-linux/irq.h"
#include "hal-linux/syscall.h"
#include "hal-linux/vcpu.h"

enum { TRAP_FLAG = 0x100, INJECT_MAX = 3, LATE_MAX = 20 };

uint64_t hold_registers(uint64_t rounds, uint64_t seed, uint64_t avx512);

static uint64_t step_index, step_last, late_steps;
static uint64_t inject_at[INJECT_MAX];
static uint32_t inject_next, inject_count, coalesced;
static volatile bool partner_stop;
uint64_t step_stride = 1;

static void step_trap(int signal, siginfo_t *info, void *ucontext)
{
    (void)signal;
    (void)info;
    ++step_index;
    struct vcpu *vcpu = vcpu_self();
    // Unmasked with a kick pending is right only between an unmask and the look at pending behind
    // it.
    bool late = atomic_load(&vcpu->masked) == 0 && (atomic_load(&vcpu->pending) & VCPU_KICK) != 0;
    late_steps = late ? late_steps + 1 : 0;
    if (late_steps >= LATE_MAX) {
        sched_panic("kick not delivered at ip",
                    (uint64_t)((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP]);
    }
    if (inject_next < inject_count && step_index == inject_at[inject_next]) {
        ++inject_next;
        coalesced += (atomic_fetch_or(&vcpu->pending, VCPU_KICK) & VCPU_KICK) != 0;
        syscall3(SYS_tgkill, vcpu_pid, vcpu->tid, VCPU_SIGNAL);
    }
}

static void step_install(void)
{
    const struct { // the kernel's own form: see boot.c
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {step_trap, SA_SIGINFO | SA_ONSTACK | 0x04000000, entry_sigreturn, UINT64_MAX};
    ASSERT(syscall4(SYS_rt_sigaction, SIGTRAP, (long)&action, 0, 8) == 0);
}

static void step_begin(void)
{
    step_index = 0;
    inject_next = 0;
    coalesced = 0;
    irq_flags_kept = TRAP_FLAG;
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
}

static void step_end(void)
{
    __asm__ volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
    irq_flags_kept = 0;
    step_last = step_index;
}

static void partner_run(void *arg)
{
    (void)arg;
    while (!partner_stop) {
        thread_yield();
    }
}

// The code under test: registers, masking, a voluntary switch.
static void scenario(uint64_t seed, uint64_t avx512)
{
    uint64_t kicks = cpus[0].kick_count;
    step_begin();
    uint64_t wrong = hold_registers(3, seed, avx512);
    uintptr_t state = hal_irq_save();
    uintptr_t nested = hal_irq_save();
    hal_irq_restore(nested);
    bool masked = !hal_irq_enabled();
    hal_irq_restore(state);
    thread_yield();
    bool enabled = hal_irq_enabled();
    step_end();
    ASSERT(wrong == 0);
    ASSERT(masked && enabled);
    ASSERT(inject_next + coalesced >= inject_count || step_last < inject_at[inject_count - 1]);
    ASSERT(cpus[0].kick_count - kicks == inject_next - coalesced);
    ASSERT((atomic_load(&vcpu_self()->pending) & VCPU_KICK) == 0);
}

void step_run(void *arg)
{
    (void)arg;
    step_install();
    uint64_t avx512 = __builtin_cpu_supports("avx512bw") != 0, runs = 0, second = 0;
    thread_create(0, NULL, NULL, partner_run, NULL);
    sched_options.slice_min_ns = 3600000000000;
    for (int on_kick = 0; on_kick < 2; ++on_kick) {
        sched_options.switch_on_kick = on_kick;
        inject_count = 0;
        scenario(1, avx512);
        uint64_t length = step_last;
        report("instructions in the scenario:", length);
        inject_count = 1;
        for (inject_at[0] = 1; inject_at[0] <= length; inject_at[0] += step_stride, ++runs) {
            scenario(inject_at[0] * 77, avx512);
        }
        // Two kicks: the first at a few places, the second everywhere after it until it is
        // delivered.
        inject_count = 2;
        for (inject_at[0] = 60; inject_at[0] <= length; inject_at[0] += length / 3, ++second) {
            step_last = UINT64_MAX;
            for (inject_at[1] = inject_at[0] + 1 + second % 3; inject_at[1] <= step_last;
                 inject_at[1] += 3 * step_stride, ++runs) {
                scenario(inject_at[1] * 79, avx512);
            }
        }
        // Three: the third close behind the second, inside what the second caused.
        inject_count = 3;
        inject_at[0] = 70;
        step_last = UINT64_MAX;
        for (inject_at[1] = 71; inject_at[1] < 800; inject_at[1] += 17 * step_stride) {
            for (uint64_t after = 1; after < 40; after += 2, ++runs) {
                inject_at[2] = inject_at[1] + after;
                scenario(after, avx512);
            }
        }
    }
    partner_stop = true;
    report("runs, all right:", runs);
    report("signals that restarted the exit:", atomic_load(&irq_counts.exit_restart));
    report("signals between unmask and jump:", atomic_load(&irq_counts.exit_jump));
    report("signals while masked:", atomic_load(&irq_counts.masked));
    report("signals that became an interrupt:", atomic_load(&irq_counts.framed));
    case_passed();
}
