// SPDX-License-Identifier: BSD-3-Clause
// lazy.c: one word for each 64 KiB of the windows: three bits of protection for each of its 16
// pages, and CHUNK_BUSY, CHUNK_FRESH, CHUNK_LARGE and others.
//
// Words lie in tables of 512 (32 MiB), and entries for these in directories of 512 (16 GiB); both
// are made when they are needed and never freed. A directory entry is 0, a table, or, while no page
// of the 32 MiB differs from another, the word itself (DIRECTORY_UNIFORM).
//
// A fault claims the word (CHUNK_BUSY, by compare-and-swap, interrupts off), maps what is absent,
// and lets go. Who changes a word waits for the claim first. So once lazy_set(..., 0) has returned,
// no fault maps anything there. A fault that meets a claim says "resolved" and comes again; where
// interrupts are off this ends, because nobody is preempted with a claim.
//
// A word is CHUNK_FRESH while none of its pages that come by faults has come: nobody need look for
// them. Where all 32 words of 2 MiB are so, have CHUNK_LARGE and the same protection, and memory is
// plentiful, a fault claims all of them, in ascending order and without ever waiting with a claim,
// and maps 2 MiB at once; it has found and cleared them before, with interrupts on.
#include "core/vm/lazy.h"

#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "core/vm/huge.h"
#include "core/vm/moving.h"
#include "core/vm/place.h"
#include "hal/hal.h"

enum {
    CHUNK_PAGES = LAZY_CHUNK / HAL_PAGE_SIZE,
    PROT_BITS = 3,
    PROT_MASK = 7,
    TABLE_CHUNKS = HAL_PAGE_SIZE / 8,
    DIRECTORY_TABLES = HAL_PAGE_SIZE / 8,
    DIRECTORY_UNIFORM = 1,
    LARGE_SIZE = 2 << 20,
    LARGE_CHUNKS = LARGE_SIZE / LAZY_CHUNK,
    LARGE_SHARE = 4, // of all memory has to be free
};

#define CHUNK_BUSY ((uint64_t)1 << 63)
#define CHUNK_FRESH ((uint64_t)1 << 62)
#define CHUNK_LARGE ((uint64_t)1 << 61)    // while it is fresh: may come with its neighbours
#define CHUNK_PROMISED ((uint64_t)1 << 60) // and: frames are left for its pages
#define CHUNK_MOVING ((uint64_t)1 << 59)   // moving.h
#define CHUNK_ADVISED ((uint64_t)1 << 58)  // large, and asked to be (huge.h)
#define CHUNK_FIELDS (((uint64_t)1 << CHUNK_PAGES * PROT_BITS) - 1)
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

