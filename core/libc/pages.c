// SPDX-License-Identifier: BSD-3-Clause
// pages.c: the program's view of its own page tables (include/osv/pages.h).
//
// Neither the program's function is called nor its memory written while the address space is
// locked.
#include <errno.h>

#include "core/libc/export.h"
#include "core/libc/include/osv/pages.h"
#include "core/mem/heap.h"
#include "core/vm/look.h"

static int answer(int error)
{
    if (error != 0) {
        errno = -error;
        return -1;
    }
    return 0;
}

static struct osv_page page_of(const struct vm_page *page)
{
    return (struct osv_page){
        .start = page->start,
        .size = page->size,
        .is_writable = (page->prot & HAL_WRITE) != 0,
        .is_executable = (page->prot & HAL_EXEC) != 0,
        .is_dirty = page->is_dirty,
    };
}

EXPORT(int, osv_pages_walk, void *start, size_t size,
       bool (*visit)(const struct osv_page *page, void *argument), void *argument)
{
    enum { BATCH = 64 };
    char *va = start, *end = va + size;
    if (visit == NULL || ((uintptr_t)start | size) % HAL_PAGE_SIZE != 0 || end < va) {
        return answer(-EINVAL);
    }
    size_t count = BATCH;
    while (va < end && count == BATCH) {
        struct vm_page pages[BATCH];
        count = vm_pages_look(&va, end, pages, BATCH);
        for (size_t i = 0; i < count; ++i) {
            const struct osv_page page = page_of(&pages[i]);
            if (!visit(&page, argument)) {
                return 0;
            }
        }
    }
    return 0;
}

EXPORT(int, osv_pages_take_dirty, void *start, size_t size, uint64_t *bits)
{
    const size_t words = (size / HAL_PAGE_SIZE + 63) / 64;
    uint64_t *own = heap_alloc_zeroed(words * sizeof *own);
    if (own == NULL) {
        return answer(-ENOMEM);
    }
    int error = vm_dirty_take(start, size, own);
    error = error != 0 ? error : hal_copy_safe(bits, own, words * sizeof *own);
    heap_free(own);
    return answer(error);
}
