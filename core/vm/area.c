// SPDX-License-Identifier: BSD-3-Clause
// area.c: areas in a treap by address, and the search for holes between them.
//
// Invariant: an area knows its neighbours, the hole in front of it, and the widest of these in its
// subtree.
//
// area_peek takes no lock: sequence tells it not to follow what it read, and to look again, where
// the set or the place of an area in it has changed meanwhile. What it finds may be freed under its
// hands, but stays readable, since records lie in the direct map.
#include "core/vm/area.h"

#include "core/lib/assert.h"
#include "core/lib/list.h"
#include "core/lib/mark.h"
#include "core/lib/sequence.h"
#include "core/vm/vm.h"
#include "hal/hal.h"

enum { LOW_KEPT = 256 << 20, PEEK_TRIES = 4 };

struct window {
    char *start, *end;
    char *search; // holes are looked for from here on
    char *free;   // below, from there on, is none
};

static struct tree areas;
static struct sequence sequence;
static struct area
    *last; // the one that was asked for last, or NULL: mostly it is the next one, too
static struct window windows[2]; // by enum area_place

static struct area *area_of(const struct tree_node *node)
{
    return node == NULL ? NULL : container_of(node, struct area, node);
}

// A machine may lack one: then its size is 0.
static void window_init(struct window *window, char *base, size_t size, size_t kept)
{
    *window = (struct window){.start = NULL};
    if (size == 0) {
        return;
    }
    window->start = base;
    window->end = base + size;
    window->search = window->free = base + (kept < size ? kept : size / 2);
}

void area_init(const struct hal_boot *boot)
{
    areas = (struct tree){NULL};
    sequence = (struct sequence){0};
    last = NULL;
    window_init(&windows[AREA_HIGH], boot->va_base, boot->va_size, 0);
    // Programs that are linked at low addresses find them free.
    window_init(&windows[AREA_LOW], boot->low_base, boot->low_size, LOW_KEPT);
}

// None is below area, or all are.
static struct area *area_above(const struct area *area)
{
    return area == NULL ? area_of(tree_first(&areas)) : area->above;
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

void area_search_from(char *va)
{
    windows[AREA_HIGH].search = windows[AREA_HIGH].free = va;
}

bool area_is_in_window(const char *start, size_t size)
{
    const struct window *window = window_of(start);
    return window != NULL && size <= (size_t)(window->end - start);
}

// The last area that begins at or below va.
static struct area *area_floor(const char *va)
{
    struct area *found = last;
    if (found != NULL && found->start <= va && (found->above == NULL || va < found->above->start)) {
        return found;
    }
    found = NULL;
    struct tree_node *node = areas.root;
    while (node != NULL) {
        if (area_of(node)->start <= va) {
            found = area_of(node);
            node = node->right;
        } else {
            node = node->left;
        }
    }
    last = found;
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
    if (area == NULL || area->end <= start) {
        area = area_above(area);
    }
    return area != NULL && area->start < end ? area : NULL;
}

struct area *area_after(const struct area *area, const char *end)
{
    return area->above != NULL && area->above->start < end ? area->above : NULL;
}

// ---- Without the lock ----------------------------------------------------

// False: the set is being changed.
static MARK_GUESS bool peek(const char *va, struct area *copy)
{
    uint32_t number;
    bool is_calm = sequence_begin(&sequence, &number);
    const struct area *found = NULL;
    const struct tree_node *node = areas.root;
    while (is_calm && node != NULL) {
        is_calm = sequence_holds(&sequence, number);
        if (is_calm && area_of(node)->start <= va) {
            found = area_of(node);
            node = node->right;
        } else if (is_calm) {
            node = node->left;
        }
    }
    if (is_calm && found != NULL) {
        *copy = *found;
    } else {
        copy->end = NULL;
    }
    return is_calm && sequence_holds(&sequence, number);
}

bool area_peek(const char *va, struct area *copy)
{
    for (int i = 0; i < PEEK_TRIES; ++i) {
        if (peek(va, copy)) {
            return va < copy->end;
        }
        MARK("area: the set changes under a look");
        hal_cpu_relax();
    }
    return false;
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
            (!lower->pager->is_kept_apart &&
             lower->offset + (uint64_t)(lower->end - lower->start) == upper->offset));
}

