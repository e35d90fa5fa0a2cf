// SPDX-License-Identifier: BSD-3-Clause
// unit.h: what lies in each 64 KiB of the direct map, as far as the heap is concerned.
#ifndef CORE_MEM_UNIT_H
#define CORE_MEM_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNIT_SHIFT = 16,
    UNIT_SIZE = 1 << UNIT_SHIFT,
    UNIT_CLASS = 1,   // plus a size class: its blocks. 0: nothing of the heap
    UNIT_LARGE = 256, // times the number of pages: a large block starts with the unit
};

extern struct unit_table {
    char *base;      // the lowest address of the direct map
    size_t size;     // of the direct map, bytes
    uint32_t *units; // an entry is written by who has the memory, before a block of it is known to
                     // anyone else
} unit_table;

static inline bool unit_is_direct(const void *address)
{
    return (uintptr_t)address - (uintptr_t)unit_table.base < unit_table.size;
}

static inline uint32_t *unit_of(const void *address)
{
    return &unit_table.units[((uintptr_t)address - (uintptr_t)unit_table.base) >> UNIT_SHIFT];
}

void unit_init(void);

#endif
