// SPDX-License-Identifier: BSD-3-Clause
// unit.c: the table of units, one word for each page between the lowest and the highest frame. It
// is part of what frame.c keeps, and zero where frames have been taken.
#include "core/mem/unit.h"

#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"

struct unit_table unit_table;

_Static_assert(sizeof(struct unit) == sizeof *frame_memory.units, "frame_boot.c makes the table");

void unit_init(void)
{
    unit_table.base = frame_address(frame_first());
    unit_table.size = frame_span();
    unit_table.units = (struct unit *)(void *)frame_memory.units;
}
