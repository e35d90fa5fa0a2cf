// SPDX-License-Identifier: BSD-3-Clause
// unit.c: the table of units, one word for each 64 KiB between the lowest and the highest frame;
// all zero at first.
#include "core/mem/unit.h"

#include "core/lib/assert.h"
#include "core/mem/frame.h"

struct unit_table unit_table;

void unit_init(void)
{
    unit_table.base = frame_address(frame_first());
    unit_table.size = frame_span();
    size_t size = (unit_table.size >> UNIT_SHIFT) * sizeof(uint32_t);
    hal_phys start;
    int error = frame_alloc((size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, FRAME_ZERO, &start);
    ASSERT(error == 0);
    unit_table.units = (uint32_t *)(void *)frame_address(start);
}
