// SPDX-License-Identifier: BSD-3-Clause
// radix.c: four-level translation tables.
//
// Level 0 entries map pages, level 1 entries 2 MiB or point to a table, levels 2 and 3 point to
// tables; but for those of radix_map_giant, of level 2, which nobody changes. An entry that is zero
// maps nothing; one of a page without access rights is not zero, so that it can get them back.
//
// Concurrency: a new table is put in by compare-and-swap over zero, a large mapping is split by
// compare-and-swap over itself, and leaves belong to the one caller whose range they are in. A
// table is taken out only by a caller whose range covers all that it can map, so nobody else can be
// inside. Changes of a leaf are compare-and-swap too where the processor may mark it dirty
// meanwhile.
#include "hal/common/radix.h"

#include <stdatomic.h>

#include "hal/common/crash.h"
#include "hal/common/error.h"
#include "hal/upcall.h"
#include "radix_entry.h"

enum {
    PAGE_BITS = 12,
    LEVEL_BITS = 9,
    LEVEL_PAGE = 0,
    LEVEL_LARGE = 1,
    LEVEL_GIANT = 2,
    LEVEL_ROOT = RADIX_LEVELS - 1
};

typedef _Atomic uint64_t radix_entry;

// An entry, at the lowest level asked for or where the tree ends before it.
struct place {
    radix_entry *entry;
    unsigned level;
};

// Tables out of use, each page's first word the address of the next one: even, so no processor
// takes it for an entry.
static _Atomic hal_phys retired;

static radix_entry *table_at(hal_phys table)
{
    return (radix_entry *)entry_pointer(table);
}

static uint64_t level_size(unsigned level)
{
    return 1ull << (PAGE_BITS + LEVEL_BITS * level);
}

