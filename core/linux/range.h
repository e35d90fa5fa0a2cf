// SPDX-License-Identifier: BSD-3-Clause
// range.h: what the system calls on memory share.
#ifndef CORE_LINUX_RANGE_H
#define CORE_LINUX_RANGE_H

#include <stdatomic.h>
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

struct file;

// What mmap looks at before anything else, in Linux's order. whole: the size, rounded up. 0 or
// -errno.
int memory_map_check(const char *va, size_t whole, int flags, struct file *file, uint64_t offset);

// mlockall(MCL_FUTURE): what new mappings are marked with, VM_LOCKED and VM_ON_FAULT.
extern _Atomic unsigned memory_future_marks;
// Whether anything may be locked: it was once.
extern _Atomic bool memory_has_been_locked;
static inline bool memory_is_locked(void)
{
    return atomic_load_explicit(&memory_has_been_locked, memory_order_relaxed);
}
static inline void memory_set_locked(void)
{
    atomic_store_explicit(&memory_has_been_locked, true, memory_order_relaxed);
}
// Touches what is locked of [va, end), which is new: as far as there are pages.
void memory_grown_populate(char *va, char *end);
// PR_SET_VMA_ANON_NAME: user NULL: no name any more. -EINVAL, -EFAULT, -EBADF, -ENOMEM.
int memory_name_set(char *va, size_t size, const char *user);
// Whether so much more may be locked: -EPERM, -ENOMEM (RLIMIT_MEMLOCK).
int memory_lock_allow(size_t size);
int memory_lock_allow_all(size_t size); // the same of all that is locked

#endif
