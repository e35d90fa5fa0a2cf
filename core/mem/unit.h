// SPDX-License-Identifier: BSD-3-Clause
// unit.h: what lies in each page of the direct map, as far as the heap is concerned.
#ifndef CORE_MEM_UNIT_H
#define CORE_MEM_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNIT_SHIFT = 12,
    UNIT_SIZE = 1 << UNIT_SHIFT,
};

// All-zero: no block of the heap starts here.
struct unit {
    uint16_t magazine; // where its blocks go when they are freed: an offset in struct heap_cpu
    uint16_t note;     // large.c's and trim.c's
};

extern struct unit_table {
    char *base;         // the lowest address of the direct map
    size_t size;        // of the direct map, bytes
    struct unit *units; // an entry is written by who has the memory, before a block of it is known
                        // to anyone else
} unit_table;

static inline bool unit_is_direct(const void *address)
{
    return (uintptr_t)address - (uintptr_t)unit_table.base < unit_table.size;
}

static inline struct unit *unit_of(const void *address)
{
    return &unit_table.units[((uintptr_t)address - (uintptr_t)unit_table.base) >> UNIT_SHIFT];
}

void unit_init(void);

#endif
