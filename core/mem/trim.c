// SPDX-License-Identifier: BSD-3-Clause
// trim.c: gives back spans of small blocks that are all free, and tells what the heap has.
//
// Nobody counts a span's free blocks as they come and go. Who trims takes all chains of a class off
// its stacks and counts then, in the notes of the spans' first pages: blocks of a span that has all
// of its own there are let go of, the others become chains again. An allocation of that class that
// comes meanwhile takes fresh memory.
//
// Invariant: notes of spans are 0 but in between; only who trims writes them. A span that is being
// cut is never complete, since what is not cut yet is in no chain.
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/mem/magazine.h"

enum {
    NOTE_KEPT = 1 << 10, // blocks of it are missing
    NOTE_GONE = 1 << 11, // none is
    NOTE_COUNT = NOTE_KEPT - 1,
    SETTLE_PAGES = 2,    // that small blocks take, for each CPU, before anything is looked at
    SETTLE_SHARE = 16,   // so much, and this part of what was free last time, is to be free now
    SETTLE_BLOCKS = 128, // of a class, looked at with interrupts off
};

// Of one class, while it is trimmed.
struct trim {
    uint32_t class_index;
    struct block *free;  // all blocks of the chains that were taken
    struct block *chain; // what is made of those that stay
    uint32_t chain_count;
    struct stack unsound; // chains that somebody wrote to: malloc is to find out
    size_t returned;
};

static char *span_of(const struct block *block)
{
    size_t page = ((size_t)((const char *)block - unit_table.base)) / HAL_PAGE_SIZE;
    return unit_table.base + (page - (unit_of(block)->note >> NOTE_PAGE_SHIFT)) * HAL_PAGE_SIZE;
}

// Pages after the span belong to others, who may change their units: never to what makes one of
// them the next of this span.
static MARK_GUESS size_t span_length(const char *span, const struct size_class *class)
{
    const volatile struct unit *unit = unit_of(span);
    size_t pages = 1, limit = (unit_table.size - (size_t)(span - unit_table.base)) / HAL_PAGE_SIZE;
    limit = limit < class->span_pages ? limit : class->span_pages;
    while (pages < limit && unit[pages].magazine == unit->magazine &&
           unit[pages].note >> NOTE_PAGE_SHIFT == pages) {
        ++pages;
    }
    return pages;
}

// The last block of a chain; NULL: it does not end as chains do.
static struct block *chain_last(struct block *block, uint32_t count)
{
    while (--count > 0 && link_is_block(block->link)) {
        block = link_block(block->link);
    }
    return count == 0 && block->link == link_none() ? block : NULL;
}

// Takes chains of so many blocks, or somewhat more, makes one chain of them, and counts.
static void blocks_collect(struct trim *trim, size_t count_max)
{
    for (size_t sum = 0; sum < count_max;) {
        uint32_t count;
        uintptr_t irq = hal_irq_save();
        struct block *first = magazine_take(trim->class_index, &count);
        hal_irq_restore(irq);
        if (first == NULL) {
            return;
        }
        struct block *last = chain_last(first, count);
        if (last == NULL) {
            magazine_chain_push(&trim->unsound, first);
            continue;
        }
        sum += count;
        last->link = trim->free == NULL ? link_none() : link_to(trim->free);
        trim->free = first;
        for (uint32_t i = 0; i < count; ++i, first = link_block(first->link)) {
            struct unit *unit = unit_of(span_of(first));
            ASSERT(unit->note < NOTE_COUNT);
            unit->note++;
        }
    }
}

static void chain_put(struct trim *trim)
{
    uintptr_t irq = hal_irq_save();
    magazine_put(trim->class_index, trim->chain, trim->chain_count);
    hal_irq_restore(irq);
    trim->chain = NULL;
    trim->chain_count = 0;
}

static void block_keep(struct trim *trim, struct block *block)
{
    block->link = trim->chain == NULL ? link_none() : link_to(trim->chain);
    trim->chain = block;
    if (++trim->chain_count == size_classes[trim->class_index].chain_count) {
        chain_put(trim);
    }
}

