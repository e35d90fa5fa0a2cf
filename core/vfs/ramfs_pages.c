// SPDX-License-Identifier: BSD-3-Clause
// ramfs_pages.c: a tree of tables of 64 entries.
//
// The root is one word: a table, or the only page, and in its low bits how many levels of tables
// there are. Tables come under pages_lock and are published by one store, so that readers need no
// lock; they go only together with all pages. What a reader without a lock finds may be freed under
// its hands, but stays readable, since it lies in the direct map; layout, a sequence lock that is
// odd while pages go, tells it not to follow what it read.
#include "core/vfs/ramfs_pages.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/usage.h"
#include "hal/hal.h"

enum {
    TABLE_BITS = 6,
    TABLE_ENTRIES = 1 << TABLE_BITS,
    HEIGHT_MAX = 5, // 2^30 pages
    HEIGHT_MASK = HEAP_ALIGNMENT - 1,
    RUN_MAX = 512, // of frames taken at once
};

_Static_assert(HEIGHT_MAX <= HEIGHT_MASK, "the height fits into a pointer's low bits");

struct table {
    void *entries[TABLE_ENTRIES]; // tables, or, on the lowest level, pages
};

static uint32_t height_of(uintptr_t root)
{
    return (uint32_t)(root & HEIGHT_MASK);
}

static void *top_of(uintptr_t root)
{
    return (void *)(root & ~(uintptr_t)HEIGHT_MASK);
}

// The pages below an entry of a table on level (1: the lowest).
static uint64_t entry_span(uint32_t level)
{
    return (uint64_t)1 << (level - 1) * TABLE_BITS;
}

static void **entry_of(struct table *table, uint32_t level, uint64_t index)
{
    return &table->entries[index / entry_span(level) % TABLE_ENTRIES];
}

static bool is_within(uintptr_t root, uint64_t index)
{
    return index >> height_of(root) * TABLE_BITS == 0;
}

static uintptr_t root_of(const struct ramfs_node *node)
{
    // Acquire pairs with the release in root_raise and page_put: what is there is zeroed.
    return __atomic_load_n(&node->pages, __ATOMIC_ACQUIRE);
}

// ---- Finding -------------------------------------------------------------

// A table that it looks into may be freed meanwhile: then layout does not hold, and nothing is
// answered.
MARK_GUESS bool ramfs_page_find(const struct ramfs_node *node, uint64_t index, uint32_t layout,
                                const char **page)
{
    uintptr_t root = root_of(node);
    void *at = is_within(root, index) ? top_of(root) : NULL;
    for (uint32_t level = height_of(root); level > 0 && at != NULL; --level) {
        if (!sequence_holds(&node->layout, layout)) {
            MARK("ramfs: pages went on the way to one");
            return false;
        }
        // Acquire pairs with the release in table_put and page_put.
        at = __atomic_load_n(entry_of(at, level, index), __ATOMIC_ACQUIRE);
    }
    *page = at;
    return sequence_holds(&node->layout, layout);
}

char *ramfs_page_get(const struct ramfs_node *node, uint64_t index)
{
    uintptr_t root = root_of(node);
    void *at = is_within(root, index) ? top_of(root) : NULL;
    for (uint32_t level = height_of(root); level > 0 && at != NULL; --level) {
        at = __atomic_load_n(entry_of(at, level, index), __ATOMIC_ACQUIRE); // the same
    }
    return at;
}

uint64_t ramfs_page_next(const struct ramfs_node *node, uint64_t index, uint64_t end)
{
    uintptr_t root = root_of(node);
    while (index < end && is_within(root, index)) {
        void *at = top_of(root);
        uint32_t level = height_of(root);
        while (level > 0 && at != NULL) {
            at = *entry_of(at, level--, index);
        }
        if (at != NULL) {
            return index;
        }
        uint64_t span = (uint64_t)1 << level * TABLE_BITS;
        index = (index / span + 1) * span;
    }
    return end;
}

// ---- Making --------------------------------------------------------------

// Makes the tree high enough for index. False: no memory.
static bool root_raise(struct ramfs_node *node, uint64_t index)
{
    uintptr_t root = root_of(node);
    while (!is_within(root, index)) {
        uint32_t height = height_of(root) + 1;
        ASSERT(height <= HEIGHT_MAX);
        uintptr_t top = 0;
        if (top_of(root) != NULL) {
            struct table *table = heap_alloc_zeroed(sizeof *table);
            if (table == NULL) {
                return false;
            }
            table->entries[0] = top_of(root);
            top = (uintptr_t)table;
        }
        root = top | height;
        __atomic_store_n(&node->pages, root, __ATOMIC_RELEASE); // pairs with root_of
    }
    return true;
}

