// SPDX-License-Identifier: BSD-3-Clause
// change.c: what is done to ranges of the address space under its mutex, all or nothing.
//
// Order of a change: prepare what can fail (records, tables of lazy.c), cut areas at the borders of
// the range, change the pages area by area, and only then the records. Invariant between changes:
// an absent page of an anonymous area that may be read or written is one that lazy.c knows.
//
// Programs map and unmap small memory again and again: the record of what went last stays in the
// set, empty, until somebody else takes the mutex than who maps the next.
#include "core/vm/change.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/vm/filemap.h"
#include "core/vm/huge.h"
#include "core/vm/lazy.h"
#include "core/vm/limit.h"
#include "core/vm/vm.h"

enum {
    SPARE_COUNT = 5, // what a change may need: two for the borders of each of two ranges, one more
    SPARE_MAX = 16,
    CLEAR_MAX = 256 << 10
};

static struct mutex mutex;
static _Atomic size_t mapped_bytes;   // written under the mutex
static _Atomic size_t reserved_bytes; // of these
static struct area *spares;           // records for the next areas; under the mutex
static uint32_t spare_count;
static struct area *emptied; // in the set, with nothing in it, or NULL; under the mutex

static void list_free(struct area *list)
{
    while (list != NULL) {
        struct area *next = list->next;
        if (list->pager != NULL) {
            list->pager->put(list->pager);
        }
        heap_free(list);
        list = next;
    }
}

static void spare_put(struct area *area)
{
    area->next = spares;
    spares = area;
    ++spare_count;
}

int change_begin_place(struct change *change)
{
    change->dead = NULL;
    gather_begin(&change->gather);
    mutex_lock(&mutex);
    while (spare_count < SPARE_COUNT) {
        mutex_unlock(&mutex);
        struct area *area = heap_alloc(sizeof *area);
        if (area == NULL) {
            return -ENOMEM;
        }
        mutex_lock(&mutex);
        spare_put(area);
    }
    return 0;
}

static void emptied_remove(void)
{
    if (emptied != NULL) {
        area_remove(emptied);
        spare_put(emptied);
        emptied = NULL;
    }
}

int change_begin(struct change *change)
{
    int error = change_begin_place(change);
    if (error == 0) {
        emptied_remove();
    }
    return error;
}

void change_begin_bare(struct change *change)
{
    change->dead = NULL;
    gather_begin(&change->gather);
    change_lock();
}

struct area *change_place(size_t size, unsigned prot, unsigned flags)
{
    struct area *area = emptied;
    if (area != NULL && size < LAZY_CHUNK && area->prot == prot && area->flags == flags &&
        area_fill(area, size)) {
        emptied = NULL;
        return area;
    }
    emptied_remove();
    return NULL;
}

// Records that hold nothing are kept for the next change.
void change_end(struct change *change)
{
    gather_finish(&change->gather);
    struct area *dead = change->dead;
    while (dead != NULL && dead->pager == NULL && spare_count < SPARE_MAX) {
        struct area *next = dead->next;
        spare_put(dead);
        dead = next;
    }
    mutex_unlock(&mutex);
    list_free(dead);
}

struct area *change_spare(void)
{
    struct area *area = spares;
    ASSERT(area != NULL);
    spares = area->next;
    --spare_count;
    *area = (struct area){.next = NULL};
    return area;
}

void change_bury(struct change *change, struct area *list)
{
    while (list != NULL) {
        struct area *next = list->next;
        list->next = change->dead;
        change->dead = list;
        list = next;
    }
}

void change_lock(void)
{
    mutex_lock(&mutex);
    emptied_remove();
}

bool change_lock_waits(void)
{
    bool waits = !mutex_try_lock(&mutex);
    if (waits) {
        mutex_lock(&mutex);
    }
    emptied_remove();
    return waits;
}

void change_unlock(void)
{
    mutex_unlock(&mutex);
}

bool change_is_mine(void)
{
    return mutex_is_mine(&mutex);
}

intptr_t change_mapped_bytes(void)
{
    const size_t mapped = atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
    const size_t reserved = atomic_load_explicit(&reserved_bytes, memory_order_relaxed);
    return (intptr_t)(mapped - reserved);
}

void change_reserved_add(size_t size)
{
    atomic_fetch_add_explicit(&reserved_bytes, size, memory_order_relaxed);
}

