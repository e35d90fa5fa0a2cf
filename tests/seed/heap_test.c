// SPDX-License-Identifier: BSD-3-Clause
// heap_test.c: spans of small blocks that grow on one CPU and are given back by another, and
// classes that are learned, under every schedule with few preemptions: no block lies where frames
// were given back, and none is there twice.
#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/magazine.h"
#include "seed.h"
#include "seed_main.h"

enum {
    PAGES = 64,
    SIZE = 4608, // eight blocks in nine pages
    BLOCKS = 16, // of two spans
    LEARNED_SIZE = 4368,
};

static _Alignas(HAL_PAGE_SIZE) char memory[PAGES * HAL_PAGE_SIZE];
static bool is_taken[PAGES];
static struct unit units[PAGES];
static struct percpu cpus[SEED_CPU_COUNT];
static struct heap_cpu heaps[SEED_CPU_COUNT];
static uint32_t class_index;
static unsigned learned_count;

struct unit_table unit_table = {memory, sizeof memory, units};
struct heap_cpu *percpu_heaps[HAL_CPU_MAX];

// ---- What magazine.c and trim.c stand on: each is one step ------------------

MARK_GUESS static bool pages_take(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; ++i) {
        if (i >= PAGES || is_taken[i]) {
            return false;
        }
    }
    for (size_t i = first; i < first + count; ++i) {
        is_taken[i] = true;
    }
    return true;
}

MARK_GUESS int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    (void)flags;
    for (size_t i = 0; i < PAGES; i += 16) {
        if (pages_take(i, count)) {
            *start = i * HAL_PAGE_SIZE;
            return 0;
        }
    }
    return -1;
}

int frame_alloc_room(size_t count, size_t room, hal_phys *start)
{
    (void)room;
    return frame_alloc(count, 0, start);
}

bool frame_take_next(hal_phys start, size_t count)
{
    return pages_take(start / HAL_PAGE_SIZE, count);
}

MARK_GUESS void frame_free(hal_phys start, size_t count)
{
    for (size_t i = start / HAL_PAGE_SIZE; count > 0; ++i, --count) {
        seed_check(is_taken[i], "a frame is given back twice");
        is_taken[i] = false;
    }
}

char *frame_address(hal_phys frame)
{
    return memory + frame;
}

hal_phys frame_of(const void *address)
{
    return (hal_phys)((const char *)address - memory);
}

bool frame_is_direct(const void *address)
{
    return (uintptr_t)address - (uintptr_t)memory < sizeof memory;
}

size_t large_drain(size_t wanted)
{
    (void)wanted;
    return 0;
}

size_t large_unmap(void)
{
    return 0;
}

void large_count(struct heap_counts *counts)
{
    (void)counts;
}

_Atomic bool large_has_grown;

void hal_populate(char *va, size_t size)
{
    (void)va;
    (void)size;
}

void magazine_learn(uint32_t size)
{
    (void)size;
}

// ---- Blocks -----------------------------------------------------------------

static struct magazine *magazine(void)
{
    return magazine_at(magazine_offset(class_index));
}

MARK_GUESS static void in_use_check(const char *block)
{
    size_t first = (size_t)(block - memory) / HAL_PAGE_SIZE;
    size_t last = (size_t)(block + SIZE - 1 - memory) / HAL_PAGE_SIZE;
    for (size_t i = first; i <= last; ++i) {
        seed_check(is_taken[i], "a block lies where frames were given back");
    }
}

// As heap.c does.
static struct block *block_take(void)
{
    struct magazine *mine = magazine();
    struct block *block = link_block(mine->loaded);
    if (mine->loaded == 0 || mine->loaded == link_none()) {
        block = magazine_refill(mine, class_index, 0);
    } else {
        mine->loaded = block->link;
        mine->room++;
    }
    seed_check(block != NULL, "no memory");
    in_use_check((const char *)block);
    block->link = 0;
    return block;
}

static void block_give(struct block *block)
{
    struct magazine *mine = magazine();
    if (mine->room == 0) {
        magazine_rotate(mine, class_index);
    }
    block->link = mine->loaded;
    mine->loaded = link_to(block);
    mine->room--;
}

