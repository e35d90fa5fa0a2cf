// SPDX-License-Identifier: BSD-3-Clause
// look.c: the machine's tables as the program may see them. Under the mutex what is there stays;
// anonymous pages may come meanwhile, and are seen or not.
#include "core/vm/look.h"

#include "core/lib/errno.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/lazy.h"
#include "core/vm/vm.h"

// The part of [va, end) that lies in area. Answers where it has come to.
static char *area_look(const struct area *area, char *va, char *end, struct vm_page *pages,
                       size_t count, size_t *found)
{
    const bool is_sparse = area_kind(area).presence == PAGES_FAULTS;
    va = area->start > va ? area->start : va;
    end = area->end < end ? area->end : end;
    while (va < end && *found < count) {
        struct hal_page page;
        va = is_sparse ? lazy_next(va, end) : va;
        size_t size = HAL_PAGE_SIZE;
        if (va < end && hal_page_look(va, &page) == 0) {
            char *start = va - (uintptr_t)va % page.size;
            pages[(*found)++] = (struct vm_page){start, page.size, page.prot, page.is_dirty};
            size = (size_t)(start + page.size - va);
        }
        va = size < (size_t)(end - va) ? va + size : end;
    }
    return va;
}

size_t vm_pages_look(char **va, char *end, struct vm_page *pages, size_t count)
{
    size_t found = 0;
    change_lock();
    const struct area *area = area_first(*va, end);
    while (area != NULL && found < count) {
        *va = area_look(area, *va, end, pages, count, &found);
        area = area_after(area, end);
    }
    change_unlock();
    *va = found < count ? end : *va;
    return found;
}

int vm_dirty_take(char *va, size_t size, uint64_t *bits)
{
    const bool is_range = ((uintptr_t)va | size) % HAL_PAGE_SIZE == 0 && size > 0;
    if (!is_range || !area_is_in_window(va, size)) {
        return -EINVAL;
    }
    change_lock();
    hal_dirty_take(va, size, bits);
    change_unlock();
    return 0;
}
