// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: what the machine keeps for one CPU, at TPIDR_EL1.
//
// Invariant: touched by its own CPU only, with interrupts off.
#ifndef HAL_AARCH64_MACHINE_PERCPU_H
#define HAL_AARCH64_MACHINE_PERCPU_H

#include <stddef.h>

#include "hal/common/entropy.h"
#include "hal/hal.h"

enum { BOUNCE_SIZE = 4096 };

struct percpu {
    struct cpu *cpu;       // core's, for hal_cpu_self
    char *entry_stack;     // of the running context; its top
    uint64_t upcall_count; // trap_upcalls
    hal_ns deadline;       // what core asked for; UINT64_MAX is none
    uint32_t index;
    struct entropy entropy;
    _Alignas(16) char bounce[BOUNCE_SIZE];
};

_Static_assert(offsetof(struct percpu, cpu) == PERCPU_CPU, "hal_inline.h");
_Static_assert(offsetof(struct percpu, entry_stack) == PERCPU_ENTRY_STACK, "switch.S, vector.S");

static inline struct percpu *percpu_self(void)
{
    struct percpu *percpu;
    __asm__ volatile("mrs %0, tpidr_el1" : "=r"(percpu));
    return percpu;
}

// Where exceptions of this CPU land. In vector.S.
void percpu_bounce_set(char *top);

#endif