void change_mapped_add(size_t size)
{
    atomic_fetch_add_explicit(&mapped_bytes, size, memory_order_relaxed);
}

struct pages_kind area_kind(const struct area *area)
{
    if (area->pager != NULL) {
        return (struct pages_kind){.presence = PAGES_SOME,
                                   .pager = area->pager->find != NULL ? area->pager : NULL,
                                   .is_shared = (area->flags & VM_SHARED) != 0,
                                   .bias = area->offset - (uintptr_t)area->start};
    }
    if ((area->flags & VM_LAZY) == 0) {
        return (struct pages_kind){.presence = PAGES_ALL};
    }
    return (struct pages_kind){.presence = area->is_sparse ? PAGES_FAULTS : PAGES_SOME};
}

static bool is_border(char *va)
{
    const struct area *area = area_at(va);
    return area == NULL || area->start == va;
}

bool range_is_isolated(char *start, char *end)
{
    return is_border(start) && is_border(end);
}

// Who only marks mappings (mlock) may ask for anything.
static bool may_split(const struct area *area, const char *va)
{
    return (area->flags & VM_HUGE) == 0 || (uintptr_t)va % GATE_SIZE == 0;
}

void range_isolate(char *start, char *end)
{
    struct area *first = area_at(start);
    if (first != NULL && first->start < start && may_split(first, start)) {
        area_split(first, start, change_spare());
    }
    struct area *last = area_at(end);
    if (last != NULL && last->start < end && may_split(last, end)) {
        area_split(last, end, change_spare());
    }
}

void range_merge(struct change *change, char *start, char *end)
{
    struct area *area = area_first(start, end);
    while (area != NULL) {
        change_bury(change, area_merge(area));
        area = area_after(area, end);
    }
    area = area_at(end);
    if (area != NULL) {
        change_bury(change, area_merge(area));
    }
}

bool range_close(char *start, char *end)
{
    const struct area *area = area_first(start, end);
    while (area != NULL && !filemap_is(area)) {
        area = area_after(area, end);
    }
    if (area != NULL) {
        gate_close(start, end);
    }
    return area != NULL;
}

bool range_is_mapped(char *start, char *end)
{
    const struct area *area = area_at(start);
    while (area != NULL && area->end < end) {
        const struct area *next = area_after(area, end);
        if (next == NULL || next->start != area->end) {
            return false;
        }
        area = next;
    }
    return area != NULL;
}

// Whether the range's pages come by lazy.c, now or with prot.
static bool is_lazy(const struct area *area, unsigned prot)
{
    return (area->flags & VM_LAZY) != 0 || (area->pager == NULL && !area->has_pages && prot != 0);
}

// Whether pages of it may be there that did not come by faults.
static bool is_adopted(const struct area *area)
{
    return area->has_pages && !area->is_sparse;
}

// first: the first area that meets [start, end).
static int range_prepare(struct area *first, char *start, char *end, unsigned prot)
{
    int error = 0;
    struct area *area = first;
    while (area != NULL && error == 0) {
        if (is_lazy(area, prot)) {
            error = lazy_prepare(area->start > start ? area->start : start,
                                 area->end < end ? area->end : end, prot, is_adopted(area));
        }
        area = area_after(area, end);
    }
    return error;
}

// ---- Unmap ---------------------------------------------------------------

// Cuts large mappings of the machine at end, where the range is more than one area: the last one
// must not fail.
static int border_cut(char *start, char *end, struct gather *gather)
{
    const struct area *area = area_at(end);
    if (area == NULL || area->start >= end || area->start <= start || !area->has_pages) {
        return 0;
    }
    struct pages_kind kind = area_kind(area);
    kind.presence = PAGES_SOME;
    huge_cut(end, end, HUGE_SPLIT);
    return pages_protect(end - HAL_PAGE_SIZE, end, area->prot, area->prot, kind, gather);
}

// Of [start, end), which is in area.
static int area_free_pages(const struct area *area, char *start, char *end, struct gather *gather)
{
    enum { SMALL = 4 * HAL_PAGE_SIZE };
    if ((area->flags & VM_LAZY) != 0) {
        lazy_set(start, end, 0);
        if (pages_are_absent(start, end, SMALL)) {
            return 0;
        }
    }
    int error = area->has_pages ? pages_free(start, end, area_kind(area), gather) : 0;
    if (error != 0 && (area->flags & VM_LAZY) != 0) {
        lazy_set(start, end, area->prot);
    }
    return error;
}

