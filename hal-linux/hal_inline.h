// SPDX-License-Identifier: BSD-3-Clause
// hal_inline.h: the inline half of the contract in a process on x86_64.
//
// GS base is the address of this host thread's struct vcpu (vcpu.h asserts the offsets). Interrupts
// are off while its word `masked` is 1: a signal then only leaves its reasons in `pending`, and
// whoever stores the 0 looks there. Each body reads or writes GS memory one instruction at a time,
// so that a preemption, and the migration that comes with it, finds nothing half done.
#ifndef HAL_LINUX_HAL_INLINE_H
#define HAL_LINUX_HAL_INLINE_H

#include "hal-x86_64/isa/percpu.h"

enum { VCPU_MASKED = 40, VCPU_PENDING = 44 };

// Calls the upcalls that are pending and turns delivery on. Interrupts are off on entry.
void vcpu_unmask_slow(void);

// The first instruction reads HAL_STACK_PROBE bytes below rsp. On an application's stack whose
// pages come on first touch, the fault is taken here, with interrupts still on, and not in the
// masked code that follows.
//
// A preemption between the other two is harmless: it can only happen while the word is 0, and it is
// 0 again when this context is resumed, wherever that is.
static inline uintptr_t hal_irq_save(void)
{
    uint32_t state;
    __asm__ volatile("testb $0, -%c2(%%rsp)\n\tmovl %%gs:%c1, %0\n\tmovl $1, %%gs:%c1"
                     : "=&r"(state)
                     : "i"(VCPU_MASKED), "i"(HAL_STACK_PROBE)
                     : "memory", "cc");
    return state;
}

// A signal before the store finds the word set and leaves its reason in pending, which the compare
// sees. A signal after the store is delivered at once. Store and compare need no fence: both sides
// run on the same host thread. (A sender on another thread always sends the signal.)
static inline void hal_irq_restore(uintptr_t state)
{
    if (state == 0) {
        __asm__ goto("movl $0, %%gs:%c0\n\tcmpl $0, %%gs:%c1\n\tjne %l2"
                     :
                     : "i"(VCPU_MASKED), "i"(VCPU_PENDING)
                     : "memory", "cc"
                     : slow);
    }
    return;
slow:
    vcpu_unmask_slow();
}

static inline bool hal_irq_enabled(void)
{
    uint32_t state;
    __asm__ volatile("movl %%gs:%c1, %0" : "=r"(state) : "i"(VCPU_MASKED));
    return state == 0;
}

// No faults are planted here.
static inline bool hal_inject(enum hal_inject kind)
{
    (void)kind;
    return false;
}

#endif
