// SPDX-License-Identifier: BSD-3-Clause
// percpu.h: which CPU's lists are mine?
//
// struct cpu belongs to core/sched, which mem may not include. What mem knows of it: its first
// member is `uint32_t index`, 0 .. cpu_count-1 (sched asserts the offset). hal_cpu_adopt comes
// before frame_init.
#ifndef CORE_MEM_PERCPU_H
#define CORE_MEM_PERCPU_H

#include <stdint.h>

#include "hal/hal.h"

// Interrupts are off, and the answer is good for as long as they stay off.
static inline uint32_t percpu_index(void)
{
    return *(const uint32_t *)(const void *)hal_cpu_self();
}

#endif
