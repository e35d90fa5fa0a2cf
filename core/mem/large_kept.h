// SPDX-License-Identifier: BSD-3-Clause
// large_kept.h: the runs of frames that a CPU keeps, taken without a call; for large.c and heap.c.
#ifndef CORE_MEM_LARGE_KEPT_H
#define CORE_MEM_LARGE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/large.h"
#include "core/mem/magazine.h"
#include "core/mem/percpu.h"
#include "core/mem/unit.h"

enum { DIRECT_PAGES_MAX = 256 }; // 1 MiB

extern size_t large_class_sizes[LARGE_CLASSES]; // bytes; constant after large_init

// The class of blocks of so many pages, at most DIRECT_PAGES_MAX; rounded up.
static inline uint32_t large_class(size_t pages)
{
    if (pages <= 16) {
        return (uint32_t)pages - 1;
    }
    uint32_t shift = 60 - (uint32_t)__builtin_clzll(pages - 1); // of an eighth of the doubling
    return shift * 8 + (uint32_t)((pages - 1) >> shift);
}

static inline size_t large_pages(size_t size)
{
    return size == 0 ? 1 : (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
}

static inline struct block *large_kept_take(uint32_t class)
{
    uintptr_t irq = hal_irq_save();
    struct large_cpu *cpu = &percpu_heap()->large;
    struct block *block = cpu->free[class];
    if (block != NULL) {
        size_t size = large_class_sizes[class];
        cpu->used_size += size;
        cpu->free[class] = block->link == link_none() ? NULL : link_block(block->link);
        block->link = 0; // it is no free block any more
        cpu->free_size -= size;
        cpu->free_count--;
    }
    hal_irq_restore(irq);
    return block;
}

static inline void large_mark(const void *block, uint32_t class)
{
    *unit_of(block) = (struct unit){MAGAZINE_LARGE * sizeof(struct magazine), (uint16_t) class};
}

// A run that is kept, of at most DIRECT_PAGES_MAX pages. NULL: there is none.
static inline struct block *large_run_kept(size_t size)
{
    uint32_t class = large_class(large_pages(size));
    struct block *block = large_kept_take(class);
    if (block != NULL) {
        large_mark(block, class);
    }
    return block;
}

// NULL: none is kept.
static inline void *large_alloc_kept(size_t size, size_t alignment, bool zeroed)
{
    if (size > DIRECT_PAGES_MAX * HAL_PAGE_SIZE || alignment > HAL_PAGE_SIZE) {
        return NULL;
    }
    struct block *block = large_run_kept(size);
    if (block == NULL) {
        return NULL;
    }
    MARK_ALLOCATED(block, size);
    return zeroed ? memset(block, 0, size) : block;
}

#endif