static bool widest_update(struct tree_node *node)
{
    struct area *area = area_of(node);
    const struct area *left = area_of(node->left), *right = area_of(node->right);
    size_t widest = area->hole;
    if (left != NULL && left->widest > widest) {
        widest = left->widest;
    }
    if (right != NULL && right->widest > widest) {
        widest = right->widest;
    }
    const bool is_new = widest != area->widest;
    area->widest = widest;
    return is_new;
}

// The hole between two neighbours.
static size_t hole_between(const struct area *lower, const struct area *upper)
{
    const struct window *window = window_of(upper->start);
    const char *from = lower != NULL && lower->end > window->start ? lower->end : window->start;
    return (size_t)(upper->start - from);
}

static void hole_changed(struct area *lower, struct area *upper)
{
    if (upper != NULL) {
        upper->hole = hole_between(lower, upper);
        tree_changed(&upper->node, widest_update);
    }
}

// Puts area between two neighbours.
static void put(struct area *lower, struct area *area, struct area *upper)
{
    area->below = lower;
    area->above = upper;
    area->hole = hole_between(lower, area);
    if (lower != NULL) {
        lower->above = area;
    }
    if (upper != NULL) {
        upper->below = area;
        upper->hole = hole_between(area, upper);
    }
    tree_insert_behind(&areas, &area->node, lower == NULL ? NULL : &lower->node, widest_update);
    if (upper != NULL) {
        tree_changed(&upper->node, widest_update);
    }
}

// Nothing is at start any more.
static void freed(char *start)
{
    struct window *window = window_of(start);
    if (start < window->free) {
        window->free = start > window->search ? start : window->search;
    }
}

static void take_out(struct area *area)
{
    struct area *lower = area->below, *upper = area->above;
    freed(area->start);
    if (lower != NULL) {
        lower->above = upper;
    }
    if (upper != NULL) {
        upper->below = lower;
    }
    last = lower;
    tree_remove_updated(&areas, &area->node, widest_update);
    hole_changed(lower, upper);
}

void area_remove(struct area *area)
{
    sequence_change_begin(&sequence);
    take_out(area);
    sequence_change_end(&sequence);
}

// With the neighbours that are named.
static struct area *merge(struct area *area, struct area *lower, struct area *upper)
{
    struct area *merged = NULL;
    if (lower != NULL) {
        area->start = lower->start; // the order of the tree stays
        area->offset = lower->offset;
        take_out(lower);
        lower->next = merged;
        merged = lower;
    }
    if (upper != NULL) {
        area->end = upper->end;
        take_out(upper);
        upper->next = merged;
        merged = upper;
    }
    return merged;
}

struct area *area_merge(struct area *area)
{
    struct area *lower = area->below, *upper = area->above;
    lower = lower != NULL && is_continued(lower, area) ? lower : NULL;
    upper = upper != NULL && is_continued(area, upper) ? upper : NULL;
    if (lower == NULL && upper == NULL) {
        return NULL;
    }
    sequence_change_begin(&sequence);
    struct area *merged = merge(area, lower, upper);
    sequence_change_end(&sequence);
    return merged;
}

void area_trim(struct area *area, char *start, char *end)
{
    ASSERT((area->start == start) != (area->end == end));
    freed(start);
    sequence_change_begin(&sequence);
    if (area->end == end) {
        area->end = start;
        hole_changed(area, area->above);
    } else {
        area->offset += area->pager != NULL ? (uint64_t)(end - area->start) : 0;
        area->start = end;
        hole_changed(area->below, area);
    }
    sequence_change_end(&sequence);
}

void area_lower(struct area *area, char *start)
{
    ASSERT(start < area->start && (area->below == NULL || area->below->end <= start));
    sequence_change_begin(&sequence);
    area->start = start; // the order of the tree stays
    hole_changed(area->below, area);
    sequence_change_end(&sequence);
}

