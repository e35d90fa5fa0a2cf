// SPDX-License-Identifier: BSD-3-Clause
// irq.h: from a host signal to an upcall.
#ifndef HAL_LINUX_IRQ_H
#define HAL_LINUX_IRQ_H

#include <signal.h>
#include <stdatomic.h>
#include <ucontext.h>

#include "hal-linux/vcpu.h"

// How often the handlers met each of their cases: a test of races wants to know that it met them
// all.
struct irq_counts {
    _Atomic uint64_t nothing, masked, exit_restart, exit_jump, framed, faults, faults_masked,
        read_end;
    _Atomic uint64_t depth_max; // most bytes of an entry stack in use at an entry
};
extern struct irq_counts irq_counts;

// Flags besides FRAME_FLAGS_FIXED that an entry keeps: 0, but the single-step test keeps the trap
// flag.
extern uint64_t irq_flags_kept;

// Calls the upcalls for what is pending. Interrupts off.
void irq_deliver(struct hal_frame *frame);

// Where a new frame goes for what is interrupted at ip with its stack pointer at sp.
struct hal_frame *irq_frame_place(const struct vcpu *vcpu, uint64_t ip, uint64_t sp);

// Makes sigreturn go to the entry stub with a frame of what it would have gone back to.
struct hal_frame *irq_frame_push(struct vcpu *vcpu, greg_t *general);

// The handler of VCPU_SIGNAL.
void irq_signal(int signal, siginfo_t *info, void *ucontext);

// The handler of SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP and SIGSYS.
void fault_signal(int signal, siginfo_t *info, void *ucontext);

// What a frame of FRAME_FAULT or FRAME_SYSCALL asks for. Interrupts off.
void fault_deliver(struct hal_frame *frame);

static inline void irq_count(_Atomic uint64_t *count)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

#endif
