// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: which CPU's lists are mine?
//
// struct cpu belongs to core/sched, which mem may not include. What mem knows of it is how it
// begins (sched asserts the offsets). hal_cpu_adopt comes before frame_init.
#ifndef CORE_MEM_PERCPU_H
#define CORE_MEM_PERCPU_H

#include <stdint.h>

#include "hal/hal.h"

struct percpu {
    uint32_t index; // 0 .. cpu_count-1
    struct heap_cpu *
        heap; // percpu_heaps[index]: the boot CPU's is set by heap_init, the others' at their start
};

extern struct heap_cpu *percpu_heaps[HAL_CPU_MAX]; // constant after heap_init

// Interrupts are off, and the answer is good for as long as they stay off.
static inline struct heap_cpu *percpu_heap(void)
{
    return ((const struct percpu *)(const void *)hal_cpu_self())->heap;
}

static inline uint32_t percpu_index(void)
{
    return *(const uint32_t *)(const void *)hal_cpu_self();
}

#endif
