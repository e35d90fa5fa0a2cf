// SPDX-License-Identifier: BSD-3-Clause
// size_class.h: the sizes of small blocks: multiples of 16 up to 128, then eight per doubling. A
// block is at most an eighth larger than what was asked for, rounded up to 16. Sizes above
// LEARNED_MIN that are asked for again and again get classes of their own, while there are some.
#ifndef CORE_MEM_SIZE_CLASS_H
#define CORE_MEM_SIZE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem/stack.h"
#include "hal/hal.h"

enum {
    CLASS_COUNT = 72,    // that are there from the beginning
    CLASS_MAX = 72 + 16, // and those that are learned
    SPAN_PAGES_MAX = 16,
    LEARNED_MIN = 1024,
};

// Constant once it is there, but for the stacks.
struct size_class {
    uint32_t size;
    uint32_t chain_count; // blocks of a full chain
    uint32_t span_pages;  // of a whole span: at most SPAN_PAGES_MAX
    struct stack chains;  // full ones that no CPU holds
    struct stack loose;   // and others, of any number of blocks
};

extern struct size_class size_classes[CLASS_MAX];

void size_class_init(void);

uint32_t size_class_count(void); // that are there by now

// A class for size, a multiple of 16. False: there is one, or will never be, or others are learned
// at this moment. Any context.
bool size_class_learn(uint32_t size, uint32_t *class_index);

// Blocks of a span of so many pages.
static inline uint32_t span_blocks(const struct size_class *class, size_t pages)
{
    return (uint32_t)(pages * HAL_PAGE_SIZE / class->size);
}

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
