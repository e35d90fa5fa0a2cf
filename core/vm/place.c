// SPDX-License-Identifier: BSD-3-Clause
// place.c: the place of a page, by its mapping's policy or its thread's.
#include "core/vm/place.h"

#include "core/mem/frame_zones.h"
#include "core/vm/area.h"
#include "core/vm/vm.h"

_Atomic(place_teller *) place_told;

void place_tell(place_teller *teller)
{
    atomic_store(&place_told, teller);
}

bool place_look(char *va, struct place *place)
{
    struct area area;
    char *page = va - (uintptr_t)va % HAL_PAGE_SIZE;
    if (!area_peek(va, &area)) {
        return false;
    }
    const unsigned policy = (area.flags & VM_POLICY_MASK) >> VM_POLICY_SHIFT;
    place->at = atomic_load(&place_told)(policy, (uintptr_t)page / HAL_PAGE_SIZE);
    const bool is_one = (place->at & FRAME_PLACE_INTERLEAVED) != 0; // the next has another
    place->start = is_one ? page : area.start;
    place->end = is_one ? page + HAL_PAGE_SIZE : area.end;
    return true;
}
