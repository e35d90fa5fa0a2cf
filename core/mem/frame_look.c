// SPDX-License-Identifier: BSD-3-Clause
// frame_look.c: where frames lie, and whether one is taken.
#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"

hal_phys frame_of(const void *address)
{
    ASSERT(frame_is_direct(address));
    return (hal_phys)((const char *)address - frame_memory.direct_base);
}

bool frame_is_checked(void)
{
    return frame_memory.is_checked;
}

char *frame_direct_base(void)
{
    return frame_memory.direct_base;
}

bool frame_is_direct(const void *address)
{
    return (uintptr_t)address - (uintptr_t)frame_memory.direct_base - frame_memory.first <
           frame_span();
}

hal_phys frame_first(void)
{
    return frame_memory.first;
}

size_t frame_span(void)
{
    return frame_memory.area_count << AREA_SHIFT;
}

bool frame_is_taken(hal_phys frame)
{
    struct span span = span_of(frame, 1);
    if (span.area >= frame_memory.area_count || (used_load(span.area) & USED_READY) == 0) {
        return span.area < frame_memory.area_count && used_load(span.area) != 0;
    }
    return (atomic_load_explicit(&frame_memory.areas[span.area].taken[span.at / 64],
                                 memory_order_relaxed) >>
                (span.at % 64) &
            1) != 0;
}
