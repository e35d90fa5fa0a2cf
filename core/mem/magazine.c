// SPDX-License-Identifier: BSD-3-Clause
// magazine.c: how chains of free blocks, and fresh memory, come to a CPU and leave it.
//
// Fresh memory is taken in runs of spans, the more the more a CPU has taken for a class. A span is
// cut from its start; all its pages say in the table of units which class it is of.
#include "core/mem/magazine.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/mem/frame.h"

enum {
    STEP_MIN = HAL_PAGE_SIZE, // of fresh memory, populated at a time
    STEP_MAX = 128 << 10,
    STEP_SHARE = 4,     // a step that is less than this part of what was taken is doubled
    AHEAD_SHARE = 256,  // a span grows by a block, or this part of what was taken
    LEARNED_SHARE = 64, // a class that loses this part of each block for a size has it learned
    VOTES = 8,          // after so many cuts for this size
};

struct heap_key heap_key;
_Atomic size_t magazine_grown;

// ---- Chains --------------------------------------------------------------

struct block *magazine_chain_pop(struct stack *stack)
{
    struct stack_node *node = stack_pop(stack);
    return node == NULL ? NULL : (struct block *)((char *)node - offsetof(struct block, chain));
}

void magazine_chain_push(struct stack *stack, struct block *first)
{
    stack_push(stack, &first->chain);
}

// A link that somebody wrote to ends the chain here; who comes to it says so.
static uint32_t chain_length(const struct block *first, uint32_t count_max)
{
    uint32_t count = 1;
    while (count < count_max && link_is_block(first->link)) {
        first = link_block(first->link);
        ++count;
    }
    return count;
}

static struct growth *growth_of(uint32_t class_index)
{
    return &percpu_heap()->growths[class_index];
}

static struct block *full_take(uint32_t class_index)
{
    struct block *first = magazine_chain_pop(&size_classes[class_index].chains);
    growth_of(class_index)->full_chains -= first != NULL;
    return first;
}

static void full_put(uint32_t class_index, struct block *first)
{
    magazine_chain_push(&size_classes[class_index].chains, first);
    growth_of(class_index)->full_chains++;
}

// count: its blocks.
static struct block *loose_take(uint32_t class_index, uint32_t *count)
{
    struct size_class *class = &size_classes[class_index];
    struct block *first = magazine_chain_pop(&class->loose);
    if (first != NULL) {
        *count = chain_length(first, class->chain_count);
        growth_of(class_index)->loose_blocks -= (int32_t)*count;
    }
    return first;
}

struct block *magazine_take(uint32_t class_index, uint32_t *count)
{
    struct block *first = full_take(class_index);
    *count = size_classes[class_index].chain_count;
    return first != NULL ? first : loose_take(class_index, count);
}

void magazine_put(uint32_t class_index, struct block *first, uint32_t count)
{
    struct size_class *class = &size_classes[class_index];
    if (count == class->chain_count) {
        full_put(class_index, first);
    } else {
        magazine_chain_push(&class->loose, first);
        growth_of(class_index)->loose_blocks += (int32_t)count;
    }
}

MARK_GUESS uint32_t magazine_loaded_count(const struct magazine *magazine, uint32_t class_index)
{
    return magazine->loaded == 0 ? 0
                                 : size_classes[class_index].chain_count - (uint32_t)magazine->room;
}

// ---- Fresh memory --------------------------------------------------------

// Others may have given back what this CPU took.
static size_t taken_pages(const struct growth *growth)
{
    return growth->taken_pages < 0 ? 0 : (size_t)growth->taken_pages;
}