static size_t level_index(uint64_t va, unsigned level)
{
    return va >> (PAGE_BITS + LEVEL_BITS * level) & (RADIX_ENTRIES - 1);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The end of the range, or of what an entry of level maps at va, whichever is first.
static uint64_t step_end(uint64_t va, uint64_t end, unsigned level)
{
    return least(end - 1, va | (level_size(level) - 1)) + 1;
}

// The entry of va at level, or the one above it at which the tree ends.
static struct place place_find(const struct radix *radix, uint64_t va, unsigned level)
{
    struct place place = {.entry = &table_at(radix->root)[level_index(va, LEVEL_ROOT)],
                          .level = LEVEL_ROOT};
#pragma GCC unroll 4
    while (place.level > level) {
        const uint64_t entry =
            atomic_load_explicit(place.entry, memory_order_acquire); // pairs with place_make
        if (!entry_is_table(entry)) {
            break;
        }
        --place.level;
        place.entry = &table_at(entry_address(entry))[level_index(va, place.level)];
    }
    return place;
}

static void table_retire(hal_phys table)
{
    hal_phys head = atomic_load_explicit(&retired, memory_order_relaxed);
    do {
        atomic_store_explicit(table_at(table), head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&retired, &head, table, memory_order_release,
                                                    memory_order_relaxed));
}

// The entry of va at level; makes the tables on the way. -ENOMEM.
static int place_make(const struct radix *radix, uint64_t va, unsigned level, struct place *out)
{
    struct place place = place_find(radix, va, level);
    while (place.level > level && atomic_load(place.entry) == 0) {
        const hal_phys table = radix->table_get();
        if (table == 0) {
            return -ERROR_NOMEM;
        }
        uint64_t none = 0;
        // Release: the table's zeros are there before the table is.
        if (!atomic_compare_exchange_strong_explicit(place.entry, &none, entry_table(table),
                                                     memory_order_release, memory_order_relaxed)) {
            table_retire(table);
        }
        place = place_find(radix, va, level);
    }
    *out = place;
    return 0;
}

// Whether [va, end) to pa starts with a large mapping.
static bool is_large(uint64_t va, uint64_t end, hal_phys pa)
{
    return ((va | pa) & (RADIX_LARGE_SIZE - 1)) == 0 && end - va >= RADIX_LARGE_SIZE;
}

// Makes the tables that the range needs; first: where its first mapping goes.
static int tables_make(const struct radix *radix, uint64_t va, uint64_t end, hal_phys pa,
                       struct place *first)
{
    struct place *out = first, rest;
    while (va < end) {
        const int error =
            place_make(radix, va, is_large(va, end, pa) ? LEVEL_LARGE : LEVEL_PAGE, out);
        if (error != 0) {
            return error;
        }
        const uint64_t next = step_end(va, end, LEVEL_LARGE);
        pa += next - va;
        va = next;
        out = &rest;
    }
    return 0;
}

static void leaf_put(radix_entry *entry, hal_phys pa, unsigned prot, unsigned level)
{
    crash_unless(atomic_load_explicit(entry, memory_order_relaxed) == 0,
                 "hal_map: page is mapped already");
    atomic_store_explicit(entry, entry_leaf(pa, prot, level), memory_order_release);
}

int radix_map(const struct radix *radix, uint64_t va, hal_phys pa, size_t size, unsigned prot)
{
    const uint64_t start = va, end = va + size;
    struct place place;
    const int error = tables_make(radix, va, end, pa, &place);
    if (error != 0) {
        return error;
    }
    while (va < end) {
        const uint64_t next = step_end(va, end, LEVEL_LARGE);
        if (va != start || place.level != LEVEL_PAGE) {
            place = place_find(radix, va, LEVEL_PAGE);
        }
        if (place.level == LEVEL_LARGE && is_large(va, end, pa)) {
            leaf_put(place.entry, pa, prot, LEVEL_LARGE);
            pa += next - va;
            va = next;
            continue;
        }
        crash_unless(place.level == LEVEL_PAGE, "hal_map: page is mapped already");
        for (radix_entry *entry = place.entry; va < next;
             va += HAL_PAGE_SIZE, pa += HAL_PAGE_SIZE) {
            leaf_put(entry++, pa, prot, LEVEL_PAGE);
        }
    }
    return 0;
}

int radix_map_giant(const struct radix *radix, uint64_t va, hal_phys pa, size_t size, unsigned prot)
{
    const uint64_t end = va + size;
    for (; va < end; va += RADIX_GIANT_SIZE, pa += RADIX_GIANT_SIZE) {
        struct place place;
        const int error = place_make(radix, va, LEVEL_GIANT, &place);
        if (error != 0) {
            return error;
        }
        leaf_put(place.entry, pa, prot, LEVEL_GIANT);
    }
    return 0;
}

// Makes va a border between mappings.
static int border_make(const struct radix *radix, uint64_t va)
{
    while ((va & (RADIX_LARGE_SIZE - 1)) != 0) {
        const struct place place = place_find(radix, va, LEVEL_PAGE);
        const uint64_t old = atomic_load(place.entry);
        if (place.level != LEVEL_LARGE || old == 0) {
            return 0;
        }
        const hal_phys table = radix->table_get();
        if (table == 0) {
            return -ERROR_NOMEM;
        }
        for (size_t i = 0; i < RADIX_ENTRIES; ++i) {
            atomic_store_explicit(&table_at(table)[i], entry_part(old, i), memory_order_relaxed);
        }
        if (entry_split(place.entry, old, entry_table(table), va)) {
            return 0;
        }
        table_retire(table); // somebody split it, or it got dirty: look again
    }
    return 0;
}

static int borders_make(const struct radix *radix, uint64_t va, uint64_t end)
{
    const int error = border_make(radix, va);
    // The same table has both?
    const bool is_done =
        (va & (RADIX_LARGE_SIZE - 1)) != 0 && step_end(va, end, LEVEL_LARGE) == end;
    return error != 0 || is_done ? error : border_make(radix, end);
}

int radix_protect(const struct radix *radix, uint64_t va, size_t size, unsigned prot)
{
    const uint64_t end = va + size;
    const int error = borders_make(radix, va, end);
    if (error != 0) {
        return error;
    }
    while (va < end) {
        const struct place place = place_find(radix, va, LEVEL_PAGE);
        uint64_t old = atomic_load_explicit(place.entry, memory_order_relaxed);
        crash_unless(old != 0, "hal_protect: page is not mapped");
        while (!atomic_compare_exchange_weak(place.entry, &old, entry_protect(old, prot))) {
        }
        va = step_end(va, end, place.level);
    }
    return 0;
}

// Takes the table of the 2 MiB at va out.
static void table_remove(const struct radix *radix, uint64_t va)
{
    const struct place place = place_find(radix, va, LEVEL_LARGE);
    const uint64_t old = atomic_load_explicit(place.entry, memory_order_relaxed);
    if (place.level == LEVEL_LARGE && entry_is_table(old)) {
        atomic_store(place.entry, 0);
        table_retire(entry_address(old));
    }
}

int radix_unmap(const struct radix *radix, uint64_t va, size_t size)
{
    const uint64_t end = va + size;
    const int error = borders_make(radix, va, end);
    if (error != 0) {
        return error;
    }
    while (va < end) {
        struct place place = place_find(radix, va, LEVEL_PAGE);
        const uint64_t next =
            step_end(va, end, place.level == LEVEL_PAGE ? LEVEL_LARGE : place.level);
        if (place.level != LEVEL_PAGE) {
            atomic_store_explicit(place.entry, 0, memory_order_relaxed);
        } else {
            for (uint64_t at = va; at < next; at += HAL_PAGE_SIZE) {
                atomic_store_explicit(place.entry++, 0, memory_order_relaxed);
            }
        }
        if (next - va == RADIX_LARGE_SIZE && place.level == LEVEL_PAGE) {
            table_remove(radix, va);
        }
        va = next;
    }
    return 0;
}

int radix_translate(const struct radix *radix, uint64_t va, hal_phys *pa, unsigned *prot)
{
    const struct place place = place_find(radix, va, LEVEL_PAGE);
    const uint64_t entry = atomic_load(place.entry);
    if (entry == 0) {
        return -ERROR_FAULT;
    }
    *pa = entry_address(entry) + (va & (level_size(place.level) - 1));
    *prot = entry_prot(entry);
    return 0;
}

int radix_page_look(const struct radix *radix, uint64_t va, struct hal_page *page)
{
    const struct place place = place_find(radix, va, LEVEL_PAGE);
    const uint64_t entry = atomic_load(place.entry);
    if (entry == 0) {
        return -ERROR_FAULT;
    }
    *page = (struct hal_page){level_size(place.level), entry_prot(entry), entry_is_dirty(entry)};
    return 0;
}

static void bits_set(uint64_t *bits, size_t from, size_t to)
{
    for (size_t i = from; i < to; ++i) {
        bits[i / 64] |= 1ull << i % 64;
    }
}

bool radix_dirty_take(const struct radix *radix, uint64_t va, size_t size, uint64_t *bits)
{
    const uint64_t start = va, end = va + size;
    bool cleared = false;
    while (va < end) {
        const struct place place = place_find(radix, va, LEVEL_PAGE);
        const uint64_t next = step_end(va, end, place.level);
        uint64_t old = atomic_load(place.entry);
        while (old != 0 && entry_is_dirty(old)) {
            if (atomic_compare_exchange_weak(place.entry, &old, entry_clean(old))) {
                bits_set(bits, (va - start) / HAL_PAGE_SIZE, (next - start) / HAL_PAGE_SIZE);
                cleared = true;
                break;
            }
        }
        va = next;
    }
    return cleared;
}

bool radix_dirty_set(const struct radix *radix, uint64_t va)
{
    const struct place place = place_find(radix, va, LEVEL_PAGE);
    uint64_t old = atomic_load(place.entry);
    while (old != 0 && (entry_prot(old) & HAL_WRITE) != 0) {
        if (atomic_compare_exchange_weak(place.entry, &old, entry_dirty(old))) {
            return true;
        }
    }
    return false;
}

hal_phys radix_retired_take(void)
{
    return atomic_exchange_explicit(&retired, 0, memory_order_acquire); // pairs with table_retire
}

void radix_retired_put(hal_phys list)
{
    while (list != 0) {
        const hal_phys next = atomic_load_explicit(table_at(list), memory_order_relaxed);
        atomic_store_explicit(table_at(list), 0, memory_order_relaxed);
        upcall_table_put(list);
        list = next;
    }
}