// How many frames are left for the word's pages: all of a fresh one's, and none of another's.
static int64_t word_promised(uint64_t word)
{
    const uint64_t both = CHUNK_FRESH | CHUNK_PROMISED;
    return (word & both) != both
               ? 0
               : __builtin_popcountll((word | word >> 1 | word >> 2) & CHUNK_ONES);
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

// Of an entry that is no table. All that need not be remembered of pages that may not come is 0.
static uint64_t entry_uniform(uint64_t word)
{
    return (word & CHUNK_FIELDS) == 0 ? 0 : word << 1 | DIRECTORY_UNIFORM;
}

static uint64_t entry_word(uint64_t entry)
{
    return entry >> 1;
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
            atomic_store_explicit(&words[i], entry_word(old), memory_order_relaxed);
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
        bool is_changed =
            (entry_word(atomic_load(entry)) & CHUNK_FIELDS) != word_uniform(prot); // or a table
        if ((is_held || (is_changed && !is_covered)) && table_make(entry, 0) != 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

// What becomes of words.
struct how {
    unsigned prot;
    uint64_t set, clear;             // in each
    uint64_t whole_set, whole_clear; // where the range has all of its pages
};

static uint64_t word_after(uint64_t word, uint64_t mask, const struct how *how)
{
    word = (word & ~mask) | (word_uniform(how->prot) & mask);
    if (mask == CHUNK_FIELDS) {
        word = (word & ~how->whole_clear) | how->whole_set;
    }
    return (word & ~how->clear) | how->set;
}

// The pages of a chunk that is moving are there again. False: somebody has the word, or the machine
// has no room for them now.
static bool word_return(char *chunk, _Atomic uint64_t *word)
{
    const uintptr_t irq = hal_irq_save();
    uint64_t old = atomic_load(word);
    bool is_done = (old & CHUNK_MOVING) == 0;
    if ((old & CHUNK_MOVING) != 0 && (old & CHUNK_BUSY) == 0 &&
        atomic_compare_exchange_strong(word, &old, old | CHUNK_BUSY)) {
        is_done = moving_return(chunk) == 0;
        atomic_fetch_and(word, ~(CHUNK_BUSY | (is_done ? CHUNK_MOVING : 0)));
    }
    hal_irq_restore(irq);
    return is_done;
}

// What has become of a word.
struct change {
    uint64_t old, new;
};

static int64_t change_promised(struct change change)
{
    return word_promised(change.new) - word_promised(change.old);
}

// Waits for the fault that has the word.
static struct change word_change(char *chunk, _Atomic uint64_t *word, uint64_t mask,
                                 const struct how *how)
{
    uint64_t old = atomic_load(word);
    for (;;) {
        const uint64_t new = word_after(old, mask, how);
        if (old & CHUNK_MOVING) {
            MARK("lazy: a change takes back what is moving");
            if (!word_return(chunk, word)) {
                thread_yield();
            }
            old = atomic_load(word);
        } else if (old & CHUNK_BUSY) {
            MARK("lazy: a change waits for a fault");
            thread_yield();
            old = atomic_load(word);
        } else if (atomic_compare_exchange_weak(word, &old, new)) {
            return (struct change){old, new};
        }
    }
}

// Answers how many frames more are promised now. Neighbours mostly change alike: bits are counted
// where one does not.
static int64_t words_change(uint64_t entry, char *start, char *end, const struct how *how)
{
    int64_t more = 0, each = 0;
    struct change last = {0, 0};
    for (char *base = align_down(start, LAZY_CHUNK); base < end; base += LAZY_CHUNK) {
        const struct change change =
            word_change(base, word_in(entry, base), word_mask(base, start, end), how);
        if (change.old != last.old || change.new != last.new) {
            each = change_promised(change);
            last = change;
        }
        more += each;
    }
    return more;
}

static void promise(int64_t more)
{
    if (more != 0) {
        pressure_promise(more);
    }
}

static void range_change(char *start, char *end, const struct how *how)
{
    int64_t more = 0;
    while (start < end) {
        char *base = align_down(start, TABLE_SIZE);
        char *stop = base + TABLE_SIZE < end ? base + TABLE_SIZE : end;
        _Atomic uint64_t *entry = directory_entry(start);
        uint64_t old = entry == NULL ? 0 : atomic_load(entry);
        const bool is_covered = base == start && stop == base + TABLE_SIZE;
        while (!is_table(old)) {
            const uint64_t new = entry_uniform(word_after(entry_word(old), CHUNK_FIELDS, how));
            if (new == old || !is_covered) {
                ASSERT(((new ^ old) >> 1 & CHUNK_FIELDS) == 0); // lazy_prepare
                break;
            }
            if (atomic_compare_exchange_weak(entry, &old, new)) {
                more += (word_promised(entry_word(new)) - word_promised(entry_word(old))) *
                        TABLE_CHUNKS;
                break;
            }
            if (is_table(old)) {
                MARK("lazy: a table is made under a change");
            }
        }
        if (is_table(old)) {
            more += words_change(old, start, stop, how);
        }
        start = stop;
    }
    promise(more);
}

void lazy_set(char *start, char *end, unsigned prot)
{
    const uint64_t table = table_of(start, end);
    if (table == 0 || (uintptr_t)start / LAZY_CHUNK != (uintptr_t)(end - 1) / LAZY_CHUNK) {
        range_change(start, end, &(struct how){.prot = prot});
        return;
    }
    const uint32_t count = (uint32_t)((size_t)(end - start) / HAL_PAGE_SIZE);
    const uint32_t first = (uint32_t)((uintptr_t)start / HAL_PAGE_SIZE % CHUNK_PAGES);
    const uint64_t mask = (((uint64_t)1 << count * PROT_BITS) - 1) << first * PROT_BITS;
    _Atomic uint64_t *word = word_in(table, start);
    uint64_t old = atomic_load(word);
    const uint64_t new = (old & ~mask) | (word_uniform(prot) & mask);
    if ((old & (CHUNK_BUSY | CHUNK_MOVING)) != 0 ||
        !atomic_compare_exchange_strong(word, &old, new)) {
        promise(change_promised(
            word_change(align_down(start, LAZY_CHUNK), word, mask, &(struct how){.prot = prot})));
    } else if ((old & CHUNK_PROMISED) != 0) {
        promise(word_promised(new) - word_promised(old));
    }
}

void lazy_advise(char *start, char *end, bool may_be_large)
{
    while (start < end) {
        char *base = align_down(start, TABLE_SIZE);
        char *stop = base + TABLE_SIZE < end ? base + TABLE_SIZE : end;
        _Atomic uint64_t *entry = directory_entry(start);
        // Without memory for a table there is no advice.
        if (entry != NULL && atomic_load(entry) != 0 && table_make(entry, 0) == 0) {
            for (char *at = align_down(start, LAZY_CHUNK); at < stop; at += LAZY_CHUNK) {
                _Atomic uint64_t *word = word_in(atomic_load(entry), at);
                if (may_be_large) {
                    atomic_fetch_or(word, CHUNK_LARGE | CHUNK_ADVISED);
                } else {
                    atomic_fetch_and(word, ~(CHUNK_LARGE | CHUNK_ADVISED));
                }
            }
        }
        start = stop;
    }
}

void lazy_begin(char *start, char *end, unsigned prot, unsigned how)
{
    if (end - start < LAZY_CHUNK) {
        lazy_set(start, end, prot); // no word is all its own
        return;
    }
    range_change(start, end,
                 &(struct how){.prot = prot,
                               .whole_set = CHUNK_FRESH |
                                            ((how & LAZY_LARGE) != 0 ? CHUNK_LARGE : 0) |
                                            ((how & LAZY_PROMISED) != 0 ? CHUNK_PROMISED : 0),
                               .whole_clear = CHUNK_LARGE | CHUNK_ADVISED | CHUNK_PROMISED});
}

void lazy_adopt(char *start, char *end, unsigned prot)
{
    range_change(start, end, &(struct how){.prot = prot, .clear = CHUNK_FRESH});
}

// The words of [start, end), all of them or none. Interrupts are off.
static bool words_claim(_Atomic uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        if ((atomic_fetch_or(&words[i], CHUNK_BUSY) & CHUNK_BUSY) != 0) {
            while (i-- > 0) {
                atomic_fetch_and(&words[i], ~CHUNK_BUSY);
            }
            return false;
        }
    }
    return true;
}

static size_t word_count(const char *start, const char *end)
{
    return (uintptr_t)(end - 1) / LAZY_CHUNK - (uintptr_t)start / LAZY_CHUNK + 1;
}

static _Atomic uint64_t *word_first(const char *start, const char *end)
{
    ASSERT(((uintptr_t)start ^ (uintptr_t)(end - 1)) / LARGE_SIZE == 0);
    return word_in(atomic_load(directory_entry(start)), start);
}

uintptr_t lazy_hold(char *start, char *end)
{
    _Atomic uint64_t *words = word_first(start, end);
    uintptr_t irq = hal_irq_save();
    while (!words_claim(words, word_count(start, end))) {
        MARK("lazy: a hold waits for a fault");
        hal_irq_restore(irq);
        thread_yield();
        irq = hal_irq_save();
    }
    return irq;
}

void lazy_release(char *start, char *end, uintptr_t irq)
{
    _Atomic uint64_t *words = word_first(start, end);
    for (size_t i = word_count(start, end); i-- > 0;) {
        uint64_t old = atomic_fetch_and(&words[i], ~CHUNK_BUSY);
        ASSERT(old & CHUNK_BUSY);
    }
    hal_irq_restore(irq);
}

// ---- What is moving ------------------------------------------------------

void lazy_moving_set(char *base)
{
    _Atomic uint64_t *words = word_first(base, base + LARGE_SIZE);
    for (uint32_t i = 0; i < LARGE_CHUNKS; ++i) {
        atomic_fetch_or(&words[i], CHUNK_MOVING);
    }
}

size_t lazy_moving_count(const char *base)
{
    const _Atomic uint64_t *words = word_first(base, base + LARGE_SIZE);
    size_t count = 0;
    for (uint32_t i = 0; i < LARGE_CHUNKS; ++i) {
        count += (atomic_load(&words[i]) & CHUNK_MOVING) != 0;
    }
    return count;
}

void lazy_moving_clear(char *base)
{
    _Atomic uint64_t *words = word_first(base, base + LARGE_SIZE);
    for (uint32_t i = 0; i < LARGE_CHUNKS; ++i) {
        atomic_fetch_and(&words[i], ~CHUNK_MOVING);
    }
}

void lazy_moving_return(char *start, char *end)
{
    for (char *chunk = align_down(start, LAZY_CHUNK); chunk < end; chunk += LAZY_CHUNK) {
        const _Atomic uint64_t *entry = directory_entry(chunk);
        const uint64_t table = entry == NULL ? 0 : atomic_load(entry);
        _Atomic uint64_t *word = is_table(table) ? word_in(table, chunk) : NULL;
        while (word != NULL && (atomic_load(word) & CHUNK_MOVING) != 0) {
            if (!word_return(chunk, word)) {
                thread_yield();
            }
        }
    }
}

bool lazy_is_whole(const char *base)
{
    const _Atomic uint64_t *entry = directory_entry(base);
    const uint64_t table = entry == NULL ? 0 : atomic_load(entry);
    if (!is_table(table)) {
        return false;
    }
    const _Atomic uint64_t *words = word_in(table, base);
    const uint64_t first = atomic_load(&words[0]);
    bool is_whole = (first & CHUNK_LARGE) != 0 && huge_allows((first & CHUNK_ADVISED) != 0) &&
                    (first & HAL_WRITE) != 0 &&
                    (first & CHUNK_FIELDS) == word_uniform((unsigned)(first & PROT_MASK));
    for (uint32_t i = 0; i < LARGE_CHUNKS && is_whole; ++i) {
        is_whole = (atomic_load(&words[i]) & ~(CHUNK_PROMISED | CHUNK_ADVISED)) ==
                   (first & (CHUNK_LARGE | CHUNK_FIELDS));
    }
    return is_whole;
}

// Of one table.
static char *words_next(uint64_t entry, char *va, char *end)
{
    while (va < end && (atomic_load(word_in(entry, va)) & CHUNK_FRESH) != 0) {
        va = align_down(va, LAZY_CHUNK) + LAZY_CHUNK;
    }
    return va;
}

char *lazy_next(char *va, char *end)
{
    while (va < end) {
        char *stop = align_down(va, TABLE_SIZE) + TABLE_SIZE;
        const uint64_t entry = table_of(va, va + 1);
        if (entry != 0) {
            va = words_next(entry, va, stop < end ? stop : end);
            if (va < stop) {
                return va < end ? va : end;
            }
        }
        va = stop;
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

// Of the pages [first, last] of the chunk at base, those that the place is for.
static void place_limit(const struct place *place, char *base, uint32_t *first, uint32_t *last)
{
    while (base + (size_t)*first * HAL_PAGE_SIZE < place->start) {
        ++*first;
    }
    while (base + (size_t)*last * HAL_PAGE_SIZE >= place->end) {
        --*last;
    }
}

// The word is claimed. place NULL: any.
static bool chunk_map(char *va, uint64_t word, const struct place *place)
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
    if (place != NULL) {
        place_limit(place, base, &first, &last);
    }
    size_t count = last - first + 1;
    if (place_alloc(place, count, FRAME_ZERO | FRAME_PROMISED, &pa) != 0) {
        first = page;
        count = 1;
        if (place_alloc(place, 1, FRAME_ZERO | FRAME_SURE | FRAME_PROMISED, &pa) != 0) {
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

// The words of the 2 MiB, all of them or none. Interrupts are off.
static bool large_claim(_Atomic uint64_t *words, uint64_t fresh)
{
    uint32_t count = 0;
    uint64_t old = fresh;
    while (count < LARGE_CHUNKS &&
           atomic_compare_exchange_strong(&words[count], &old, fresh | CHUNK_BUSY)) {
        ++count;
    }
    if (count == LARGE_CHUNKS) {
        return true;
    }
    MARK("lazy: 2 MiB are not all fresh any more");
    while (count-- > 0) {
        atomic_store(&words[count], fresh);
    }
    return false;
}

static bool is_plentiful(void)
{
    return pressure_left() > frame_total_count() / LARGE_SHARE;
}

// Maps the 2 MiB around va, if all of them are as its word is.
static bool large_map(char *va, _Atomic uint64_t *word, uint64_t fresh, const struct place *place)
{
    const unsigned prot = (unsigned)(fresh & PROT_MASK);
    const uint64_t rest = CHUNK_FIELDS | CHUNK_PROMISED | CHUNK_ADVISED;
    if ((fresh & ~rest) != (CHUNK_FRESH | CHUNK_LARGE) ||
        !huge_allows((fresh & CHUNK_ADVISED) != 0) ||
        (fresh & CHUNK_FIELDS) != word_uniform(prot)) {
        return false;
    }
    char *base = align_down(va, LARGE_SIZE);
    if (place != NULL && (base < place->start || place->end - base < LARGE_SIZE)) {
        return false;
    }
    _Atomic uint64_t *words = word - (size_t)(align_down(va, LAZY_CHUNK) - base) / LAZY_CHUNK;
    for (uint32_t i = 0; i < LARGE_CHUNKS; ++i) {
        if (atomic_load(&words[i]) != fresh) {
            return false;
        }
    }
    hal_phys pa;
    if (!is_plentiful() ||
        place_alloc(place, LARGE_SIZE / HAL_PAGE_SIZE, FRAME_ZERO | FRAME_PROMISED, &pa) != 0) {
        huge_count(HUGE_FALLBACKS);
        return false;
    }
    const uintptr_t irq = hal_irq_save();
    const bool is_claimed = large_claim(words, fresh);
    const bool is_mapped = is_claimed && hal_map(base, pa, LARGE_SIZE, prot) == 0;
    for (uint32_t i = 0; i < LARGE_CHUNKS && is_claimed; ++i) {
        atomic_store(&words[i], is_mapped ? fresh & ~CHUNK_FRESH : fresh);
    }
    hal_irq_restore(irq);
    if (is_mapped) {
        promise(-word_promised(fresh) * LARGE_CHUNKS);
        huge_count(HUGE_FAULTS);
        hal_populate(base, LARGE_SIZE);
    } else {
        frame_free(pa, LARGE_SIZE / HAL_PAGE_SIZE);
    }
    return is_mapped;
}

// A fault waits for what moves, but not for long: who moves it may be waiting for this CPU.
static void moving_wait(char *va, _Atomic uint64_t *word)
{
    enum { WAIT_YIELDS = 2048 };
    for (int i = 0; i < WAIT_YIELDS && hal_irq_enabled(); ++i) {
        if ((atomic_load(word) & CHUNK_MOVING) == 0) {
            return;
        }
        thread_yield();
    }
    MARK("lazy: a fault takes back what is moving");
    (void)word_return(align_down(va, LAZY_CHUNK), word); // or the next fault does
}

// Where somebody has said which nodes are wanted. NULL: any, also where the mapping cannot be
// looked at and nobody may wait.
static const struct place *place_get(char *va, struct place *found)
{
    enum { WAIT_YIELDS = 64 };
    for (int i = 0; i < WAIT_YIELDS; ++i) {
        if (place_look(va, found)) {
            return found;
        }
        if (!hal_irq_enabled()) {
            return NULL;
        }
        MARK("lazy: the mapping of a page is being changed");
        thread_yield();
    }
    return NULL;
}

bool lazy_fault(char *va, unsigned access)
{
    _Atomic uint64_t *entry = directory_entry(va);
    if (entry == NULL || atomic_load(entry) == 0 ||
        table_make(entry, FRAME_SURE | FRAME_PROMISED) != 0) {
        return false;
    }
    _Atomic uint64_t *word = word_in(atomic_load(entry), va);
    struct place found;
    const struct place *place = place_is_told() ? place_get(va, &found) : NULL;
    uint64_t old = atomic_load(word);
    if ((old & CHUNK_LARGE) != 0 && (access & HAL_WRITE & (unsigned)old) != 0 &&
        hal_irq_enabled() && large_map(va, word, old, place)) {
        return true;
    }
    if ((old & CHUNK_MOVING) != 0) {
        moving_wait(va, word);
    }
    uint32_t shift = (uint32_t)((uintptr_t)va % LAZY_CHUNK / HAL_PAGE_SIZE * PROT_BITS);
    bool is_mapped = false;
    uintptr_t irq = hal_irq_save();
    old = atomic_load(word);
    unsigned prot = (unsigned)(old >> shift & PROT_MASK);
    // What can be written or executed can be read, too, on every machine.
    bool is_allowed = prot != 0 && (access & ~(prot | HAL_READ)) == 0;
    bool is_claimed = is_allowed && (old & (CHUNK_BUSY | CHUNK_MOVING)) == 0 &&
                      atomic_compare_exchange_strong(word, &old, (old | CHUNK_BUSY) & ~CHUNK_FRESH);
    if (is_claimed) {
        is_mapped = chunk_map(va, old, place);
        promise(-word_promised(old));
        atomic_fetch_and(word, ~CHUNK_BUSY);
    }
    hal_irq_restore(irq);
    if (is_mapped && (old & CHUNK_LARGE) != 0) {
        huge_notice();
    }
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
