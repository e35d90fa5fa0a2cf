// SPDX-License-Identifier: BSD-3-Clause
// piece.c: mappings of a range, one by one. Nothing is held between two of them: what another
// thread changes meanwhile is seen or not.
#include "core/vm/piece.h"

#include "core/lib/errno.h"
#include "core/vm/area.h"
#include "core/vm/change.h"
#include "core/vm/grow.h"
#include "core/vm/lazy.h"
#include "core/vm/vm.h"

enum { LOCK_MARKS = VM_LOCKED | VM_ON_FAULT };

bool vm_piece_get(char *va, char *end, struct vm_piece *piece)
{
    change_lock();
    grow_look();
    const struct area *area = area_first(va, end);
    while (area != NULL && grow_seen(area) >= end && grow_seen(area) > area->start) {
        area = area_after(area, end);
    }
    if (area != NULL) {
        piece->start = grow_seen(area) > va ? grow_seen(area) : va;
        piece->end = area->end < end ? area->end : end;
        piece->prot = area->prot;
        piece->mapping_start = area->start;
        piece->flags = area_flags_told(area) & (VM_SHARED | VM_READ_ONLY | LOCK_MARKS | VM_HUGE |
                                                VM_ADVISED_MASK | VM_POLICY_MASK);
        piece->flags |= (area->flags & AREA_GROWING) != 0 ? VM_GROWS : 0;
        piece->pager = area->pager;
        piece->offset = area->offset + (uint64_t)(piece->start - area->start);
        if (area->pager != NULL) {
            area->pager->get(area->pager);
        }
    }
    change_unlock();
    return area != NULL;
}

void vm_piece_put(struct vm_piece *piece)
{
    if (piece->pager != NULL) {
        piece->pager->put(piece->pager);
    }
}

// 0: the page is there for access. -EAGAIN: a fault may bring it; *failed is what to say if not.
static int page_look(char *va, unsigned access, int *failed)
{
    hal_phys pa;
    unsigned prot;
    change_lock();
    const struct area *area = area_at(va);
    int error = area == NULL ? -ENOMEM : area->prot == 0 ? -EFAULT : -EAGAIN;
    if (error == -EAGAIN) {
        *failed = area->pager != NULL ? -EFAULT : -ENOMEM;
        error = hal_translate(va, &pa, &prot) == 0 && (access & ~prot) == 0 ? 0 : -EAGAIN;
    }
    change_unlock();
    return error;
}

int vm_populate(char *va, size_t size, unsigned access)
{
    int error = 0, failed = 0;
    for (char *end = va + size; va < end && error == 0; va += HAL_PAGE_SIZE) {
        error = page_look(va, access, &failed);
        if (error == -EAGAIN) {
            error = vm_fault(va, access) ? 0 : failed;
        }
    }
    return error;
}

// ---- Locked --------------------------------------------------------------

static char *mapped_end(char *va, char *end)
{
    const struct area *area = area_at(va);
    while (area != NULL && area->start <= va && va < end) {
        va = area->end;
        area = area_after(area, end);
    }
    return va < end ? va : end;
}

int vm_lock_set(char *va, size_t size, unsigned marks)
{
    struct change change;
    int error = change_begin(&change);
    if (error != 0) {
        return error;
    }
    char *end = mapped_end(va, va + size);
    if (end > va) {
        range_isolate(va, end);
        for (struct area *area = area_first(va, end); area != NULL; area = area_after(area, end)) {
            if ((area->flags & VM_HUGE) == 0) { // those are there for ever, as Linux says
                area->flags = (area->flags & ~(unsigned)LOCK_MARKS) | marks;
            }
        }
        range_merge(&change, va, end);
    }
    change_end(&change);
    return end < va + size ? -ENOMEM : 0;
}

static bool locked_add(const struct vm_area_info *area, void *argument)
{
    *(size_t *)argument += (area->flags & VM_LOCKED) != 0 ? (size_t)(area->end - area->start) : 0;
    return true;
}

size_t vm_locked_bytes(void)
{
    size_t bytes = 0;
    vm_walk(locked_add, &bytes);
    return bytes;
}

// ---- Advice --------------------------------------------------------------

int vm_advise_large(char *va, size_t size, bool may_be_large)
{
    struct change change;
    int error = change_begin(&change);
    if (error != 0) {
        return error;
    }
    char *end = va + size;
    error = range_is_mapped(va, end) ? 0 : -ENOMEM;
    if (error == 0) {
        const unsigned advice = may_be_large ? VM_LARGE_ADVISED : VM_SMALL_ADVISED;
        range_isolate(va, end);
        for (struct area *area = area_first(va, end); area != NULL; area = area_after(area, end)) {
            if ((area->flags & VM_HUGE) == 0) { // those are large whatever anybody says
                area->flags = (area->flags & ~(unsigned)VM_ADVISED_MASK) | advice;
            }
        }
        range_merge(&change, va, end);
        lazy_advise(va, end, may_be_large);
    }
    change_end(&change);
    return error;
}

// ---- Numbers of the caller's ---------------------------------------------

int vm_policy_set(char *va, size_t size, unsigned policy)
{
    struct change change;
    int error = change_begin(&change);
    if (error != 0) {
        return error;
    }
    char *end = va + size;
    range_isolate(va, end);
    for (struct area *area = area_first(va, end); area != NULL; area = area_after(area, end)) {
        area->flags = (area->flags & ~VM_POLICY_MASK) | policy << VM_POLICY_SHIFT;
    }
    range_merge(&change, va, end);
    change_end(&change);
    return 0;
}
