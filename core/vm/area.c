// SPDX-License-Identifier: BSD-3-Clause
// area.c: areas in a treap by address, and the search for holes between them.
//
// Holes are found first-fit, and what earlier searches found keeps the next ones short. Invariant:
// no hole that has room for hint->size at hint->alignment begins below hint->start.
#include "core/vm/area.h"

#include "core/lib/assert.h"
#include "core/lib/list.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

enum { HINT_COUNT = 48, LOW_KEPT = 256 << 20 };

struct hint {
    size_t size, alignment;
    char *start;
};

struct window {
    char *start, *end;
    char *search;                  // holes are looked for from here on
    struct hint hints[HINT_COUNT]; // of the last search for 2^k pages or more, less than 2^(k+1)
};

static struct tree areas;
static struct window windows[2]; // by enum area_place

static struct area *area_of(const struct tree_node *node)
{
    return node == NULL ? NULL : container_of(node, struct area, node);
}

static bool is_before(const struct tree_node *a, const struct tree_node *b)
{
    return area_of(a)->start < area_of(b)->start;
}

static void window_init(struct window *window, char *base, size_t size, size_t kept)
{
    window->start = base;
    window->end = base + size;
    window->search = base + (kept < size ? kept : size / 2);
    for (uint32_t i = 0; i < HINT_COUNT; ++i) {
        window->hints[i] = (struct hint){HAL_PAGE_SIZE, HAL_PAGE_SIZE, window->search};
    }
}

void area_init(const struct hal_boot *boot)
{
    areas = (struct tree){NULL};
    window_init(&windows[AREA_HIGH], boot->va_base, boot->va_size, 0);
    // Programs that are linked at low addresses find them free.
    window_init(&windows[AREA_LOW], boot->low_base, boot->low_size, LOW_KEPT);
}

static struct window *window_of(const char *va)
{
    for (uint32_t i = 0; i < 2; ++i) {
        if (va >= windows[i].start && va < windows[i].end) {
            return &windows[i];
        }
    }
    return NULL;
}

bool vm_is_window(const char *va)
{
    return window_of(va) != NULL;
}

bool area_is_in_window(const char *start, size_t size)
{
    const struct window *window = window_of(start);
    return window != NULL && size <= (size_t)(window->end - start);
}

// The last area that begins at or below va.
static struct area *area_floor(const char *va)
{
    struct tree_node *node = areas.root;
    struct area *found = NULL;
    while (node != NULL) {
        if (area_of(node)->start <= va) {
            found = area_of(node);
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return found;
}

struct area *area_at(const char *va)
{
    struct area *area = area_floor(va);
    return area != NULL && va < area->end ? area : NULL;
}

struct area *area_first(const char *start, const char *end)
{
    struct area *area = area_floor(start);
    if (area == NULL) {
        area = area_of(tree_first(&areas));
    } else if (area->end <= start) {
        area = area_of(tree_next(&area->node));
    }
    return area != NULL && area->start < end ? area : NULL;
}

struct area *area_after(const struct area *area, const char *end)
{
    struct area *next = area_of(tree_next(&area->node));
    return next != NULL && next->start < end ? next : NULL;
}

// ---- Insert, split, merge ------------------------------------------------

// Whether upper goes on where lower ends.
static bool is_continued(const struct area *lower, const struct area *upper)
{
    return lower->end == upper->start && lower->prot == upper->prot &&
           lower->flags == upper->flags && lower->has_pages == upper->has_pages &&
           lower->is_sparse == upper->is_sparse && lower->pager == upper->pager &&
           lower->name == upper->name &&
           (lower->pager == NULL ||
            lower->offset + (uint64_t)(lower->end - lower->start) == upper->offset);
}

struct area *area_merge(struct area *area)
{
    struct area *merged = NULL;
    struct area *lower = area_of(tree_previous(&area->node));
    if (lower != NULL && is_continued(lower, area)) {
        area_remove(lower);
        area->start = lower->start; // the order of the tree stays
        area->offset = lower->offset;
        lower->next = merged;
        merged = lower;
    }
    struct area *upper = area_of(tree_next(&area->node));
    if (upper != NULL && is_continued(area, upper)) {
        area_remove(upper);
        area->end = upper->end;
        upper->next = merged;
        merged = upper;
    }
    return merged;
}

struct area *area_insert(struct area *area)
{
    ASSERT(area->start < area->end);
    ASSERT(area_first(area->start, area->end) == NULL);
    tree_insert(&areas, &area->node, is_before);
    return area_merge(area);
}

void area_remove(struct area *area)
{
    tree_remove(&areas, &area->node);
}

void area_split(struct area *area, char *va, struct area *spare)
{
    ASSERT(area->start < va && va < area->end);
    *spare = *area;
    spare->next = NULL;
    spare->start = va;
    if (area->pager != NULL) {
        spare->offset += (uint64_t)(va - area->start);
        area->pager->get(area->pager);
    }
    area->end = va;
    tree_insert(&areas, &spare->node, is_before);
}

// ---- Holes ---------------------------------------------------------------

static uint32_t log2_floor(size_t pages)
{
    uint32_t log = 63 - (uint32_t)__builtin_clzll(pages);
    return log < HINT_COUNT ? log : HINT_COUNT - 1;
}

static char *align_up(char *va, size_t alignment)
{
    return va + (-(uintptr_t)va & (alignment - 1));
}

// The first hole at or above from; NULL: none.
static char *hole_search(const struct window *window, char *from, size_t size, size_t alignment)
{
    const struct area *area = area_first(from, window->end);
    for (;;) {
        char *limit = area == NULL ? window->end : area->start;
        char *start = align_up(from, alignment);
        if (start < limit && size <= (size_t)(limit - start)) {
            return start;
        }
        if (area == NULL) {
            return NULL;
        }
        from = area->end > from ? area->end : from;
        area = area_after(area, window->end);
    }
}

char *area_hole_find(enum area_place place, size_t size, size_t alignment)
{
    struct window *window = &windows[place];
    char *from = window->search;
    for (uint32_t i = 0; i < HINT_COUNT; ++i) {
        const struct hint *hint = &window->hints[i];
        if (hint->size <= size && hint->alignment <= alignment && hint->start > from) {
            from = hint->start;
        }
    }
    char *start = hole_search(window, from, size, alignment);
    window->hints[log2_floor(size / HAL_PAGE_SIZE)] =
        (struct hint){size, alignment, start == NULL ? window->end : start};
    return start;
}

void area_hole_add(const char *start, const char *end)
{
    struct window *window = window_of(start);
    ASSERT(window != NULL && end <= window->end);
    struct area *lower = area_floor(start);
    struct area *upper = area_first(start, window->end);
    ASSERT(lower == NULL || lower->end <= start);
    char *from = lower == NULL || lower->end < window->search ? window->search : lower->end;
    const char *to = upper == NULL ? window->end : upper->start;
    for (uint32_t i = 0; i < HINT_COUNT; ++i) {
        struct hint *hint = &window->hints[i];
        if (from < hint->start && from < to && hint->size <= (size_t)(to - from)) {
            hint->start = from;
        }
    }
}
