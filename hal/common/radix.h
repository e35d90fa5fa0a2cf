// SPDX-License-Identifier: BSD-3-Clause
// radix.h: the four-level translation tables that x86_64 and aarch64 share but for the bits of an
// entry.
//
// Any number of callers at once, on any CPU, as long as their ranges are disjoint. A caller that
// changes what was there flushes translation caches itself. The bits are in the back-end's
// radix_entry.h, found by include path.
#ifndef HAL_COMMON_RADIX_H
#define HAL_COMMON_RADIX_H

#include "hal/hal.h"

enum {
    RADIX_LEVELS = 4,
    RADIX_ENTRIES = 512,
    RADIX_LARGE_SIZE = 2 << 20,
    RADIX_GIANT_SIZE = 1 << 30
};

// One tree of tables. table_get answers one zeroed page, or 0.
struct radix {
    hal_phys root;
    hal_phys (*table_get)(void);
};

// As hal_map, hal_protect and hal_unmap. Mappings are as large as alignment permits (2 MiB or a
// page), but a table that is there stays until the 2 MiB that it maps are unmapped in one call.
HAL_MUST_CHECK int radix_map(const struct radix *radix, uint64_t va, hal_phys pa, size_t size,
                             unsigned prot);
HAL_MUST_CHECK int radix_protect(const struct radix *radix, uint64_t va, size_t size,
                                 unsigned prot);
HAL_MUST_CHECK int radix_unmap(const struct radix *radix, uint64_t va, size_t size);

// Maps in entries of 1 GiB, of which all three numbers are multiples; the processor has to know
// them. Such a mapping stays: it is not for radix_protect, radix_unmap and radix_dirty_take.
// -ENOMEM: some of it may be mapped.
HAL_MUST_CHECK int radix_map_giant(const struct radix *radix, uint64_t va, hal_phys pa, size_t size,
                                   unsigned prot);

// As hal_translate.
HAL_MUST_CHECK int radix_translate(const struct radix *radix, uint64_t va, hal_phys *pa,
                                   unsigned *prot);

// As hal_page_look.
HAL_MUST_CHECK int radix_page_look(const struct radix *radix, uint64_t va, struct hal_page *page);

// As hal_dirty_take. True: some mark was cleared, so translation caches must be flushed.
bool radix_dirty_take(const struct radix *radix, uint64_t va, size_t size, uint64_t *bits);

// Marks va as written to again after radix_dirty_take, where the processor does not do it by
// itself. False: va is not mapped writable.
bool radix_dirty_set(const struct radix *radix, uint64_t va);

// Tables that radix_unmap took out of trees may still be known to processors. Takes all of them as
// a list; the caller flushes every CPU's translation caches and then gives the list back to core.
hal_phys radix_retired_take(void);
void radix_retired_put(hal_phys list);

#endif
