// SPDX-License-Identifier: BSD-3-Clause
// magazine.c: how chains of free blocks, and fresh memory, come to a CPU and leave it.
//
// Fresh memory is taken in runs of spans, the more the more a CPU has taken for a class. A span is
// cut from its start; all its pages say in the table of units which class it is of.
#include "core/mem/magazine.h"

#include "core/lib/assert.h"
#include "core/mem/frame.h"

enum {
    STEP_MIN = HAL_PAGE_SIZE, // of fresh memory, taken and populated at a time
    STEP_MAX = 128 << 10,
    STEP_SHARE = 4, // a step that is less than this part of what was taken is doubled
};

struct heap_key heap_key;

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

uint32_t magazine_loaded_count(const struct magazine *magazine, uint32_t class_index)
{
    return magazine->loaded == 0 ? 0
                                 : size_classes[class_index].chain_count - (uint32_t)magazine->room;
}

// ---- Fresh memory --------------------------------------------------------

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
    size_t taken = (size_t)growth->pages * HAL_PAGE_SIZE;
    growth->step *= growth->step < STEP_MAX && growth->step <= taken / STEP_SHARE ? 2 : 1;
}

static int run_take(size_t pages, size_t pages_least, hal_phys *start, size_t *taken)
{
    *taken = pages;
    int error = frame_alloc(pages, 0, start);
    if (error != 0 && pages_least < pages) {
        *taken = pages_least;
        error = frame_alloc(pages_least, 0, start);
    }
    return error;
}

// False: no memory.
static bool fresh_take(struct magazine *magazine, struct growth *growth, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    growth->step = growth->step < STEP_MIN ? STEP_MIN : growth->step;
    size_t least = class->span_pages, pages = growth->step / HAL_PAGE_SIZE;
    pages = pages < least || class->used_pages < least ? least : pages;
    hal_phys start;
    (void)large_drain(pages * HAL_PAGE_SIZE);
    if (run_take(pages, least, &start, &pages) != 0) {
        return false;
    }
    if (class->used_pages < least) {
        frame_free(start + (hal_phys) class->used_pages * HAL_PAGE_SIZE, least - class->used_pages);
        pages = class->used_pages;
    }
    large_grow();
    magazine->fresh = growth->populated = frame_address(start);
    growth->end = magazine->fresh + pages * HAL_PAGE_SIZE;
    struct unit unit = {(uint16_t)magazine_offset(class_index), 0};
    for (size_t i = 0; i < pages; ++i) {
        *unit_of(magazine->fresh + i * HAL_PAGE_SIZE) = unit;
    }
    growth->taken_pages += (int32_t)pages;
    growth->pages += (uint32_t)pages;
    return true;
}

// Cuts a block from fresh memory.
static struct block *block_cut(struct magazine *magazine, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    struct growth *growth = growth_of(class_index);
    if (magazine->fresh_left == 0) {
        char *next = magazine->fresh == NULL ? NULL : magazine_span_after(magazine->fresh, class);
        if (next < growth->end) {
            magazine->fresh = next;
        } else if (!fresh_take(magazine, growth, class_index)) {
            return NULL;
        }
        magazine->fresh_left = class->span_blocks * class->size;
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

struct block *magazine_refill(struct magazine *magazine, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    uint32_t count = class->chain_count;
    struct block *first = magazine->spare;
    magazine->spare = NULL;
    first = first == NULL ? full_take(class_index) : first;
    first = first == NULL ? loose_take(class_index, &count) : first;
    if (first == NULL) {
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

static void chains_flush(struct magazine *magazine, uint32_t class_index)
{
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

void magazine_pages_return(uint32_t class_index, char *start, size_t pages)
{
    for (size_t i = 0; i < pages; ++i) {
        *unit_of(start + i * HAL_PAGE_SIZE) = (struct unit){0, 0};
    }
    growth_of(class_index)->taken_pages -= (int32_t)pages;
    frame_free(frame_of(start), pages);
}

// The spans that were taken together with the one that is being cut, and come after it.
static size_t fresh_return(struct magazine *magazine, uint32_t class_index)
{
    struct growth *growth = growth_of(class_index);
    if (magazine->fresh == NULL) {
        return 0;
    }
    char *next = magazine_span_after(magazine->fresh, &size_classes[class_index]);
    if (next >= growth->end) {
        return 0;
    }
    size_t size = (size_t)(growth->end - next);
    growth->end = next;
    growth->populated = growth->populated < next ? growth->populated : next;
    growth->step = growth->pages = 0;
    magazine_pages_return(class_index, next, size / HAL_PAGE_SIZE);
    return size;
}

size_t magazine_flush(void)
{
    size_t returned = 0;
    for (uint32_t i = 0; i < CLASS_COUNT; ++i) {
        struct magazine *magazine = magazine_at(magazine_offset(i));
        chains_flush(magazine, i);
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
