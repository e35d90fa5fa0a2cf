// SPDX-License-Identifier: BSD-3-Clause
// place.h: on which nodes frames of anonymous memory are wanted (frame_zones.h), where somebody has
// said so.
//
// Mappings carry a number (VM_POLICY_SHIFT); what it means, and what a thread wants where a mapping
// has none, is known to who has set the placer. Until there is one nobody asks, and a fault looks
// at one word.
#ifndef CORE_VM_PLACE_H
#define CORE_VM_PLACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem/frame.h"
#include "hal/hal.h"

// The place for the page of that number, by its address; 0: of the CPU's node. Called by the thread
// that touches the page, in any context; takes no lock.
typedef unsigned place_teller(unsigned policy, uintptr_t page);

extern _Atomic(place_teller *) place_told;

void place_tell(place_teller *teller); // once

static inline bool place_is_told(void)
{
    // Relaxed: who sees no teller yet was before all that is said.
    return atomic_load_explicit(&place_told, memory_order_relaxed) != NULL;
}

struct place {
    unsigned at;       // frame_zones.h
    char *start, *end; // what it is for: no page beyond may come with the one that is asked for
};

// Of the page at va. False: mappings are being changed, and may be for long.
bool place_look(char *va, struct place *place);

// place NULL: any.
HAL_MUST_CHECK static inline int place_alloc(const struct place *place, size_t count,
                                             unsigned flags, hal_phys *start)
{
    return place == NULL ? frame_alloc(count, flags, start)
                         : frame_alloc_placed(count, flags, place->at, start);
}

#endif
