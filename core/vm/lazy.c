// SPDX-License-Identifier: BSD-3-Clause
// lazy.c: one word for each 64 KiB of the windows: three bits of protection for each of its 16
// pages, and CHUNK_BUSY.
//
// Words lie in tables of 512 (32 MiB), and entries for these in directories of 512 (16 GiB); both
// are made when they are needed and never freed. A directory entry is 0, a table, or, while no page
// of the 32 MiB differs from another, the word itself (DIRECTORY_UNIFORM).
//
// A fault claims the word (CHUNK_BUSY, by compare-and-swap, interrupts off, so that it is never
// preempted with the claim), maps what is absent, and lets go. Who changes a word waits for the
// claim first. So once lazy_set(..., 0) has returned, no fault maps anything there. A fault that
// meets a claim says "resolved" and comes again.
#include "core/vm/lazy.h"

#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/sched/thread.h"
#include "hal/hal.h"

enum {
    CHUNK_PAGES = LAZY_CHUNK / HAL_PAGE_SIZE,
    PROT_BITS = 3,
    PROT_MASK = 7,
    TABLE_CHUNKS = HAL_PAGE_SIZE / 8,
    DIRECTORY_TABLES = HAL_PAGE_SIZE / 8,
    DIRECTORY_UNIFORM = 1,
};

#define CHUNK_BUSY ((uint64_t)1 << 63)
#define CHUNK_ONES 0x249249249249u // one in each page's field
#define TABLE_SIZE ((size_t)TABLE_CHUNKS * LAZY_CHUNK)
#define DIRECTORY_SIZE ((size_t)DIRECTORY_TABLES * TABLE_SIZE)

struct lazy_window {
    char *base;  // a multiple of DIRECTORY_SIZE
    size_t size; // another one
    // NULL: nothing of it has lazy pages; written under the mutex
    _Atomic(_Atomic uint64_t *) *directories;
};

static struct lazy_window windows[2];

// The table that table_of found last. Under the mutex.
static struct {
    uintptr_t number;
    uint64_t table;
} recent;

static uint64_t word_uniform(unsigned prot)
{
    return CHUNK_ONES * (uint64_t)(prot & PROT_MASK);
}

// The fields of the pages of [start, end) in the chunk at base.
static uint64_t word_mask(const char *base, const char *start, const char *end)
{
    size_t from = start > base ? (size_t)(start - base) / HAL_PAGE_SIZE : 0;
    size_t to = end < base + LAZY_CHUNK ? (size_t)(end - base) / HAL_PAGE_SIZE : CHUNK_PAGES;
    return (((uint64_t)1 << (to - from) * PROT_BITS) - 1) << from * PROT_BITS;
}

static char *align_down(const char *va, size_t size)
{
    return (char *)((uintptr_t)va & ~(uintptr_t)(size - 1));
}

// The place of the directory of va, or NULL.
static _Atomic(_Atomic uint64_t *) *directory_at(const char *va)
{
    for (uint32_t i = 0; i < 2; ++i) {
        const size_t offset = (uintptr_t)va - (uintptr_t)windows[i].base;
        if (offset < windows[i].size) {
            return &windows[i].directories[offset / DIRECTORY_SIZE];
        }
    }
    return NULL;
}

// NULL: no page around va is lazy.
static _Atomic uint64_t *directory_entry(const char *va)
{
    const _Atomic(_Atomic uint64_t *) *place = directory_at(va);
    _Atomic uint64_t *directory = place == NULL ? NULL : atomic_load(place);
    return directory == NULL ? NULL : &directory[(uintptr_t)va / TABLE_SIZE % DIRECTORY_TABLES];
}

static bool is_table(uint64_t entry)
{
    return entry != 0 && (entry & DIRECTORY_UNIFORM) == 0;
}

static uint64_t entry_uniform(unsigned prot)
{
    return prot == 0 ? 0 : word_uniform(prot) << 1 | DIRECTORY_UNIFORM;
}

static _Atomic uint64_t *word_in(uint64_t entry, const char *va)
{
    ASSERT(is_table(entry));
    _Atomic uint64_t *words = (_Atomic uint64_t *)(uintptr_t)entry;
    return &words[(uintptr_t)va / LAZY_CHUNK % TABLE_CHUNKS];
}

// Makes the entry a table of words that say what it said. -ENOMEM. Any context.
static int table_make(_Atomic uint64_t *entry, unsigned flags)
{
    uint64_t old = atomic_load(entry);
    if (is_table(old)) {
        return 0;
    }
    hal_phys frame;
    if (frame_alloc(1, flags, &frame) != 0) {
        return -ENOMEM;
    }
    _Atomic uint64_t *words = (_Atomic uint64_t *)(void *)frame_address(frame);
    while (!is_table(old)) {
        for (uint32_t i = 0; i < TABLE_CHUNKS; ++i) {
            atomic_store_explicit(&words[i], old >> 1, memory_order_relaxed);
        }
        if (atomic_compare_exchange_strong(entry, &old, (uint64_t)(uintptr_t)words)) {
            return 0;
        }
    }
    MARK("lazy: two make a table");
    frame_free(frame, 1); // a fault was faster
    return 0;
}

