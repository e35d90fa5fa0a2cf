// SPDX-License-Identifier: BSD-3-Clause
// vcpu.c: CPUs as host threads: start, kick, idle.
//
// The protocol between vcpu_raise and hal_cpu_idle is one word, pending. The idler swings it from 0
// to VCPU_IDLE and waits while it is that. Whoever raises a cause learns, in the same atomic
// operation, how to make the vCPU look: by futex (VCPU_IDLE was set), by signal (nothing was set),
// or not at all (VCPU_SPIN: it is looking; another cause: whoever raised that one makes it look).
//
// The last case is sound because a vCPU never goes on with a cause pending: it takes one off at a
// time, only to deliver it, and looks at the whole word before it idles or goes on unmasked.
#include "hal-linux/vcpu.h"

#include <asm/prctl.h>
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "hal-linux/clock.h"
#include "hal-linux/halt.h"
#include "hal-linux/irq.h"
#include "hal-linux/syscall.h"

// Waking a halted host CPU costs more than this, so a short wait is better spent looking.
enum { IDLE_SPIN_NS = 15000, IDLE_SPIN_TURNS = 20 };

struct vcpu vcpus[HAL_CPU_MAX];
uint32_t vcpu_count;
uint32_t vcpu_host_count;
int vcpu_pid;

static _Atomic uint32_t vcpu_busy_count; // vCPUs started that do not wait in the host

void hal_cpu_adopt(struct cpu *cpu)
{
    vcpu_self()->cpu = cpu;
    atomic_fetch_add_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
}

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    if (index == 0 || index >= vcpu_count) {
        return -ENODEV;
    }
    struct vcpu *vcpu = &vcpus[index];
    vcpu->cpu = cpu;
    vcpu->start_stack = stack;
    vcpu->start_stack_size = size;
    atomic_fetch_add_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
    atomic_store_explicit(&vcpu->started, 1, memory_order_release); // pairs with vcpu_main
    syscall3(SYS_futex, (long)&vcpu->started, FUTEX_WAKE_PRIVATE, 1);
    return 0;
}

// Masked: a caller that is preempted between the two steps would hold up everybody else's causes.
void vcpu_raise(struct vcpu *vcpu, uint32_t causes)
{
    uintptr_t state = hal_irq_save();
    uint32_t before = atomic_fetch_or(&vcpu->pending, causes);
    if (!(before & (VCPU_CAUSES | VCPU_SPIN)) && vcpu != vcpu_self()) {
        // A vCPU without a thread yet looks when it first turns interrupts on. Its store of tid and
        // its look at pending, and our two accesses here, are all sequentially consistent: one side
        // sees the other.
        int tid = atomic_load(&vcpu->tid);
        if (before & VCPU_IDLE) {
            syscall3(SYS_futex, (long)&vcpu->pending, FUTEX_WAKE_PRIVATE, 1);
        } else if (tid != 0 && syscall3(SYS_tgkill, vcpu_pid, tid, VCPU_SIGNAL) != 0) {
            halt_fatal("tgkill failed", tid);
        }
    }
    hal_irq_restore(state);
}

void vcpu_raise_line(struct vcpu *vcpu, uint32_t line)
{
    atomic_fetch_or(&vcpu->lines[line / 64], 1ul << line % 64);
    vcpu_raise(vcpu, VCPU_DEV);
}

void vcpu_raise_notice(uint32_t notice)
{
    atomic_fetch_or(&vcpus[0].notices, 1u << notice);
    vcpu_raise(&vcpus[0], VCPU_NOTICE);
}

void hal_cpu_kick(uint32_t index)
{
    vcpu_raise(&vcpus[index], VCPU_KICK);
}

void vcpu_adopt_thread(struct vcpu *block)
{
    *block = (struct vcpu){.self = block, .masked = 1, .index = VCPU_HOSTED};
    syscall3(SYS_arch_prctl, ARCH_SET_GS, (long)block, 0);
}

// Worth while when another vCPU, which may wake us soon, is running, and on a host CPU that we do
// not take from anybody. A vCPU that spins counts as running: it may have been woken just now.
static void vcpu_spin(struct vcpu *vcpu)
{
    uint32_t others = atomic_load_explicit(&vcpu_busy_count, memory_order_relaxed) - 1;
    uint32_t none = 0;
    if (others == 0 || others >= vcpu_host_count ||
        !atomic_compare_exchange_strong(&vcpu->pending, &none, VCPU_SPIN)) {
        return;
    }
    hal_ns end = hal_clock_ns() + IDLE_SPIN_NS;
    do {
        for (int i = 0; i < IDLE_SPIN_TURNS; ++i) {
            hal_cpu_relax();
        }
    } while (atomic_load(&vcpu->pending) == VCPU_SPIN && hal_clock_ns() < end);
    atomic_fetch_and(&vcpu->pending, ~(uint32_t)VCPU_SPIN);
}

// The host thread waits while the word is VCPU_IDLE; the deadline is the wait's own timeout.
static void vcpu_wait(struct vcpu *vcpu)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&vcpu->pending, &none, VCPU_IDLE)) {
        return;
    }
    atomic_fetch_sub_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
    while (atomic_load(&vcpu->pending) == VCPU_IDLE) {
        hal_ns deadline = atomic_load_explicit(&vcpu->deadline, memory_order_relaxed);
        struct timespec time = clock_host_time(deadline);
        syscall6(SYS_futex, (long)&vcpu->pending, FUTEX_WAIT_BITSET_PRIVATE, VCPU_IDLE,
                 deadline == UINT64_MAX ? 0 : (long)&time, 0, FUTEX_BITSET_MATCH_ANY);
        clock_timer_check(vcpu);
    }
    atomic_fetch_add_explicit(&vcpu_busy_count, 1, memory_order_relaxed);
    atomic_fetch_and(&vcpu->pending, ~(uint32_t)VCPU_IDLE);
}

void hal_cpu_idle(void)
{
    struct vcpu *vcpu = vcpu_self();
    vcpu_spin(vcpu);
    vcpu_wait(vcpu);
    irq_deliver(NULL);
}
