// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: the start of every x86_64 machine's per-CPU block, which GS base points to.
//
// Each inline body is one instruction that reads GS memory, so a preemption, and the migration that
// comes with it, falls before or after it and never inside. What lies behind these words is the
// machine's.
#ifndef HAL_X86_64_ISA_PERCPU_H
#define HAL_X86_64_ISA_PERCPU_H

// Offsets from GS base. switch.S and the machine's own assembly have the same numbers.
enum {
    PERCPU_BLOCK = 0,        // the block's own address
    PERCPU_CPU = 8,          // core's struct cpu
    PERCPU_SELF = 16,        // of the running context
    PERCPU_ENTRY_STACK = 24, // of the running context
    PERCPU_TP = 32,          // what FS base is
    PERCPU_MACHINE = 40,     // from here on the machine's own
};

static inline struct cpu *hal_cpu_self(void)
{
    struct cpu *cpu;
    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(PERCPU_CPU));
    return cpu;
}

// Not volatile: within one context the answer never changes, so the compiler may keep it.
static inline void *hal_self(void)
{
    void *self;
    __asm__("movq %%gs:%c1, %0" : "=r"(self) : "i"(PERCPU_SELF));
    return self;
}

static inline void hal_cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

#endif
