// SPDX-License-Identifier: BSD-3-Clause
// hal_inline.h: the inline half of the contract at EL1 of aarch64.
//
// The per-CPU block is at TPIDR_EL1. What belongs to the running context must be one read, or a
// migration between two would give another context's: its self is TPIDRRO_EL0, a register that
// nothing else uses at EL1 and that hal_context_switch carries along; its thread pointer is
// TPIDR_EL0.
#ifndef HAL_AARCH64_ISA_HAL_INLINE_H
#define HAL_AARCH64_ISA_HAL_INLINE_H

#include "hal-aarch64/isa/percpu.h"

enum { IRQ_MASKED = 0x80 }; // DAIF.I

// A migration between the two instructions gives the CPU that the caller was on: stale, as it may
// be.
static inline struct cpu *hal_cpu_self(void)
{
    struct cpu *cpu;
    __asm__ volatile("mrs %0, tpidr_el1\n\tldr %0, [%0, %1]" : "=&r"(cpu) : "i"(PERCPU_CPU));
    return cpu;
}

// Not volatile: within one context the answer never changes, so the compiler may keep it.
static inline void *hal_self(void)
{
    void *self;
    __asm__("mrs %0, tpidrro_el0" : "=r"(self));
    return self;
}

static inline void hal_cpu_relax(void)
{
    __asm__ volatile("yield" ::: "memory");
}

// The load touches HAL_STACK_PROBE bytes below sp: a page of an application's stack that comes on
// first touch comes here, with interrupts still on, and not in the masked code that follows.
// (trap.c knows the instruction.)
static inline uintptr_t hal_irq_save(void)
{
    uintptr_t state;
    __asm__ volatile("sub %0, sp, %1\n\tldrb wzr, [%0]\n\tmrs %0, daif\n\tmsr daifset, #2"
                     : "=&r"(state)
                     : "i"(HAL_STACK_PROBE)
                     : "memory");
    return state & IRQ_MASKED;
}

static inline void hal_irq_restore(uintptr_t state)
{
    if (state == 0) {
        __asm__ volatile("msr daifclr, #2" ::: "memory");
    }
}

static inline bool hal_irq_enabled(void)
{
    uintptr_t state;
    __asm__ volatile("mrs %0, daif" : "=r"(state) : : "memory");
    return (state & IRQ_MASKED) == 0;
}

// No faults are planted here.
static inline bool hal_inject(enum hal_inject kind)
{
    (void)kind;
    return false;
}

#endif
