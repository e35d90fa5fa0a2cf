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
    NOTE_KEPT = 1 << 14, // blocks of it are missing
    NOTE_GONE = 1 << 15, // none is
    NOTE_COUNT = NOTE_KEPT - 1,
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

static char *span_of(const struct block *block, const struct size_class *class)
{
    size_t size = (size_t) class->span_pages * HAL_PAGE_SIZE;
    return unit_table.base + ((size_t)((const char *)block - unit_table.base) & ~(size - 1));
}

// The last block of a chain; NULL: it does not end as chains do.
static struct block *chain_last(struct block *block, uint32_t count)
{
    while (--count > 0 && link_is_block(block->link)) {
        block = link_block(block->link);
    }
    return count == 0 && block->link == link_none() ? block : NULL;
}

// Takes the chains, makes one of them, and counts.
static void blocks_collect(struct trim *trim)
{
    const struct size_class *class = &size_classes[trim->class_index];
    for (;;) {
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
        last->link = trim->free == NULL ? link_none() : link_to(trim->free);
        trim->free = first;
        for (uint32_t i = 0; i < count; ++i, first = link_block(first->link)) {
            struct unit *unit = unit_of(span_of(first, class));
            ASSERT(unit->note < class->span_blocks);
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
    size_t pages = size_classes[trim->class_index].used_pages;
    uintptr_t irq = hal_irq_save();
    magazine_pages_return(trim->class_index, span, pages);
    hal_irq_restore(irq);
    trim->returned += pages * HAL_PAGE_SIZE;
}

// Each span's note counts down to 0 again: then all of its free blocks have been seen, and nobody
// will look at them once more.
static void block_sort(struct trim *trim, struct block *block)
{
    const struct size_class *class = &size_classes[trim->class_index];
    char *span = span_of(block, class);
    struct unit *unit = unit_of(span);
    if (unit->note <= NOTE_COUNT) {
        unit->note |= unit->note == class->span_blocks ? NOTE_GONE : NOTE_KEPT;
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

static size_t class_trim(uint32_t class_index)
{
    struct trim trim = {.class_index = class_index};
    blocks_collect(&trim);
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
    for (uint32_t i = 0; i < CLASS_COUNT; ++i) {
        returned += class_trim(i);
    }
    return returned;
}

// ---- Figures ---------------------------------------------------------------

// What one CPU has done, and has, of a class. It goes on meanwhile.
struct class_sum {
    int64_t pages, stacked;    // sums over all CPUs only mean something
    size_t ready, fresh, idle; // blocks; blocks not cut yet; bytes of spans that were not begun
};

static MARK_GUESS void class_add(struct class_sum *sum, const struct heap_cpu *cpu,
                                 uint32_t class_index)
{
    const struct size_class *class = &size_classes[class_index];
    const struct magazine *magazine = &cpu->magazines[MAGAZINE_SMALL + class_index];
    const struct growth *growth = &cpu->growths[class_index];
    sum->pages += growth->taken_pages;
    sum->stacked += (int64_t)growth->full_chains * class->chain_count + growth->loose_blocks;
    sum->ready += magazine_loaded_count(magazine, class_index);
    sum->ready += magazine->spare != NULL ? class->chain_count : 0;
    sum->fresh += magazine->fresh_left / class->size;
    const char *next =
        magazine->fresh == NULL ? growth->end : magazine_span_after(magazine->fresh, class);
    sum->idle += next < growth->end ? (size_t)(growth->end - next) : 0;
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
    size_t pages = at_least_0(sum.pages), free = at_least_0(sum.stacked) + sum.ready;
    size_t all = pages / class->used_pages * class->span_blocks;
    size_t uncut = sum.fresh + sum.idle / HAL_PAGE_SIZE / class->used_pages * class->span_blocks;
    counts->taken += pages * HAL_PAGE_SIZE;
    counts->used += all > free + uncut ? (all - free - uncut) * class->size : 0;
    counts->free_count += free;
    counts->ready += sum.ready * class->size;
    counts->ready_count += sum.ready;
    counts->idle += sum.idle;
}

void heap_counts_get(struct heap_counts *counts)
{
    *counts = (struct heap_counts){0};
    for (uint32_t i = 0; i < CLASS_COUNT; ++i) {
        class_count(counts, i);
    }
    large_count(counts);
}
