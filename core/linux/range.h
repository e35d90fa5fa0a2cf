// SPDX-License-Identifier: BSD-3-Clause
// range.h: what the system calls on memory share.
#ifndef CORE_LINUX_RANGE_H
#define CORE_LINUX_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

// No program's memory lies above, on any machine. Linux leaves out the last page, too.
#define MEMORY_ADDRESS_MAX (((uintptr_t)1 << 47) - HAL_PAGE_SIZE)

static inline size_t memory_round(size_t size) // 0: more than there are addresses
{
    return (size + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
}

static inline bool memory_is_aligned(const void *va)
{
    return ((uintptr_t)va & (HAL_PAGE_SIZE - 1)) == 0;
}

extern _Atomic bool memory_is_future_locked; // mlockall(MCL_FUTURE)
// Whether so much more may be locked: -EPERM, -ENOMEM (RLIMIT_MEMLOCK).
int memory_lock_allow(size_t size);

#endif
