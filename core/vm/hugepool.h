// SPDX-License-Identifier: BSD-3-Clause
// hugepool.h: the pages of 2 MiB that are set aside for MAP_HUGETLB and its kin, as
// Documentation/admin-guide/mm/hugetlbpage.rst has it.
//
// Thread context, may block; no memory of the program is touched. The pool begins with none: what
// it has, nobody else can use.
#ifndef CORE_VM_HUGEPOOL_H
#define CORE_VM_HUGEPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

enum { HUGEPOOL_PAGE = 2 << 20, HUGEPOOL_FRAMES = HUGEPOOL_PAGE / HAL_PAGE_SIZE };

struct hugepool_counts {
    size_t total;    // pages, used or not
    size_t free;     // of these
    size_t reserved; // of those that are free: for who has mapped them and not touched them yet
    size_t surplus;  // of total: more than were set aside; they go when nobody uses them
    size_t surplus_max;
};
void hugepool_counts_get(struct hugepool_counts *counts);

// Sets so many aside, or as many as there is memory for. What is used of more becomes surplus.
void hugepool_resize(size_t pages);
void hugepool_surplus_set(size_t pages_max);

// So many may be taken. -ENOMEM: neither are they free nor may they come as surplus.
HAL_MUST_CHECK int hugepool_reserve(size_t pages);
void hugepool_unreserve(size_t pages);

// One page, with anything in it. is_reserved: one that hugepool_reserve has promised. -ENOMEM,
// never then.
HAL_MUST_CHECK int hugepool_take(bool is_reserved, hal_phys *page);
void hugepool_give(hal_phys page, bool stays_reserved); // out of all tables

#endif
