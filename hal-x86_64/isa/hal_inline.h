// SPDX-License-Identifier: BSD-3-Clause
// hal_inline.h: the inline half of the contract in ring 0 of x86_64.
//
// What needs no privilege is in percpu.h; interrupts are the processor's own flag.
#ifndef HAL_X86_64_ISA_HAL_INLINE_H
#define HAL_X86_64_ISA_HAL_INLINE_H

#include "hal-x86_64/isa/percpu.h"

enum { IRQ_FLAG = 0x200 };

// Kernels are compiled without a red zone, so there is nothing right below rsp. Not volatile, so
// that it costs nothing where the answer is not used; the clobber keeps it where it is.
static inline uintptr_t hal_irq_flags(void)
{
    uintptr_t flags;
    __asm__("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
    return flags;
}

// The first instruction reads HAL_STACK_PROBE bytes below rsp: a page of an application's stack
// that comes on first touch comes here, with interrupts still on, and not in the masked code that
// follows. (trap.c knows its bytes.)
static inline uintptr_t hal_irq_save(void)
{
    __asm__ volatile("testb $0, -%c0(%%rsp)" : : "i"(HAL_STACK_PROBE) : "memory", "cc");
    const uintptr_t flags = hal_irq_flags();
    __asm__ volatile("cli" ::: "memory");
    return ~flags;
}

static inline void hal_irq_restore(uintptr_t state)
{
    if ((state & IRQ_FLAG) == 0) {
        __asm__ volatile("sti" ::: "memory");
    }
}

static inline bool hal_irq_enabled(void)
{
    return (hal_irq_flags() & IRQ_FLAG) != 0;
}

// No faults are planted here.
static inline bool hal_inject(enum hal_inject kind)
{
    (void)kind;
    return false;
}

#endif