static void area_bury(struct change *change, struct area *area)
{
    area_remove(area);
    area->next = NULL;
    change_bury(change, area);
}

// A part of area, or all of it. is_last: of the change.
static int part_unmap(struct change *change, struct area *area, char *start, char *end,
                      bool is_last)
{
    const bool is_lazy_range = (area->flags & VM_LAZY) != 0;
    int error = is_lazy_range ? lazy_prepare(start, end, 0, false) : 0;
    error = error != 0 ? error : area_free_pages(area, start, end, &change->gather);
    if (error != 0) {
        return error;
    }
    change_mapped_add(-(size_t)(end - start));
    if (area->start < start && area->end > end) {
        area_split(area, end, change_spare());
    }
    const bool is_whole = area->start == start && area->end == end;
    if (is_whole && is_last && is_lazy_range && end - start < LAZY_CHUNK && area->name == NULL &&
        area->is_sparse) {
        area_empty(area);
        emptied = area;
    } else if (is_whole) {
        area_bury(change, area);
    } else {
        area_trim(area, start, end);
    }
    return 0;
}

// (A host that is out of mappings may refuse in the middle of the range: what was unmapped by then
// stays so.)
static int parts_unmap(struct change *change, struct area *area, char *start, char *end)
{
    int error = range_prepare(area, start, end, 0);
    error = error != 0 ? error : border_cut(start, end, &change->gather);
    if (error != 0) {
        return error;
    }
    range_isolate(start, end);
    area = area_first(start, end);
    while (area != NULL) {
        error = area_free_pages(area, area->start, area->end, &change->gather);
        if (error != 0) {
            range_merge(change, start, end);
            return error;
        }
        struct area *next = area_after(area, end);
        change_mapped_add(-(size_t)(area->end - area->start));
        area_bury(change, area);
        area = next;
    }
    return 0;
}

static int any_unmap(struct change *change, char *start, char *end, bool is_last)
{
    struct area *area = area_first(start, end);
    if (area == NULL) {
        return 0;
    }
    if (area->end < end && area_after(area, end) != NULL) {
        const bool is_closed = range_close(start, end);
        const int error = parts_unmap(change, area, start, end);
        range_open(is_closed);
        return error;
    }
    char *from = area->start > start ? area->start : start;
    char *to = area->end < end ? area->end : end;
    const bool is_closed = area->pager != NULL && range_close(from, to);
    const int error = part_unmap(change, area, from, to, is_last);
    range_open(is_closed);
    return error;
}

int range_unmap(struct change *change, char *start, char *end)
{
    int error = any_unmap(change, start, end, false);
    gather_finish(&change->gather);
    return error;
}

int range_unmap_last(struct change *change, char *start, char *end)
{
    return any_unmap(change, start, end, true);
}

// ---- Protect -------------------------------------------------------------

static void lazy_put(const struct area *area, char *start, char *end, unsigned prot)
{
    if (is_adopted(area)) {
        lazy_adopt(start, end, prot);
    } else {
        lazy_set(start, end, prot);
    }
}

// Of [start, end), which is in area.
static int area_protect(const struct area *area, char *start, char *end, unsigned old_prot,
                        unsigned prot, struct gather *gather)
{
    bool may_come = is_lazy(area, prot | old_prot);
    if (may_come && !area->has_pages) {
        lazy_begin(start, end, prot, LAZY_LARGE);
        if ((area->flags & VM_ADVISED_MASK) != 0) {
            lazy_advise(start, end, (area->flags & VM_LARGE_ADVISED) != 0);
        }
    } else if (may_come) {
        lazy_put(area, start, end, prot);
    }
    int error = 0;
    if (area->has_pages) {
        huge_cut(start, end, HUGE_CUT);
        error = pages_protect(start, end, old_prot, prot, area_kind(area), gather);
    }
    if (error != 0 && may_come) {
        lazy_put(area, start, end, old_prot);
    }
    return error;
}

static void area_prot_set(struct area *area, unsigned prot)
{
    if (is_lazy(area, prot) && !area->has_pages) {
        area->flags |= VM_LAZY;
        area->has_pages = area->is_sparse = true;
    }
    area->prot = prot;
}

