// SPDX-License-Identifier: BSD-3-Clause
// limit.c: how much the program may map, counted when there is a limit and somebody asks.
#include "core/vm/limit.h"

#include <stdint.h>

#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/vm.h"

bool limit_is_none = true;

static size_t size_limit = SIZE_MAX, data_limit = SIZE_MAX;

void limit_set(size_t size, size_t data_size)
{
    size_limit = size;
    data_limit = data_size;
    limit_is_none = size == SIZE_MAX && data_size == SIZE_MAX;
}

static bool is_data(unsigned prot, unsigned flags)
{
    return (prot & HAL_WRITE) != 0 && (flags & (VM_SHARED | AREA_GROWING)) == 0;
}

static size_t part_size(const struct area *area, const char *start, const char *end)
{
    const char *from = area->start > start ? area->start : start;
    const char *to = area->end < end ? area->end : end;
    return (size_t)(to - from);
}

struct sizes {
    size_t all, data;
};

static struct sizes sizes_of(char *start, char *end)
{
    struct sizes sizes = {0, 0};
    for (const struct area *area = area_first(start, end); area != NULL;
         area = area_after(area, end)) {
        const size_t size = part_size(area, start, end);
        sizes.all += size;
        sizes.data += is_data(area->prot, area->flags) ? size : 0;
    }
    return sizes;
}

// added: bytes, less than 0 where more goes than comes.
static bool has_room(size_t limit, intptr_t used, intptr_t added)
{
    return limit > INTPTR_MAX || used + added <= (intptr_t)limit;
}

static bool has_data_room(intptr_t added)
{
    return data_limit == SIZE_MAX ||
           has_room(data_limit, (intptr_t)sizes_of(NULL, (char *)UINTPTR_MAX).data, added);
}

// What is replaced makes room for data even where it was none: Linux counts so.
bool limit_allows(char *va, size_t size, unsigned prot, unsigned flags)
{
    const size_t replaced = va != NULL ? sizes_of(va, va + size).all : 0;
    const intptr_t added = (intptr_t)(size - replaced);
    return has_room(size_limit, change_mapped_bytes(), added) &&
           (!is_data(prot, flags) || has_data_room(added));
}

bool limit_allows_protection(char *start, char *end, unsigned prot)
{
    if (data_limit == SIZE_MAX || (prot & HAL_WRITE) == 0) {
        return true;
    }
    size_t size = 0;
    for (const struct area *area = area_first(start, end); area != NULL;
         area = area_after(area, end)) {
        const bool is_more = is_data(prot, area->flags) && !is_data(area->prot, area->flags);
        size += is_more ? part_size(area, start, end) : 0;
    }
    return size == 0 || has_data_room((intptr_t)size);
}
