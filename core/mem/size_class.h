// SPDX-License-Identifier: BSD-3-Clause
// size_class.h: the sizes of small blocks: multiples of 16 up to 128, then eight per doubling. A
// block is at most an eighth larger than what was asked for, rounded up to 16.
#ifndef CORE_MEM_SIZE_CLASS_H
#define CORE_MEM_SIZE_CLASS_H

#include <stddef.h>
#include <stdint.h>

#include "core/mem/stack.h"

enum { CLASS_COUNT = 72 };

// Constant after size_class_init, but for the stacks.
struct size_class {
    uint32_t size;
    uint32_t chain_count; // blocks of a full chain
    uint32_t span_pages;  // a span of these begins at a multiple of its size: a power of two
    uint32_t used_pages;  // of a span: the last ones are given back where no block reaches them
    uint32_t span_blocks; // of a span
    struct stack chains;  // full ones that no CPU holds
    struct stack loose;   // and others, of any number of blocks
};

extern struct size_class size_classes[CLASS_COUNT];

void size_class_init(void);

// The class of sizes up to HEAP_SMALL_MAX: which doubling, and which eighth of it.
static inline uint32_t size_class_of(size_t size)
{
    if (size <= 128) {
        return size == 0 ? 0 : (uint32_t)(size - 1) / 16;
    }
    uint32_t shift = 60 - (uint32_t)__builtin_clzll(size - 1); // of an eighth of the doubling
    return (shift - 4) * 8 + (uint32_t)((size - 1) >> shift);
}

#endif