// ---- Under the mutex -----------------------------------------------------

static int directory_make(const char *va)
{
    _Atomic(_Atomic uint64_t *) *place = directory_at(va);
    if (place == NULL) {
        return -ENOMEM;
    }
    if (atomic_load(place) != NULL) {
        return 0;
    }
    hal_phys frame;
    if (frame_alloc(1, FRAME_ZERO, &frame) != 0) {
        return -ENOMEM;
    }
    atomic_store(place, (_Atomic uint64_t *)(void *)frame_address(frame));
    return 0;
}

// The entry of the table that has all of the range, or 0: most ranges have one. Once made a table
// stays.
static inline uint64_t table_of(const char *start, const char *end)
{
    const uintptr_t number = (uintptr_t)start / TABLE_SIZE;
    if ((uintptr_t)(end - 1) / TABLE_SIZE != number) {
        return 0;
    }
    if (number != recent.number) {
        const _Atomic uint64_t *entry = directory_entry(start);
        const uint64_t table = entry == NULL ? 0 : atomic_load(entry);
        if (!is_table(table)) {
            return 0;
        }
        recent.number = number;
        recent.table = table;
    }
    return recent.table;
}

int lazy_prepare(char *start, char *end, unsigned prot, bool is_held)
{
    if (table_of(start, end) != 0) {
        return 0;
    }
    for (char *base = align_down(start, TABLE_SIZE); base < end; base += TABLE_SIZE) {
        bool is_covered = base >= start && base + TABLE_SIZE <= end;
        char *va = base < start ? start : base;
        if ((is_held || prot != 0) && directory_make(va) != 0) {
            return -ENOMEM;
        }
        _Atomic uint64_t *entry = directory_entry(va);
        if (entry == NULL) {
            continue; // where prot is 0 nothing changes
        }
        bool is_changed = atomic_load(entry) != entry_uniform(prot);
        if ((is_held || (is_changed && !is_covered)) && table_make(entry, 0) != 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

// Waits for the fault that has the word.
static void word_change(_Atomic uint64_t *word, uint64_t mask, uint64_t value, uint64_t hold)
{
    uint64_t old = atomic_load(word);
    for (;;) {
        if (old & CHUNK_BUSY) {
            MARK("lazy: a change waits for a fault");
            thread_yield();
            old = atomic_load(word);
        } else if (atomic_compare_exchange_weak(word, &old, (old & ~mask) | value | hold)) {
            return;
        }
    }
}

static void words_change(uint64_t entry, char *start, char *end, unsigned prot, uint64_t hold)
{
    for (char *base = align_down(start, LAZY_CHUNK); base < end; base += LAZY_CHUNK) {
        uint64_t mask = word_mask(base, start, end);
        word_change(word_in(entry, base), mask, word_uniform(prot) & mask, hold);
    }
}

static void range_change(char *start, char *end, unsigned prot, uint64_t hold)
{
    const uint64_t table = table_of(start, end);
    if (table != 0) {
        words_change(table, start, end, prot, hold);
        return;
    }
    while (start < end) {
        char *base = align_down(start, TABLE_SIZE);
        char *stop = base + TABLE_SIZE < end ? base + TABLE_SIZE : end;
        _Atomic uint64_t *entry = directory_entry(start);
        uint64_t old = entry == NULL ? entry_uniform(prot) : atomic_load(entry);
        while (!is_table(old) && old != entry_uniform(prot)) {
            ASSERT(base == start && stop == base + TABLE_SIZE);
            if (atomic_compare_exchange_weak(entry, &old, entry_uniform(prot))) {
                old = entry_uniform(prot);
            } else if (is_table(old)) {
                MARK("lazy: a table is made under a change");
            }
        }
        if (is_table(old)) {
            words_change(old, start, stop, prot, hold);
        }
        start = stop;
    }
}

void lazy_set(char *start, char *end, unsigned prot)
{
    const uint64_t table = table_of(start, end);
    if (table == 0 || (uintptr_t)start / LAZY_CHUNK != (uintptr_t)(end - 1) / LAZY_CHUNK) {
        range_change(start, end, prot, 0);
        return;
    }
    const uint32_t count = (uint32_t)((size_t)(end - start) / HAL_PAGE_SIZE);
    const uint32_t first = (uint32_t)((uintptr_t)start / HAL_PAGE_SIZE % CHUNK_PAGES);
    const uint64_t mask = (((uint64_t)1 << count * PROT_BITS) - 1) << first * PROT_BITS;
    word_change(word_in(table, start), mask, word_uniform(prot) & mask, 0);
}

void lazy_hold(char *start, char *end, unsigned prot)
{
    range_change(start, end, prot, CHUNK_BUSY);
}

void lazy_release(char *start, char *end)
{
    for (char *base = align_down(start, LAZY_CHUNK); base < end; base += LAZY_CHUNK) {
        _Atomic uint64_t *entry = directory_entry(base < start ? start : base);
        uint64_t old = atomic_fetch_and(word_in(atomic_load(entry), base), ~CHUNK_BUSY);
        ASSERT(old & CHUNK_BUSY);
    }
}

char *lazy_next(char *va, char *end)
{
    if (va < end && table_of(va, end) != 0) {
        return va;
    }
    while (va < end) {
        const _Atomic uint64_t *entry = directory_entry(va);
        if (entry != NULL && is_table(atomic_load(entry))) {
            return va;
        }
        va = align_down(va, TABLE_SIZE) + TABLE_SIZE;
    }
    return end;
}

// ---- Faults --------------------------------------------------------------

// Grows [first, last] around page while pages have the same protection and are absent.
static void absent_find(char *base, uint64_t word, uint32_t *first, uint32_t *last)
{
    uint64_t prot = word >> *first * PROT_BITS & PROT_MASK;
    hal_phys pa;
    unsigned mapped;
    while (*first > 0 && (word >> (*first - 1) * PROT_BITS & PROT_MASK) == prot &&
           hal_translate(base + (size_t)(*first - 1) * HAL_PAGE_SIZE, &pa, &mapped) != 0) {
        --*first;
    }
    while (*last + 1 < CHUNK_PAGES && (word >> (*last + 1) * PROT_BITS & PROT_MASK) == prot &&
           hal_translate(base + (size_t)(*last + 1) * HAL_PAGE_SIZE, &pa, &mapped) != 0) {
        ++*last;
    }
}

// The word is claimed.
static bool chunk_map(char *va, uint64_t word)
{
    char *base = align_down(va, LAZY_CHUNK);
    uint32_t page = (uint32_t)(va - base) / HAL_PAGE_SIZE;
    uint32_t first = page, last = page;
    hal_phys pa;
    unsigned prot = (unsigned)(word >> page * PROT_BITS & PROT_MASK), mapped;
    if (hal_translate(align_down(va, HAL_PAGE_SIZE), &pa, &mapped) == 0) {
        return true; // another fault mapped it
    }
    absent_find(base, word, &first, &last);
    size_t count = last - first + 1;
    if (frame_alloc(count, FRAME_ZERO, &pa) != 0) {
        first = page;
        count = 1;
        if (frame_alloc(1, FRAME_ZERO | FRAME_SURE, &pa) != 0) {
            return false;
        }
    }
    char *start = base + (size_t)first * HAL_PAGE_SIZE;
    if (hal_map(start, pa, count * HAL_PAGE_SIZE, prot) != 0) {
        frame_free(pa, count);
        return false;
    }
    if ((prot & HAL_WRITE) != 0) {
        hal_populate(start, count * HAL_PAGE_SIZE);
    }
    return true;
}

bool lazy_fault(char *va, unsigned access)
{
    _Atomic uint64_t *entry = directory_entry(va);
    if (entry == NULL || atomic_load(entry) == 0 || table_make(entry, FRAME_SURE) != 0) {
        return false;
    }
    _Atomic uint64_t *word = word_in(atomic_load(entry), va);
    uint32_t shift = (uint32_t)((uintptr_t)va % LAZY_CHUNK / HAL_PAGE_SIZE * PROT_BITS);
    bool is_mapped = false;
    uintptr_t irq = hal_irq_save();
    uint64_t old = atomic_load(word);
    unsigned prot = (unsigned)(old >> shift & PROT_MASK);
    bool is_allowed = prot != 0 && (access & ~prot) == 0;
    bool is_claimed = is_allowed && (old & CHUNK_BUSY) == 0 &&
                      atomic_compare_exchange_strong(word, &old, old | CHUNK_BUSY);
    if (is_claimed) {
        is_mapped = chunk_map(va, old);
        atomic_fetch_and(word, ~CHUNK_BUSY);
    }
    hal_irq_restore(irq);
    if (is_allowed && !is_claimed && hal_irq_enabled()) {
        MARK("lazy: a fault meets a claim");
        thread_yield();
    }
    return is_allowed && (is_mapped || !is_claimed);
}

// ---- Boot ----------------------------------------------------------------

static int window_init(struct lazy_window *window, char *base, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *start = align_down(base, DIRECTORY_SIZE);
    size_t count = ((size_t)(base + size - start) + DIRECTORY_SIZE - 1) / DIRECTORY_SIZE;
    size_t pages = (count * sizeof(void *) + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    hal_phys frames;
    if (frame_alloc(pages, FRAME_ZERO, &frames) != 0) {
        return -ENOMEM;
    }
    window->base = start;
    window->size = count * DIRECTORY_SIZE;
    window->directories = (_Atomic(_Atomic uint64_t *) *)(void *)frame_address(frames);
    return 0;
}

int lazy_init(const struct hal_boot *boot)
{
    recent.number = UINTPTR_MAX;
    int error = window_init(&windows[0], boot->va_base, boot->va_size);
    return error != 0 ? error : window_init(&windows[1], boot->low_base, boot->low_size);
}