static void span_return(struct trim *trim, char *span)
{
    const struct size_class *class = &size_classes[trim->class_index];
    size_t pages = span_length(span, class);
    uintptr_t irq = hal_irq_save();
    magazine_pages_return(trim->class_index, span, pages, span_blocks(class, pages));
    hal_irq_restore(irq);
    trim->returned += pages * HAL_PAGE_SIZE;
}

// Each span's note counts down to 0 again: then all of its free blocks have been seen, and nobody
// will look at them once more.
static void block_sort(struct trim *trim, struct block *block)
{
    const struct size_class *class = &size_classes[trim->class_index];
    char *span = span_of(block);
    struct unit *unit = unit_of(span);
    if (unit->note <= NOTE_COUNT) {
        uint32_t blocks = span_blocks(class, span_length(span, class));
        unit->note |= unit->note == blocks ? NOTE_GONE : NOTE_KEPT;
    }
    bool is_gone = (unit->note & NOTE_GONE) != 0;
    bool is_last = (--unit->note & NOTE_COUNT) == 0;
    unit->note = is_last ? 0 : unit->note;
    if (!is_gone) {
        block_keep(trim, block);
    } else if (is_last) {
        span_return(trim, span);
    }
}

// ---- One at a time ---------------------------------------------------------

static _Atomic bool is_claimed[CLASS_MAX]; // somebody trims this class

static bool class_claim(uint32_t class_index)
{
    // Acquire pairs with class_release: notes are 0.
    return !atomic_exchange_explicit(&is_claimed[class_index], true, memory_order_acquire);
}

static void class_release(uint32_t class_index)
{
    atomic_store_explicit(&is_claimed[class_index], false, memory_order_release);
}

// Looks at so many blocks. Nobody else trims this class.
static __attribute__((noinline)) size_t class_trim(uint32_t class_index, size_t count_max)
{
    struct trim trim = {.class_index = class_index};
    blocks_collect(&trim, count_max);
    while (trim.free != NULL) {
        struct block *block = trim.free;
        trim.free = block->link == link_none() ? NULL : link_block(block->link);
        block_sort(&trim, block);
    }
    if (trim.chain_count > 0) {
        chain_put(&trim);
    }
    struct block *first;
    while ((first = magazine_chain_pop(&trim.unsound)) != NULL) {
        magazine_chain_push(&size_classes[class_index].loose, first);
    }
    return trim.returned;
}

size_t heap_flush(void)
{
    return magazine_flush() + large_drain(SIZE_MAX);
}

size_t heap_unmap(void)
{
    return large_unmap();
}

size_t heap_trim(void)
{
    size_t returned = 0;
    for (uint32_t i = 0; i < size_class_count(); ++i) {
        // Who settles has it for a short while, with interrupts off.
        while (!class_claim(i)) {
            hal_cpu_relax();
        }
        returned += class_trim(i, SIZE_MAX);
        class_release(i);
    }
    return returned;
}

// ---- Figures ---------------------------------------------------------------

// What one CPU has done, and has, of a class. It goes on meanwhile.
struct class_sum {
    int64_t pages, blocks, stacked; // sums over all CPUs only mean something
    size_t ready, uncut, idle; // blocks; blocks not cut yet; bytes of spans that were not begun
};

static MARK_GUESS void class_add(struct class_sum *sum, const struct heap_cpu *cpu,
                                 uint32_t class_index)
{
    const struct size_class *class = &size_classes[class_index];
    const struct magazine *magazine = &cpu->magazines[MAGAZINE_SMALL + class_index];
    const struct growth *growth = &cpu->growths[class_index];
    sum->pages += growth->taken_pages;
    sum->blocks += growth->taken_blocks;
    sum->stacked += (int64_t)growth->full_chains * class->chain_count + growth->loose_blocks;
    sum->ready += magazine_loaded_count(magazine, class_index);
    sum->ready += magazine->spare != NULL ? class->chain_count : 0;
    const char *next = magazine->fresh == NULL ? growth->end : magazine_span_end(magazine);
    size_t idle = next < growth->end ? (size_t)(growth->end - next) : 0;
    sum->uncut += magazine->fresh_left / class->size + magazine_blocks(class, idle / HAL_PAGE_SIZE);
    sum->idle += idle;
}