// A part of area, or all of it.
static int part_protect(struct change *change, struct area *area, char *start, char *end,
                        unsigned prot)
{
    if (area->prot == prot) {
        return 0;
    }
    int error = is_lazy(area, prot) ? lazy_prepare(start, end, prot, is_adopted(area)) : 0;
    error = error != 0 ? error : area_protect(area, start, end, area->prot, prot, &change->gather);
    if (error != 0) {
        return error;
    }
    if (area->start < start) {
        struct area *upper = change_spare();
        area_split(area, start, upper);
        area = upper;
    }
    if (end < area->end) {
        area_split(area, end, change_spare());
    }
    area_prot_set(area, prot);
    change_bury(change, area_merge(area));
    return 0;
}

// Back to what the areas' records say, before the one that failed.
static void protect_undo(struct area *area, const struct area *failed, char *end, unsigned prot,
                         struct gather *gather)
{
    while (area != failed) {
        int error = area_protect(area, area->start, area->end, prot, area->prot, gather);
        ASSERT(error == 0); // its borders are there
        area = area_after(area, end);
    }
}

static bool range_is_read_only(const char *start, const char *end)
{
    const struct area *area = area_first(start, end);
    while (area != NULL && (area->flags & VM_READ_ONLY) == 0) {
        area = area_after(area, end);
    }
    return area != NULL;
}

static int parts_protect(struct change *change, char *start, char *end, unsigned prot)
{
    int error = range_prepare(area_first(start, end), start, end, prot);
    if (error != 0) {
        return error;
    }
    range_isolate(start, end);
    struct area *first = area_first(start, end);
    for (struct area *area = first; area != NULL && error == 0; area = area_after(area, end)) {
        error = area->prot == prot
                    ? 0
                    : area_protect(area, area->start, area->end, area->prot, prot, &change->gather);
        if (error != 0) {
            protect_undo(first, area, end, prot, &change->gather);
        }
    }
    for (struct area *area = first; area != NULL && error == 0; area = area_after(area, end)) {
        area_prot_set(area, prot);
    }
    range_merge(change, start, end);
    return error;
}

int range_protect(struct change *change, char *start, char *end, unsigned prot)
{
    if (!range_is_mapped(start, end)) {
        return -ENOMEM;
    }
    if ((prot & HAL_WRITE) != 0 && range_is_read_only(start, end)) {
        return -EACCES;
    }
    if (!limit_is_none && !limit_allows_protection(start, end, prot)) {
        return -ENOMEM;
    }
    struct area *whole = area_at(start);
    const bool is_closed = (whole->pager != NULL || end > whole->end) && range_close(start, end);
    const int error = end <= whole->end ? part_protect(change, whole, start, end, prot)
                                        : parts_protect(change, start, end, prot);
    range_open(is_closed);
    return error;
}
// ---- Discard -------------------------------------------------------------

static void anonymous_discard(struct area *area, char *start, char *end, struct gather *gather)
{
    if (end - start <= CLEAR_MAX || lazy_prepare(start, end, area->prot, true) != 0) {
        lazy_moving_return(start, end);
        pages_clear(start, end, area_kind(area));
        return;
    }
    const bool was_lazy = (area->flags & VM_LAZY) != 0;
    huge_cut(start, end, HUGE_SPLIT);
    lazy_adopt(start, end, area->prot);
    area->flags |= VM_LAZY;
    area->is_sparse = area->is_sparse && was_lazy;
    pages_discard(start, end, area_kind(area), gather);
}

int range_discard(struct change *change, char *start, char *end)
{
    int error = 0;
    for (struct area *area = area_first(start, end); area != NULL && error == 0;
         area = area_after(area, end)) {
        char *from = area->start > start ? area->start : start;
        char *to = area->end < end ? area->end : end;
        bool is_private = (area->flags & VM_SHARED) == 0 && area->has_pages;
        if (is_private && area->pager == NULL) {
            anonymous_discard(area, from, to, &change->gather);
        } else if (is_private) {
            const bool is_closed = range_close(from, to);
            error = pages_free(from, to, area_kind(area), &change->gather);
            gather_finish(&change->gather);
            range_open(is_closed);
        }
    }
    return error;
}