// What has been cut, and somewhat more, is about to be written.
static void fresh_populate(const struct magazine *magazine, struct growth *growth)
{
    size_t cut = (size_t)(magazine->fresh - growth->populated);
    size_t left = (size_t)(growth->end - growth->populated);
    size_t size = (cut + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
    size = size > growth->step ? size : growth->step;
    size = size < left ? size : left;
    hal_populate(growth->populated, size);
    growth->populated += size;
    size_t taken = taken_pages(growth) * HAL_PAGE_SIZE;
    growth->step *= growth->step < STEP_MAX && growth->step <= taken / STEP_SHARE ? 2 : 1;
}

static size_t pages_of(size_t size)
{
    return (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
}

static size_t size_between(const char *start, const char *end)
{
    return (size_t)(end - start);
}

// The next pages of spans of a class, of which this is page number first.
static void pages_add(struct growth *growth, uint32_t class_index, size_t pages, size_t first)
{
    const struct size_class *class = &size_classes[class_index];
    for (size_t i = 0; i < pages; ++i) {
        size_t page = (first + i) % class->span_pages;
        *unit_of(growth->end + i * HAL_PAGE_SIZE) = (struct unit){
            (uint16_t)magazine_offset(class_index), (uint16_t)(page << NOTE_PAGE_SHIFT)};
    }
    growth->end += pages * HAL_PAGE_SIZE;
    growth->taken_pages += (int32_t)pages;
    atomic_fetch_add_explicit(&magazine_grown, pages, memory_order_relaxed);
    large_grow();
}

// Of small blocks, several whole spans are taken at a time; else one, and at first not all of it.
static size_t run_pages(const struct size_class *class, size_t taken)
{
    size_t pages = taken / STEP_SHARE;
    pages = pages > STEP_MAX / HAL_PAGE_SIZE ? STEP_MAX / HAL_PAGE_SIZE : pages;
    return class->size > LEARNED_MIN ? 0 : pages / class->span_pages * class->span_pages;
}

// Takes whole spans, or the first pages of one.
static int run_take(const struct size_class *class, size_t *pages, hal_phys *start)
{
    size_t least = pages_of(class->size), whole = class->span_pages;
    (void)large_drain((*pages > least ? *pages : least) * HAL_PAGE_SIZE);
    if (*pages >= whole && frame_alloc(*pages, 0, start) == 0) {
        return 0;
    }
    *pages = least;
    return least < whole && frame_alloc_room(least, whole, start) == 0
               ? 0
               : frame_alloc(least, 0, start);
}

// False: no memory.
static bool fresh_take(struct magazine *magazine, struct growth *growth, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    growth->step = growth->step < STEP_MIN ? STEP_MIN : growth->step;
    size_t whole = class->span_pages, pages = run_pages(class, taken_pages(growth));
    hal_phys start;
    if (run_take(class, &pages, &start) != 0) {
        return false;
    }
    magazine->fresh = growth->populated = growth->end = frame_address(start);
    pages_add(growth, class_index, pages, 0);
    growth->room = pages < whole ? (uint32_t)(whole - pages) : 0;
    growth->taken_blocks += (int32_t)magazine_blocks(class, pages);
    return true;
}

// Only one block is left to be cut: the span grows, if it is not whole and the next frames are
// free. It does so before that block is cut, since who trims takes a span that is all cut for
// complete.
static void span_grow(struct magazine *magazine, uint32_t class_index)
{
    const struct size_class *class = &size_classes[class_index];
    struct growth *growth = growth_of(class_index);
    size_t tail = size_between(magazine->fresh, growth->end);
    size_t ahead = taken_pages(growth) / AHEAD_SHARE, least = pages_of(2 * class->size - tail);
    ahead = ahead < least ? least : ahead > growth->room ? growth->room : ahead;
    size_t left = (tail + ahead * HAL_PAGE_SIZE) / class->size * class->size;
    size_t pages = pages_of(left - tail);
    (void)large_drain(pages * HAL_PAGE_SIZE);
    if (least > growth->room || !frame_is_direct(growth->end) || // the end of all memory
        !frame_take_next(frame_of(growth->end), pages)) {
        growth->room = 0;
        return;
    }
    pages_add(growth, class_index, pages, class->span_pages - growth->room);
    growth->room -= (uint32_t)pages;
    growth->taken_blocks += (int32_t)((left - magazine->fresh_left) / class->size);
    magazine->fresh_left = (uint32_t)left;
}

// Cuts a block from fresh memory.
static __attribute__((noinline)) struct block *block_cut(struct magazine *magazine,
                                                         uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    struct growth *growth = growth_of(class_index);
    if (magazine->fresh_left == 0) {
        char *next = magazine->fresh == NULL ? NULL : magazine_span_end(magazine);
        if (next < growth->end) {
            magazine->fresh = next;
        } else if (!fresh_take(magazine, growth, class_index)) {
            return NULL;
        }
        size_t pages = size_between(magazine->fresh, growth->end) / HAL_PAGE_SIZE;
        pages = pages < class->span_pages ? pages : class->span_pages;
        magazine->fresh_left = span_blocks(class, pages) * class->size;
    }
    if (magazine->fresh_left == class->size && growth->room > 0) {
        span_grow(magazine, class_index);
    }
    struct block *block = (struct block *)(void *)magazine->fresh;
    magazine->fresh += class->size;
    magazine->fresh_left -= class->size;
    if (magazine->fresh > growth->populated) {
        fresh_populate(magazine, growth);
    }
    return block;
}

// ---- The CPU's -----------------------------------------------------------

// A block of a class is cut for size, which it may be a good deal larger than: sizes for which most
// cuts are get their own class (after Boyer and Moore's majority vote, 1981).
static void cut_count(struct growth *growth, uint32_t class_index, uint32_t size)
{
    size = (size + HEAP_ALIGNMENT - 1) & ~(uint32_t)(HEAP_ALIGNMENT - 1);
    growth->asked = growth->votes == 0 ? size : growth->asked;
    growth->votes += growth->asked == size ? 1 : (uint32_t)-1;
    uint32_t class_size = size_classes[class_index].size;
    if (growth->votes >= VOTES) {
        growth->votes = 0;
        if (class_size - growth->asked >= class_size / LEARNED_SHARE) {
            magazine_learn(growth->asked);
        }
    }
}

struct block *magazine_refill(struct magazine *magazine, uint32_t class_index, size_t asked)
{
    struct size_class *class = &size_classes[class_index];
    uint32_t count = class->chain_count;
    struct block *first = magazine->spare;
    magazine->spare = NULL;
    first = first == NULL ? full_take(class_index) : first;
    first = first == NULL ? loose_take(class_index, &count) : first;
    if (first == NULL) {
        if (asked > LEARNED_MIN) {
            cut_count(growth_of(class_index), class_index, (uint32_t)asked);
        }
        return block_cut(magazine, class_index);
    }
    magazine->loaded = first->link;
    magazine->room = (int32_t)(class->chain_count - count + 1);
    return first;
}

// A CPU's magazines begin with no room and nothing loaded: nothing is kept then.
void magazine_rotate(struct magazine *magazine, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    if (magazine->loaded != 0) {
        if (magazine->spare != NULL) {
            full_put(class_index, magazine->spare);
        }
        magazine->spare = link_block(magazine->loaded);
    }
    magazine->loaded = link_none();
    magazine->room = (int32_t) class->chain_count;
}

void magazine_cut_rest(uint32_t class_index, uint32_t count_max)
{
    struct magazine *magazine = magazine_at(magazine_offset(class_index));
    uint32_t count = magazine->fresh_left / size_classes[class_index].size;
    if (count > count_max || magazine_loaded_count(magazine, class_index) == 0) {
        return;
    }
    growth_of(class_index)->room = 0;
    while (magazine->fresh_left > 0) {
        struct block *block = block_cut(magazine, class_index);
        if (magazine->room == 0) {
            magazine_rotate(magazine, class_index);
        }
        block->link = magazine->loaded;
        magazine->loaded = link_to(block);
        magazine->room--;
    }
}

void magazine_chains_flush(uint32_t class_index)
{
    struct magazine *magazine = magazine_at(magazine_offset(class_index));
    uint32_t count = magazine_loaded_count(magazine, class_index);
    if (magazine->spare != NULL) {
        magazine_put(class_index, magazine->spare, size_classes[class_index].chain_count);
        magazine->spare = NULL;
    }
    if (count > 0) {
        magazine_put(class_index, link_block(magazine->loaded), count);
        magazine->loaded = link_none();
        magazine->room = (int32_t)size_classes[class_index].chain_count;
    }
}

void magazine_pages_return(uint32_t class_index, char *start, size_t pages, uint32_t blocks)
{
    for (size_t i = 0; i < pages; ++i) {
        *unit_of(start + i * HAL_PAGE_SIZE) = (struct unit){0, 0};
    }
    growth_of(class_index)->taken_pages -= (int32_t)pages;
    growth_of(class_index)->taken_blocks -= (int32_t)blocks;
    frame_free(frame_of(start), pages);
}

// The spans that were taken together with the one that is being cut, and come after it.
static size_t fresh_return(struct magazine *magazine, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    struct growth *growth = growth_of(class_index);
    if (magazine->fresh == NULL) {
        return 0;
    }
    char *next = magazine_span_end(magazine);
    if (next >= growth->end) {
        return 0;
    }
    size_t size = (size_t)(growth->end - next);
    growth->end = next;
    growth->populated = growth->populated < next ? growth->populated : next;
    growth->step = 0;
    size_t pages = size / HAL_PAGE_SIZE;
    magazine_pages_return(class_index, next, pages, magazine_blocks(class, pages));
    return size;
}

size_t magazine_flush(void)
{
    size_t returned = 0;
    for (uint32_t i = 0; i < size_class_count(); ++i) {
        struct magazine *magazine = magazine_at(magazine_offset(i));
        magazine_chains_flush(i);
        returned += fresh_return(magazine, i);
    }
    return returned;
}

// ---- Boot ----------------------------------------------------------------

void magazine_init(uint32_t cpu_count)
{
    size_t size = cpu_count * sizeof(struct heap_cpu);
    hal_phys start;
    int error = frame_alloc((size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, FRAME_ZERO, &start);
    ASSERT(error == 0);
    for (uint32_t i = 0; i < cpu_count; ++i) {
        percpu_heaps[i] = (struct heap_cpu *)(void *)frame_address(start) + i;
    }
    ((struct percpu *)(void *)hal_cpu_self())->heap = percpu_heaps[0];
    // Odd, so that no block has the link 0; and of no pointer, nor a small number.
    hal_entropy(&heap_key.block, sizeof heap_key.block);
    heap_key.block = (heap_key.block & ~((uintptr_t)1 << 63)) | (uintptr_t)1 << 62 | 1;
    heap_key.direct = heap_key.block + (uintptr_t)unit_table.base;
    heap_key.span = unit_table.size;
}
