// SPDX-License-Identifier: BSD-3-Clause
// memory_list.h: the usable memory of a machine while it boots.
#ifndef HAL_COMMON_MEMORY_LIST_H
#define HAL_COMMON_MEMORY_LIST_H

#include "hal/hal.h"

enum { MEMORY_LIST_MAX = 64 };

// regions are sorted, disjoint, not adjacent, never empty, and made of whole pages. Used before
// core runs only.
struct memory_list {
    struct hal_region regions[MEMORY_LIST_MAX];
    size_t count;
};

// Adds the whole pages of [start, start+size). What does not fit in the list any more is left out.
void memory_list_add(struct memory_list *list, hal_phys start, uint64_t size);

// Takes every page that [start, start+size) touches out.
void memory_list_remove(struct memory_list *list, hal_phys start, uint64_t size);

// Takes the highest size bytes of one region below limit out for good and returns their address; 0 when
// there are none. size is one of whole pages.
hal_phys memory_list_take(struct memory_list *list, size_t size, hal_phys limit);

#endif
