// SPDX-License-Identifier: BSD-3-Clause
// grow.c: mappings that grow, as mmap(2) and Linux have it: an access at any distance below one
// makes it begin there, as long as RLIMIT_STACK allows its size and 1 MiB is left to what may be
// touched below it.
//
// A fault that makes a mapping grow takes the mutex. The program's first stack must not need that,
// since core runs on it, under locks that holders of the mutex may want: it has its whole size from
// the start, and what was not touched yet is neither shown nor counted.
#include "core/vm/grow.h"

#include "core/lib/errno.h"
#include "core/vm/change.h"
#include "core/vm/lazy.h"
#include "core/vm/limit.h"

enum {
    STACK_BEGIN = 132 << 10, // what is shown of a stack that nobody has touched yet
    STACK_MAX = 512 << 20,   // what lies below its end in the window is left to it
    STACK_SHARE = 4,         // of the window, at most
};

static struct {
    char *place;   // where it is to end
    char *lowest;  // of the window
    size_t limit;  // RLIMIT_STACK
    char *end;     // of the first stack; NULL: there is none
    char *seen;    // where it begins for others
    size_t unseen; // bytes that are not counted as mapped
} stack;

void grow_init(const struct hal_boot *boot)
{
    const size_t share = boot->va_size / STACK_SHARE / AREA_GAP * AREA_GAP;
    stack.lowest = boot->va_base;
    stack.place = boot->va_base + (share < STACK_MAX ? share : (size_t)STACK_MAX);
    stack.limit = SIZE_MAX;
    stack.end = NULL;
    stack.unseen = 0;
}

// ---- Growth --------------------------------------------------------------

// What grows itself, or cannot be touched, may be near.
static bool is_near(const struct area *below, const char *va)
{
    return below != NULL && (below->flags & AREA_GROWING) == 0 && below->prot != 0 &&
           va - below->end < AREA_GAP;
}

static bool may_begin(const struct area *area, char *va)
{
    const size_t size = (size_t)(area->end - va);
    return size <= stack.limit && area_is_in_window(va, size) && !is_near(area->below, va) &&
           (limit_is_none ||
            limit_allows(NULL, (size_t)(area->start - va), area->prot, area->flags));
}

// What comes to it is empty.
static int area_extend(struct area *area, char *start)
{
    if ((area->flags & VM_LAZY) != 0 || area->prot != 0) {
        if (lazy_prepare(start, area->start, area->prot, false) != 0) {
            return -ENOMEM;
        }
        lazy_begin(start, area->start, area->prot, 0);
        area->is_sparse = area->is_sparse && (area->flags & VM_LAZY) != 0;
        area->flags |= VM_LAZY;
        area->has_pages = true;
    }
    change_mapped_add((size_t)(area->start - start));
    area_lower(area, start);
    return 0;
}

void grow_reach(char *va)
{
    char *page = va - (uintptr_t)va % HAL_PAGE_SIZE;
    struct area *area = area_first(page, (char *)UINTPTR_MAX);
    if (area != NULL && area->start > page && (area->flags & VM_GROWS) != 0 &&
        may_begin(area, page)) {
        int error = area_extend(area, page);
        (void)error; // then nothing is mapped there
    }
}

// ---- The first stack -----------------------------------------------------

static void unseen_set(size_t size)
{
    change_reserved_add(size - stack.unseen);
    stack.unseen = size;
}

// The lowest part of it: a program may have divided it.
static const struct area *stack_lowest(void)
{
    const struct area *area = stack.end != NULL ? area_at(stack.end - 1) : NULL;
    area = area != NULL && (area->flags & VM_STACK) != 0 ? area : NULL;
    while (area != NULL && area->below != NULL && (area->below->flags & VM_STACK) != 0 &&
           area->below->end == area->start) {
        area = area->below;
    }
    return area;
}

void grow_look(void)
{
    const struct area *area = stack_lowest();
    char *va = area != NULL ? area->start : stack.seen;
    while (va < stack.seen) {
        hal_phys pa;
        unsigned prot;
        va = lazy_next(va, stack.seen);
        if (va < stack.seen && hal_translate(va, &pa, &prot) == 0) {
            stack.seen = va;
        }
        va += HAL_PAGE_SIZE;
    }
    unseen_set(area != NULL ? (size_t)(stack.seen - area->start) : 0);
}

char *grow_seen_stack(const struct area *area)
{
    return stack.seen <= area->start ? area->start
           : stack.seen < area->end  ? stack.seen
                                     : area->end;
}

// As large as the limit wants it, but not smaller than what is seen of it.
static char *stack_start(const struct area *area)
{
    size_t size = stack.limit < STACK_MAX ? stack.limit : (size_t)STACK_MAX;
    size = size / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    const struct area *below = area->below;
    char *lowest =
        below != NULL && below->end > stack.lowest ? below->end + AREA_GAP : stack.lowest;
    char *start = (size_t)(stack.end - lowest) > size ? stack.end - size : lowest;
    if (start < area->start) {
        return start;
    }
    start = stack.end - size < stack.seen ? stack.end - size : stack.seen;
    return start > area->start ? start : area->start;
}

void vm_stack_limit_set(size_t size)
{
    struct change change;
    change_begin_bare(&change);
    grow_look();
    stack.limit = size;
    struct area *area = stack.end != NULL ? area_at(stack.end - 1) : NULL;
    if (area != NULL && (area->flags & (VM_STACK | VM_LAZY)) == (VM_STACK | VM_LAZY)) {
        char *start = stack_start(area);
        int error = start < area->start   ? area_extend(area, start)
                    : start > area->start ? range_unmap_last(&change, area->start, start)
                                          : 0;
        (void)error; // without memory it stays as it is
        grow_look();
    }
    change_end(&change);
}

bool vm_stack_get(const char *va, char **start, size_t *size)
{
    change_lock();
    const struct area *area = stack_lowest();
    const bool is_there = area != NULL && va >= area->start && va < stack.end;
    if (is_there) {
        const size_t whole = (size_t)(stack.end - area->start);
        *size = whole <= stack.limit ? whole : stack.limit / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
        *start = stack.end - *size;
    }
    change_unlock();
    return is_there;
}

int vm_stack_map(char **start, size_t *size)
{
    *size = stack.limit < STACK_MAX ? stack.limit : (size_t)STACK_MAX;
    *start = stack.place - *size;
    const int error = vm_map(start, *size, HAL_READ | HAL_WRITE, VM_LAZY | VM_STACK, NULL, 0);
    if (error == 0) {
        vm_name_set(*start, "[stack]");
        change_lock();
        stack.end = *start + *size;
        area_search_from(stack.end);
        stack.seen = stack.end - STACK_BEGIN;
        grow_look();
        change_unlock();
    }
    return error;
}
