// SPDX-License-Identifier: BSD-3-Clause
// watchedblock.h: the program's blocks of malloc while --leak or --check-heap watches them: where
// they are, and who allocated and freed them.
#ifndef CORE_LIBC_WATCHEDBLOCK_H
#define CORE_LIBC_WATCHEDBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/tree.h"
#include "hal/hal.h"

struct callsite;

struct watched_block {
    struct tree_node node; // by start
    // Complements of addresses: who looks for pointers to blocks finds none here.
    uintptr_t hidden_start, hidden_plain; // plain: the block of core's that it lies in, unless map
    char *map;                            // pages of its own, and the guard behind them; or NULL
    size_t map_size;
    size_t size;                        // as asked for
    struct callsite *allocated, *freed; // NULL: not known
    bool is_free;                       // it waits until its memory is used again
    uint8_t mark;                       // leak.c's
    struct watched_block *next;         // in the list of those that wait, or leak.c's
};

static inline char *watched_start(const struct watched_block *block)
{
    return (char *)~block->hidden_start;
}

// From here on the program's blocks are watched; with guards what is written beside them is found.
// Before the program's first block. -ENOMEM.
HAL_MUST_CHECK int watched_blocks_begin(bool has_guards);

// The rest is for who has stopped everybody else.

// The block that holds address; the lowest that begins there or above. NULL: none. Not of freed
// ones.
struct watched_block *watched_block_at(const char *address);
struct watched_block *watched_block_above(const char *address);

// Looks once more at what lies around all blocks. Reports and ends the process where one is broken.
void watched_blocks_check(void);

#endif