static size_t at_least_0(int64_t number)
{
    return number < 0 ? 0 : (size_t)number;
}

static void class_count(struct heap_counts *counts, uint32_t class_index)
{
    const struct size_class *class = &size_classes[class_index];
    struct class_sum sum = {0};
    for (uint32_t i = 0; i < HAL_CPU_MAX && percpu_heaps[i] != NULL; ++i) {
        class_add(&sum, percpu_heaps[i], class_index);
    }
    size_t all = at_least_0(sum.blocks), free = at_least_0(sum.stacked) + sum.ready;
    counts->taken += at_least_0(sum.pages) * HAL_PAGE_SIZE;
    counts->used += all > free + sum.uncut ? (all - free - sum.uncut) * class->size : 0;
    counts->free_count += free;
    counts->ready += sum.ready * class->size;
    counts->ready_count += sum.ready;
    counts->idle += sum.idle;
}

void heap_counts_get(struct heap_counts *counts)
{
    *counts = (struct heap_counts){0};
    for (uint32_t i = 0; i < size_class_count(); ++i) {
        class_count(counts, i);
    }
    large_count(counts);
}

// ---- Growth ----------------------------------------------------------------

static _Atomic size_t left_free; // what was free after the last time

static MARK_GUESS size_t cpu_free_size(const struct heap_cpu *cpu, uint32_t class_count)
{
    int64_t size = 0;
    for (uint32_t i = 0; i < class_count; ++i) {
        const struct size_class *class = &size_classes[i];
        const struct magazine *magazine = &cpu->magazines[MAGAZINE_SMALL + i];
        const struct growth *growth = &cpu->growths[i];
        int64_t chains = growth->full_chains + (magazine->spare != NULL);
        int64_t loose = growth->loose_blocks + (int64_t)magazine_loaded_count(magazine, i);
        size += (chains * class->chain_count + loose) * class->size;
    }
    return (size_t)size;
}

static size_t free_size(void)
{
    size_t size = 0, count = size_class_count();
    for (uint32_t i = 0; i < HAL_CPU_MAX && percpu_heaps[i] != NULL; ++i) {
        size += cpu_free_size(percpu_heaps[i], (uint32_t)count);
    }
    return at_least_0((int64_t)size);
}

static size_t cpu_count(void)
{
    size_t count = 0;
    while (count < HAL_CPU_MAX && percpu_heaps[count] != NULL) {
        ++count;
    }
    return count;
}

static void class_settle(uint32_t class_index)
{
    uintptr_t irq = hal_irq_save();
    if (class_claim(class_index)) {
        magazine_cut_rest(class_index, SETTLE_BLOCKS);
        magazine_chains_flush(class_index);
        (void)class_trim(class_index, SETTLE_BLOCKS);
        class_release(class_index);
    }
    hal_irq_restore(irq);
}

void magazine_settle(void)
{
    // Relaxed, as all here: a guess.
    size_t grown = atomic_load_explicit(&magazine_grown, memory_order_relaxed);
    if (grown < SETTLE_PAGES || grown < SETTLE_PAGES * cpu_count()) {
        return;
    }
    atomic_store_explicit(&magazine_grown, 0, memory_order_relaxed);
    size_t left = atomic_load_explicit(&left_free, memory_order_relaxed), free = free_size();
    if (free >= left + left / SETTLE_SHARE + SETTLE_PAGES * HAL_PAGE_SIZE) {
        for (uint32_t i = 0; i < size_class_count(); ++i) {
            class_settle(i);
        }
        free = left = free_size();
    }
    atomic_store_explicit(&left_free, left < free ? left : free, memory_order_relaxed);
}
