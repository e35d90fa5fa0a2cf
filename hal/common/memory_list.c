// SPDX-License-Identifier: BSD-3-Clause
// memory_list.c: the usable memory of a machine while it boots.
#include "hal/common/memory_list.h"

static hal_phys page_down(hal_phys address)
{
    return address & ~(hal_phys)(HAL_PAGE_SIZE - 1);
}

static hal_phys page_up(hal_phys address)
{
    return page_down(address + HAL_PAGE_SIZE - 1);
}

static hal_phys region_end(const struct hal_region *region)
{
    return region->start + region->size;
}

static void region_delete(struct memory_list *list, size_t index)
{
    for (size_t i = index; i + 1 < list->count; ++i) {
        list->regions[i] = list->regions[i + 1];
    }
    --list->count;
}

static void region_insert(struct memory_list *list, size_t index, hal_phys start, hal_phys end)
{
    if (start >= end || list->count == MEMORY_LIST_MAX) {
        return;
    }
    for (size_t i = list->count; i > index; --i) {
        list->regions[i] = list->regions[i - 1];
    }
    list->regions[index] = (struct hal_region){.start = start, .size = end - start};
    ++list->count;
}

void memory_list_add(struct memory_list *list, hal_phys start, uint64_t size)
{
    hal_phys low = page_up(start), high = page_down(start + size);
    if (low >= high) {
        return;
    }
    size_t i = 0;
    while (i < list->count && region_end(&list->regions[i]) < low) {
        ++i;
    }
    while (i < list->count &&
           list->regions[i].start <= high) { // touches: becomes part of the new one
        const struct hal_region *old = &list->regions[i];
        low = old->start < low ? old->start : low;
        high = region_end(old) > high ? region_end(old) : high;
        region_delete(list, i);
    }
    region_insert(list, i, low, high);
}

void memory_list_remove(struct memory_list *list, hal_phys start, uint64_t size)
{
    const hal_phys low = page_down(start), high = page_up(start + size);
    size_t i = 0;
    while (i < list->count) {
        const hal_phys old_low = list->regions[i].start, old_high = region_end(&list->regions[i]);
        if (old_high <= low || old_low >= high) {
            ++i;
            continue;
        }
        region_delete(list, i);
        region_insert(list, i, high, old_high);
        region_insert(list, i, old_low, low);
        i += old_low < low;
    }
}

hal_phys memory_list_take(struct memory_list *list, size_t size, hal_phys limit)
{
    for (size_t i = list->count; i > 0; --i) {
        const struct hal_region region = list->regions[i - 1];
        const hal_phys end = region_end(&region) < limit ? region_end(&region) : limit;
        if (region.start < end && size <= end - region.start) {
            memory_list_remove(list, end - size, size);
            return end - size;
        }
    }
    return 0;
}
