// SPDX-License-Identifier: BSD-3-Clause
// large.h: blocks of more than HEAP_SMALL_MAX bytes, or of large alignment; for heap.c.
#ifndef CORE_MEM_LARGE_H
#define CORE_MEM_LARGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct heap_large;

enum { LARGE_CLASSES = 48 }; // 1, 2 .. 16, 18 .. 32, .. 256 pages

// Of each CPU: runs of frames that are kept. Its own, interrupts off.
struct large_cpu {
    struct block *free[LARGE_CLASSES];
    size_t free_size;
    size_t free_count;
    size_t used_size; // runs that this CPU allocated, less those it freed: the sum over all counts
};

void large_init(uint32_t cpu_count); // after unit_init
void large_register(const struct heap_large *large);

void *large_alloc(size_t size, size_t alignment, bool zeroed); // NULL: no memory
bool large_free(void *block);                                  // false: not a block
size_t large_size(const void *block);

struct heap_counts;
void large_count(struct heap_counts *counts); // adds to them

// Gives back runs that this CPU keeps, of so many bytes or more if it has them: answers how many.
size_t large_drain(size_t wanted);
// The heap has taken frames, in any context; and a program may wait now: mappings that are kept go
// where it has grown meanwhile, and so do free small blocks.
extern _Atomic bool large_has_grown;
void large_settle_grown(void);

static inline void large_grow(void)
{
    atomic_store_explicit(&large_has_grown, true, memory_order_relaxed);
}

static inline void large_settle(void)
{
    if (__builtin_expect(atomic_load_explicit(&large_has_grown, memory_order_relaxed), 0)) {
        large_settle_grown();
    }
}

size_t large_unmap(void); // unmaps the mappings that are kept; bytes

void *large_realloc(void *block, size_t size); // NULL: not without copying; nothing has changed

#endif
