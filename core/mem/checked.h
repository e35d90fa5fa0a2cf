// SPDX-License-Identifier: BSD-3-Clause
// checked.h: the heap's blocks while a memory checker watches (hal_boot.is_checked); for heap.c.
#ifndef CORE_MEM_CHECKED_H
#define CORE_MEM_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum heap_owner {
    HEAP_OF_CORE,    // core keeps what it has until the machine halts, and points into its middle
    HEAP_OF_PROGRAM, // the checker looks for blocks that nobody points to any more
};

void checked_init(uint32_t cpu_count); // after large_init

// NULL: no memory. alignment is a power of two.
void *checked_alloc(size_t size, size_t alignment, bool zeroed, enum heap_owner owner);

// What is no block is reported by the checker, and stays as it is.
void checked_free(void *block);
void *checked_realloc(void *block, size_t size); // of the same owner
size_t checked_size(const void *block);          // as asked for

#endif