// ---- Tests ------------------------------------------------------------------

static void reset(void)
{
    memset(is_taken, 0, sizeof is_taken);
    memset(units, 0, sizeof units);
    memset(heaps, 0, sizeof heaps);
    memset(size_classes, 0, sizeof size_classes);
    learned_count = 0;
    size_class_init();
    class_index = size_class_of(SIZE);
    heap_key.block = ((uintptr_t)1 << 62) + 1;
    heap_key.direct = heap_key.block + (uintptr_t)memory;
    heap_key.span = sizeof memory;
    atomic_store(&magazine_grown, 1000);
    for (uint32_t i = 0; i < SEED_CPU_COUNT; ++i) {
        cpus[i] = (struct percpu){i, &heaps[i]};
        percpu_heaps[i] = &heaps[i];
        seed_cpu_set(i, (struct cpu *)(void *)&cpus[i]);
    }
}

// A whole span, of which every other block is on one of two chains.
static void span_make(size_t first, struct block *chains[2])
{
    const struct size_class *class = &size_classes[class_index];
    for (size_t i = 0; i < class->span_pages; ++i) {
        is_taken[first + i] = true;
        units[first + i] =
            (struct unit){(uint16_t)magazine_offset(class_index), (uint16_t)(i << NOTE_PAGE_SHIFT)};
    }
    for (size_t i = 0; i < span_blocks(class, class->span_pages); ++i) {
        char *start = memory + first * HAL_PAGE_SIZE + i * SIZE;
        struct block *block = (struct block *)(void *)start;
        block->link = chains[i % 2] == NULL ? link_none() : link_to(chains[i % 2]);
        chains[i % 2] = block;
    }
}

static void reset_spans(void)
{
    reset();
    struct block *chains[2] = {NULL, NULL};
    span_make(0, chains);
    span_make(16, chains);
    for (int i = 0; i < 2; ++i) {
        magazine_chain_push(&size_classes[class_index].loose, chains[i]);
    }
    heaps[0].growths[class_index].loose_blocks = BLOCKS;
}

static void stack_check(struct stack *stack)
{
    struct block *block;
    while ((block = magazine_chain_pop(stack)) != NULL) {
        uint32_t count = 0;
        for (bool is_last = false; !is_last; block = link_block(block->link)) {
            in_use_check((const char *)block);
            seed_check(++count <= BLOCKS, "a chain is a ring");
            is_last = block->link == link_none();
        }
    }
}

// All free blocks lie in frames that are taken, and nothing is left of the counting.
static void check(void)
{
    stack_check(&size_classes[class_index].chains);
    stack_check(&size_classes[class_index].loose);
    for (size_t i = 0; i < PAGES; ++i) {
        seed_check((units[i].note & ((1 << NOTE_PAGE_SHIFT) - 1)) == 0, "a count was left");
    }
}

static void grow(void)
{
    struct block *first = block_take();
    block_give(first);
    magazine_chains_flush(class_index);
    first = block_take();
    struct block *second = block_take();
    in_use_check((const char *)first);
    block_give(first);
    block_give(second);
    magazine_chains_flush(class_index);
}

static void trim(void)
{
    (void)heap_trim();
}

static void settle(void)
{
    magazine_settle();
}

static void learn(void)
{
    uint32_t index = 0;
    if (size_class_learn(LEARNED_SIZE, &index)) {
        seed_check(size_classes[index].size == LEARNED_SIZE, "learned, and not there");
        learned_count++;
    }
}

static void check_learned(void)
{
    seed_check(learned_count == 1, "a class was learned twice, or never");
    seed_check(size_class_count() == CLASS_COUNT + 1, "too many classes");
}

static const struct seed_test tests[] = {
    {
        .name = "heap, a span grows, and is given back",
        .reset = reset,
        .bodies = {grow, trim},
        .check = check,
        .preemption_max = 3,
    },
    {
        .name = "heap, two give back the same spans",
        .reset = reset_spans,
        .bodies = {settle, trim},
        .check = check,
        .preemption_max = 2,
    },
    {
        .name = "heap, two learn the same size",
        .reset = reset,
        .bodies = {learn, learn},
        .check = check_learned,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
