// SPDX-License-Identifier: BSD-3-Clause
// piece.h: what is mapped in a range, mapping by mapping: for calls that go on behind holes, or do
// something else to each kind of mapping.
//
// Thread context, may block. Ranges are page multiples.
#ifndef CORE_VM_PIECE_H
#define CORE_VM_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct vm_pager;

struct vm_piece {
    char *start, *end;
    char *mapping_start; // of all of the mapping
    // VM_SHARED, VM_READ_ONLY, VM_LOCKED, VM_ON_FAULT, VM_GROWS, VM_HUGE, VM_ADVISED_MASK,
    // VM_POLICY_MASK
    unsigned prot, flags;
    struct vm_pager *pager; // one reference is the caller's; NULL: anonymous
    uint64_t offset;        // of start, in the pager
};

// The first piece of [va, end). False: nothing is mapped there.
bool vm_piece_get(char *va, char *end, struct vm_piece *piece);
void vm_piece_put(struct vm_piece *piece);

// Touches each page for access, HAL_READ or HAL_WRITE. -ENOMEM: a hole, or no memory. -EFAULT: not
// allowed, or no page of its file.
HAL_MUST_CHECK int vm_populate(char *va, size_t size, unsigned access);

// Marks mappings with marks (VM_LOCKED and VM_ON_FAULT, or neither), up to the first hole, for
// which it says -ENOMEM. All memory but that of files (vm_cut_idle) stays where it is anyway.
HAL_MUST_CHECK int vm_lock_set(char *va, size_t size, unsigned marks);
size_t vm_locked_bytes(void);

enum vm_move_how {
    VM_MOVE_FIXED = 1, // to *target, and what is there goes; else anywhere
    VM_MOVE_STAYS = 2, // the old mapping stays, without its pages: zeros, or the file's own again
};

// The number of all mappings of the range (VM_POLICY_SHIFT). -ENOMEM.
HAL_MUST_CHECK int vm_policy_set(char *va, size_t size, unsigned policy);

// Moves the mapping [va, va + size) of which the first size bytes are one, with its pages, and
// makes it new_size bytes. *target answers where it is. size 0: maps the same pages of a shared
// mapping once more. -EFAULT: not one mapping; -EINVAL; -ENOMEM. What VM_MOVE_FIXED replaces may be
// gone then.
HAL_MUST_CHECK int vm_move(char *va, size_t size, size_t new_size, char **target, unsigned how);

#endif