void area_empty(struct area *area)
{
    freed(area->start);
    area->end = area->start;
    hole_changed(area, area->above);
}

bool area_fill(struct area *area, size_t size)
{
    const struct window *window = &windows[AREA_HIGH];
    const char *limit = area->above == NULL ? window->end : area_room_end(area->above);
    if (area->start != window->free || limit > window->end ||
        (intptr_t)size > limit - area->start) {
        return false;
    }
    area->end = area->start + size;
    hole_changed(area, area->above);
    return true;
}

static struct area *insert(struct area *area)
{
    struct area *lower = area_floor(area->start);
    struct area *upper = area_above(lower);
    ASSERT(lower == NULL || lower->end <= area->start);
    ASSERT(upper == NULL || upper->start >= area->end);
    bool is_lower = lower != NULL && is_continued(lower, area);
    if (upper != NULL && is_continued(area, upper)) {
        upper->start = area->start;
        upper->offset = area->offset;
        hole_changed(lower, upper);
        area->next = is_lower ? merge(upper, lower, NULL) : NULL;
        return area;
    }
    if (is_lower) {
        lower->end = area->end;
        hole_changed(lower, upper);
        area->next = NULL;
        return area;
    }
    put(lower, area, upper);
    last = area;
    return NULL;
}

struct area *area_insert(struct area *area)
{
    ASSERT(area->start < area->end);
    sequence_change_begin(&sequence);
    struct area *rest = insert(area);
    sequence_change_end(&sequence);
    return rest;
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
    sequence_change_begin(&sequence);
    area->end = va;
    put(area, spare, area->above);
    sequence_change_end(&sequence);
}

// ---- Holes ---------------------------------------------------------------

static char *align_up(char *va, size_t alignment)
{
    return va + (-(uintptr_t)va & (alignment - 1));
}

static bool has_wide(const struct tree_node *node, size_t size)
{
    return node != NULL && area_of(node)->widest >= size;
}

// The next area with a hole of size bytes in front of it.
static struct area *wide_after(const struct area *area, size_t size)
{
    struct tree_node *node = (struct tree_node *)&area->node;
    if (!has_wide(node->right, size)) {
        do {
            while (node->parent != NULL && node->parent->right == node) {
                node = node->parent;
            }
            node = node->parent;
        } while (node != NULL && area_of(node)->hole < size && !has_wide(node->right, size));
        if (node == NULL || area_of(node)->hole >= size) {
            return area_of(node);
        }
    }
    for (node = node->right;;) {
        if (has_wide(node->left, size)) {
            node = node->left;
        } else if (area_of(node)->hole >= size) {
            return area_of(node);
        } else {
            node = node->right;
        }
    }
}

char *area_hole_find(enum area_place place, size_t size, size_t alignment)
{
    struct window *window = &windows[place];
    if (window->start == window->end) {
        return NULL;
    }
    const struct area *area = area_first(window->free, (char *)UINTPTR_MAX);
    if (area != NULL && area->start - area->hole > window->free && area->start < window->end) {
        window->free = area->start - area->hole;
    }
    for (;;) {
        const bool is_last = area == NULL || area->start >= window->end;
        char *from, *limit;
        if (is_last) {
            const struct area *lower = area_floor(window->end - 1);
            from = lower == NULL ? window->start : lower->end;
            limit = window->end;
        } else {
            from = area->start - area->hole;
            limit = area_room_end(area);
        }
        char *start = align_up(from > window->free ? from : window->free, alignment);
        if (start < limit && size <= (size_t)(limit - start)) {
            window->free = size == HAL_PAGE_SIZE && alignment == size ? start : window->free;
            return start;
        }
        if (is_last) {
            return NULL;
        }
        area = wide_after(area, size);
    }
}

unsigned area_flags_told(const struct area *area)
{
    return (area->flags & VM_HUGE_PRIVATE) != 0 ? area->flags & ~(unsigned)VM_SHARED : area->flags;
}
