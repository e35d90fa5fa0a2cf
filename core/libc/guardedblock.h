// SPDX-License-Identifier: BSD-3-Clause
// guardedblock.h: where watched blocks lie, so that who writes beside them, or to freed ones, is
// found.
//
// A block ends where a page without access begins, but for what its alignment leaves; freed, all of
// its pages are without access. There are as many of these as the host's limit on mappings bears;
// others lie in plain memory. All of them have bytes of a known pattern before them and behind,
// which are looked at when the block is freed, and plain ones are filled with another when they are
// freed, which is looked at when they leave the quarantine.
#ifndef CORE_LIBC_GUARDEDBLOCK_H
#define CORE_LIBC_GUARDEDBLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

struct watched_block;

// Finds room for a block and sets hidden_start, hidden_plain, map, map_size. alignment as
// heap_watcher has it. -ENOMEM.
HAL_MUST_CHECK int guarded_block_make(struct watched_block *block, size_t size, size_t alignment,
                                      bool zeroed);

// The byte around the block that was overwritten; NULL: none was. Not for freed ones.
const char *guarded_block_damage(const struct watched_block *block);

// Closes a block that was freed, and opens it to others.
void guarded_block_close(struct watched_block *block);
const char *
guarded_block_late_write(const struct watched_block *block); // to a closed one; NULL: none
void guarded_block_release(struct watched_block *block);

// Whether address is in the block's pages, or its guard's.
bool guarded_block_has(const struct watched_block *block, const char *address);

#endif
