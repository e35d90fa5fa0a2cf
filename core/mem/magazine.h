// SPDX-License-Identifier: BSD-3-Clause
// magazine.h: a CPU's free small blocks, for heap.c and trim.c.
//
// Free blocks are chained through their second word: a program that has just written a few bytes of
// the first, and frees the block, need not wait for these to reach the cache. What is written
// there, and in `loaded`, is a link: the block's address plus a number that only this boot knows.
// So who writes to a freed block can hardly make malloc answer a place of his choice; and a block
// whose second word reads as a link has most likely been freed already. The last link of a chain is
// that of no block.
//
// Invariant: a chain in `spare` or on class->chains has exactly class->chain_count blocks; `loaded`
// has chain_count - room, none while it is 0. A CPU's magazines are its own with interrupts off.
#ifndef CORE_MEM_MAGAZINE_H
#define CORE_MEM_MAGAZINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem/heap.h"
#include "core/mem/large.h"
#include "core/mem/percpu.h"
#include "core/mem/size_class.h"
#include "core/mem/stack.h"
#include "core/mem/unit.h"

struct block {
    struct stack_node chain; // of a chain's first block, while it is on a stack of its class
    uintptr_t link;          // to the next
};

_Static_assert(sizeof(struct block) == HEAP_ALIGNMENT, "the smallest class");

struct magazine {
    uintptr_t loaded;    // a link; 0: nothing was freed here yet
    int32_t room;        // blocks until loaded is full
    uint32_t fresh_left; // bytes of the span that fresh is in
    char *fresh;         // memory that has not been cut yet
    struct block *spare; // a full chain, or NULL
};

// Apart from the magazine, whose size is a power of two.
struct growth {
    char *populated; // how far the magazine's fresh memory is
    char *end;       // of the spans that were taken together
    uint32_t step;   // what is populated next; 0: nothing was yet
    uint32_t room;   // pages that the span may still grow by
    uint32_t asked;  // a size that may get a class of its own
    uint32_t votes;  // cuts for it, less those for other sizes
    // What this CPU did: the sums over all CPUs count what is there now.
    int32_t full_chains;  // put on the stack, less those taken
    int32_t loose_blocks; // the same
    int32_t taken_pages;  // in spans, less those given back
    int32_t taken_blocks; // of these
};

_Static_assert(sizeof(struct magazine) == 32, "looked up by a shift");

// The first two magazines stay empty and without room, so that who frees a block finds out without
// asking before: of what is no block, and of large blocks.
enum {
    MAGAZINE_LARGE = 1,
    MAGAZINE_SMALL = 2,
    MAGAZINE_COUNT = MAGAZINE_SMALL + CLASS_MAX,
};

struct heap_cpu {
    _Alignas(64) struct magazine magazines[MAGAZINE_COUNT];
    struct growth growths[CLASS_MAX];
    struct large_cpu large;
};

// Constant after heap_init.
extern struct heap_key {
    uintptr_t block;  // a block's link is its address plus this; odd
    uintptr_t direct; // its place in the direct map plus this
    size_t span;      // of the direct map
} heap_key;

static inline struct block *link_block(uintptr_t link)
{
    return (struct block *)(link - heap_key.block);
}

static inline uintptr_t link_to(const struct block *block)
{
    return (uintptr_t)block + heap_key.block;
}

// The link of no block reads as that of an address in the direct map where no block can be.
static inline uintptr_t link_none(void)
{
    return heap_key.direct + 1;
}

static inline bool link_is_direct(uintptr_t link)
{
    return link - heap_key.direct < heap_key.span;
}

static inline bool link_is_block(uintptr_t link)
{
    return link_is_direct(link) && (uintptr_t)link_block(link) % HEAP_ALIGNMENT == 0;
}

// Interrupts are off.
static inline struct magazine *magazine_at(size_t offset)
{
    char *magazines = (char *)percpu_heap()->magazines;
    return (struct magazine *)(void *)(magazines + offset);
}

// Of a magazine of this CPU. Interrupts are off.
static inline size_t magazine_place(const struct magazine *magazine)
{
    return (size_t)((const char *)magazine - (const char *)percpu_heap()->magazines);
}

static inline size_t magazine_offset(uint32_t class_index)
{
    return (MAGAZINE_SMALL + class_index) * sizeof(struct magazine);
}

static inline uint32_t magazine_class(size_t offset)
{
    return (uint32_t)(offset / sizeof(struct magazine)) - MAGAZINE_SMALL;
}

void magazine_init(uint32_t cpu_count);

// Interrupts are off in all of these.

// loaded is empty. asked: the size that was asked for; 0: any. NULL: no memory.
struct block *magazine_refill(struct magazine *magazine, uint32_t class_index, size_t asked);

// heap.c's: blocks of this size, which is more than LEARNED_MIN, get their own class, if one is
// left.
void magazine_learn(uint32_t size);

// There is no room: makes some.
void magazine_rotate(struct magazine *magazine, uint32_t class_index);

// Puts all that this CPU has on the stacks, and gives back the spans that it has not begun: answers
// how many bytes.
size_t magazine_flush(void);

// Cuts what is left of the span that this CPU is cutting, if it has free blocks of this class and
// no more than count_max are left, and puts them on the stacks.
void magazine_cut_rest(uint32_t class_index, uint32_t count_max);

// Puts the chains of a class that this CPU has on the stacks.
void magazine_chains_flush(uint32_t class_index);

// Of the stacks of a class: a chain, and how many blocks it has. NULL: there is none.
struct block *magazine_take(uint32_t class_index, uint32_t *count);
void magazine_put(uint32_t class_index, struct block *first, uint32_t count);

// A page of a span says in its unit's note which of the span's pages it is: from this bit on.
enum { NOTE_PAGE_SHIFT = 12 };

// Pages taken since magazine_settle last looked; and that is trim.c's: gives back spans, if much
// has become free since it last did, and much was taken. Thread context, interrupts are on.
extern _Atomic size_t magazine_grown;
void magazine_settle(void);

// Pages of whole spans, of so many blocks, in which nothing is in use.
void magazine_pages_return(uint32_t class_index, char *start, size_t pages, uint32_t blocks);

// Where the span ends that is being cut.
static inline char *magazine_span_end(const struct magazine *magazine)
{
    size_t left = magazine->fresh_left;
    size_t into = ((uintptr_t)magazine->fresh + left) % HAL_PAGE_SIZE;
    return magazine->fresh + left + (into == 0 ? 0 : HAL_PAGE_SIZE - into);
}

// Blocks in so many pages of spans, where all but the last are whole.
static inline uint32_t magazine_blocks(const struct size_class *class, size_t pages)
{
    return (uint32_t)(pages / class->span_pages) * span_blocks(class, class->span_pages) +
           span_blocks(class, pages % class->span_pages);
}

// Blocks in loaded; a guess where the magazine is another CPU's.
uint32_t magazine_loaded_count(const struct magazine *magazine, uint32_t class_index);

struct block *magazine_chain_pop(struct stack *stack); // NULL: none is there
void magazine_chain_push(struct stack *stack, struct block *first);

#endif