// A page or table where there is none. False: no memory for the way to it.
static bool page_put(struct ramfs_node *node, uint64_t index, char *page)
{
    if (!root_raise(node, index)) {
        return false;
    }
    uintptr_t root = root_of(node);
    uint32_t height = height_of(root);
    void *at = top_of(root);
    for (uint32_t level = height; level > 0; --level) {
        if (at == NULL) { // only the top can be
            at = heap_alloc_zeroed(sizeof(struct table));
            if (at == NULL) {
                return false;
            }
            __atomic_store_n(&node->pages, (uintptr_t)at | height, __ATOMIC_RELEASE);
        }
        void **entry = entry_of(at, level, index);
        if (level == 1) {
            __atomic_store_n(entry, page, __ATOMIC_RELEASE); // pairs with ramfs_page_find
            return true;
        }
        if (*entry == NULL) {
            void *table = heap_alloc_zeroed(sizeof(struct table));
            if (table == NULL) {
                return false;
            }
            __atomic_store_n(entry, table, __ATOMIC_RELEASE); // the same
        }
        at = *entry;
    }
    __atomic_store_n(&node->pages, (uintptr_t)page, __ATOMIC_RELEASE); // pairs with root_of
    return true;
}

// pages_lock is held, or nobody else knows the node.
static void present_add(struct ramfs_node *node, size_t count)
{
    size_t present = atomic_load_explicit(&node->present_count, memory_order_relaxed);
    atomic_store_explicit(&node->present_count, present + count, memory_order_relaxed);
    if (node->huge == NULL) {
        usage_add(USAGE_MEMORY_FILES, count);
    }
}

bool ramfs_page_put(struct ramfs_node *node, uint64_t index, char *page)
{
    const bool is_put = page_put(node, index, page);
    present_add(node, is_put);
    return is_put;
}

size_t ramfs_pages_make(struct ramfs_node *node, uint64_t index, size_t count)
{
    if (node->huge != NULL) {
        return ramfs_huge_make(node, index);
    }
    hal_phys frames;
    size_t hole = (size_t)(ramfs_page_next(node, index, index + count) - index);
    ASSERT(hole > 0);
    size_t run = frame_alloc_run(hole < RUN_MAX ? hole : RUN_MAX, FRAME_ZERO, &frames);
    size_t made = 0;
    while (made < run &&
           page_put(node, index + made, frame_address(frames) + made * HAL_PAGE_SIZE)) {
        ++made;
    }
    if (made < run) {
        frame_free(frames + made * HAL_PAGE_SIZE, run - made);
    }
    present_add(node, made);
    return made;
}

// ---- Freeing -------------------------------------------------------------

// Takes the page out.
static char *page_take(struct ramfs_node *node, uint64_t index)
{
    uintptr_t root = root_of(node);
    void *at = top_of(root);
    if (height_of(root) == 0) {
        __atomic_store_n(&node->pages, 0, __ATOMIC_RELAXED);
        return at;
    }
    for (uint32_t level = height_of(root); level > 1; --level) {
        at = *entry_of(at, level, index);
    }
    void **entry = entry_of(at, 1, index);
    char *page = *entry;
    __atomic_store_n(entry, NULL, __ATOMIC_RELAXED);
    return page;
}

char *ramfs_page_take(struct ramfs_node *node, uint64_t index)
{
    present_add(node, -(size_t)1);
    return page_take(node, index);
}

// All tables: from the lowest level up, so that each is freed before the one that leads to it.
static void tables_free(struct ramfs_node *node)
{
    uintptr_t root = root_of(node);
    uint32_t height = height_of(root);
    __atomic_store_n(&node->pages, 0, __ATOMIC_RELAXED);
    for (uint32_t lowest = 1; lowest <= height && top_of(root) != NULL; ++lowest) {
        for (uint64_t index = 0; is_within(root, index);) {
            void *at = top_of(root);
            uint32_t level = height;
            while (level > lowest && at != NULL) {
                at = *entry_of(at, level--, index);
            }
            heap_free(at);
            uint64_t span = (uint64_t)1 << level * TABLE_BITS;
            index = (index / span + 1) * span;
        }
    }
}

static void small_cut(struct ramfs_node *node, uint64_t first, uint64_t end)
{
    char *start = NULL;
    size_t count = 0;
    for (uint64_t index = ramfs_page_next(node, first, end); index < end;
         index = ramfs_page_next(node, index + 1, end)) {
        char *page = ramfs_page_take(node, index);
        if (count > 0 && page == start + count * HAL_PAGE_SIZE) {
            ++count;
            continue;
        }
        if (count > 0) {
            frame_free(frame_of(start), count);
        }
        start = page;
        count = 1;
    }
    if (count > 0) {
        frame_free(frame_of(start), count);
    }
}

void ramfs_pages_cut(struct ramfs_node *node, uint64_t first, uint64_t end)
{
    sequence_change_begin(&node->layout);
    if (node->huge != NULL) {
        ramfs_huge_cut(node, first, end);
    } else {
        small_cut(node, first, end);
    }
    if (first == 0 && end == UINT64_MAX) {
        tables_free(node);
    }
    sequence_change_end(&node->layout);
}
