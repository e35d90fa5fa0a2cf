// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: the start of the per-CPU block that TPIDR_EL1 points to; what lies behind is the
// machine's.
#ifndef HAL_AARCH64_ISA_PERCPU_H
#define HAL_AARCH64_ISA_PERCPU_H

// switch.S and vector.S have the same numbers.
enum {
    PERCPU_CPU = 0,         // core's struct cpu
    PERCPU_ENTRY_STACK = 8, // of the running context
    PERCPU_MACHINE = 16,
};

#endif
