// SPDX-License-Identifier: BSD-3-Clause
// heap.c: small blocks: size classes, and magazines of free blocks per CPU (Bonwick and Adams,
// 2001).
//
// Blocks have no header. A table says for each page of the direct map what its blocks are: of which
// size class, or the start of a large block (large.c). A block that is none of these lies outside
// the direct map.
//
// Each CPU has for each class the chain it works on, perhaps a second, full one, and a piece of
// fresh memory to cut (magazine.h). Full chains, of a fixed number of blocks per class, move
// between CPUs over one lock-free stack per class, whoever allocated the blocks: nothing is ever
// walked or counted on the way.
//
// Any context may allocate and free: a CPU's magazines are its own with interrupts off.
//
// Who frees a block twice is found where the block's second word reads as the link of a free
// block and the block is in a chain; who frees what is none, in the table. heap_program_broken says
// so.
//
// Where a memory checker watches, callers get blocks of checked.c, which are cut from these; where
// programs are watched, theirs are the watcher's: limits of 0 send every call there by the way of
// the uncommon case.
#include "core/mem/heap.h"

#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/format.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/checked.h"
#include "core/mem/frame.h"
#include "core/mem/large.h"
#include "core/mem/large_kept.h"
#include "core/mem/magazine.h"
#include "core/mem/plain.h"

enum { FINE_MAX = 1024 }; // the magazines of sizes up to here are looked up by the byte

static uint16_t fine[FINE_MAX + 1]; // magazine_offset

// And those of sizes above, up to HEAP_SMALL_MAX, by 16 bytes. An entry changes once at most, when
// a class is learned.
static _Atomic uint16_t coarse[(HEAP_SMALL_MAX - FINE_MAX) / HEAP_ALIGNMENT];

// What the heap's own functions serve. All are 0 where checked.c serves callers.
static size_t fine_end;    // sizes that fine has: below this
static size_t small_end;   // small blocks: below this size
static size_t direct_size; // blocks in the direct map: below this offset

static const struct heap_watcher *watcher; // NULL: programs are not watched

static bool nobody_told(size_t size)
{
    (void)size;
    return false;
}

bool (*heap_program_exhausted)(size_t) = nobody_told;

static void nobody_asked(enum heap_mistake mistake, const void *block, size_t size)
{
    static const char *const claims[] = {
        [HEAP_FREED_TWICE] = "freed, and was before",
        [HEAP_NO_BLOCK] = "freed, and is no block",
        [HEAP_OVERWRITTEN] = "found where a freed block's link was: it was written to",
    };
    console_print("osv: heap: %p (%zu bytes) was %s\n", block, size, claims[mistake]);
    ASSERT(!"the heap is sound");
}

void (*heap_program_broken)(enum heap_mistake, const void *, size_t) = nobody_asked;

// ---- Mistakes ------------------------------------------------------------

static void broken(enum heap_mistake mistake, const void *block, size_t size, enum heap_owner owner)
{
    (owner == HEAP_OF_PROGRAM ? heap_program_broken : nobody_asked)(mistake, block, size);
}

// Is block in the chain that link begins? Another CPU's may change meanwhile: what is read is a
// block's second word, whatever that is now.
static MARK_GUESS bool chain_has(uintptr_t link, const struct block *block, uint32_t count_max)
{
    for (uint32_t i = 0; i < count_max; ++i) {
        const struct block *next = link_block(link);
        if (!link_is_block(link)) {
            return false;
        }
        if (next == block) {
            return true;
        }
        link = *(const volatile uintptr_t *)&next->link;
    }
    return false;
}

static MARK_GUESS bool magazines_have(const struct block *block, uint32_t class_index)
{
    uint32_t count = size_classes[class_index].chain_count;
    for (uint32_t i = 0; i < HAL_CPU_MAX && percpu_heaps[i] != NULL; ++i) {
        const volatile struct magazine *magazine =
            &percpu_heaps[i]->magazines[MAGAZINE_SMALL + class_index];
        const struct block *spare = magazine->spare;
        if (chain_has(magazine->loaded, block, count) ||
            (spare != NULL && chain_has(link_to(spare), block, count))) {
            return true;
        }
    }
    return false;
}

// The chains that no CPU holds are taken out one by one, and put back.
static bool stack_has(struct stack *stack, const struct block *block, uint32_t count_max)
{
    bool found = false;
    struct stack looked_at = {0};
    struct block *first;
    while (!found && (first = magazine_chain_pop(stack)) != NULL) {
        found = chain_has(link_to(first), block, count_max);
        magazine_chain_push(&looked_at, first);
    }
    while ((first = magazine_chain_pop(&looked_at)) != NULL) {
        magazine_chain_push(stack, first);
    }
    return found;
}

// A block's second word reads as a link. That may be by chance.
static bool is_free(const struct block *block, uint32_t class_index)
{
    struct size_class *class = &size_classes[class_index];
    return magazines_have(block, class_index) ||
           stack_has(&class->chains, block, class->chain_count) ||
           stack_has(&class->loose, block, class->chain_count);
}

// ---- Sizes ---------------------------------------------------------------

static inline _Atomic uint16_t *coarse_of(size_t size)
{
    return &coarse[(size - FINE_MAX - 1) / HEAP_ALIGNMENT];
}

static inline size_t small_offset(size_t size)
{
    // Acquire pairs with magazine_learn.
    return size <= FINE_MAX ? fine[size]
                            : atomic_load_explicit(coarse_of(size), memory_order_acquire);
}

// Four at a time: sizes above 1024 are multiples of 128.
static void coarse_init(size_t above, size_t size, uint64_t offset)
{
    const uint64_t four = offset << 48 | offset << 32 | offset << 16 | offset;
    for (size_t i = above + HEAP_ALIGNMENT; i <= size; i += 4 * HEAP_ALIGNMENT) {
        memcpy((void *)coarse_of(i), &four, sizeof four);
    }
}

void magazine_learn(uint32_t size)
{
    uint32_t class_index;
    if (size_class_learn(size, &class_index)) {
        atomic_store_explicit(coarse_of(size), (uint16_t)magazine_offset(class_index),
                              memory_order_release);
    }
}

// ---- Blocks --------------------------------------------------------------

// The common paths end in tail calls where they are not common: so they save no register.

// Whether owner gets no block until it has been tried once more: a program's malloc says why. For a
// program, mappings that are not needed go here, where it may wait.
static bool is_tried_again(const void *block, size_t size, enum heap_owner owner)
{
    if (owner != HEAP_OF_PROGRAM) {
        return false;
    }
    large_settle();
    return block == NULL && heap_program_exhausted(size);
}

static __attribute__((noinline)) void *small_alloc_again(size_t offset);

// Interrupts are off since irq was saved, and what is loaded is no block.
static __attribute__((noinline)) void *small_alloc_slow(struct magazine *magazine, uintptr_t irq,
                                                        enum heap_owner owner, size_t asked)
{
    size_t offset = magazine_place(magazine);
    uint32_t index = magazine_class(offset);
    uintptr_t loaded = magazine->loaded;
    bool is_empty = loaded == link_none() || loaded == 0;
    struct block *block = is_empty ? magazine_refill(magazine, index, asked) : NULL;
    if (block != NULL) {
        block->link = 0;
    }
    hal_irq_restore(irq);
    if (!is_empty) {
        broken(HEAP_OVERWRITTEN, link_block(loaded), size_classes[index].size, owner);
    }
    if (is_tried_again(block, size_classes[index].size, owner)) {
        return small_alloc_again(offset);
    }
    MARK_ALLOCATED(block, size_classes[index].size);
    return block;
}

// Programs run with interrupts on: their state need not be asked for.
static inline uintptr_t irq_off(enum heap_owner owner)
{
    uintptr_t irq = hal_irq_save();
    return owner == HEAP_OF_PROGRAM ? 0 : irq;
}

// asked: of the size that was asked for, where that may be worth a class of its own; else 0.
static inline void *small_alloc(size_t offset, enum heap_owner owner, size_t asked)
{
    uintptr_t irq = irq_off(owner);
    struct magazine *magazine = magazine_at(offset);
    struct block *block = link_block(magazine->loaded);
    if (__builtin_expect((uintptr_t)block % HEAP_ALIGNMENT != 0, 0)) {
        return small_alloc_slow(magazine, irq, owner, asked);
    }
    magazine->loaded = block->link;
    magazine->room++;
    block->link = 0; // it is no free block any more
    hal_irq_restore(irq);
    MARK_ALLOCATED(block, size_classes[magazine_class(offset)].size);
    return block;
}

// For a program, as long as others give memory back.
static void *small_alloc_again(size_t offset)
{
    void *block;
    do {
        block = small_alloc(offset, HEAP_OF_CORE, 0);
    } while (is_tried_again(block, size_classes[magazine_class(offset)].size, HEAP_OF_PROGRAM));
    return block;
}

// Interrupts are off since irq was saved. There was no room, which has been taken nonetheless.
static __attribute__((noinline)) void free_without_room(struct block *block,
                                                        struct magazine *magazine, uintptr_t irq,
                                                        enum heap_owner owner)
{
    size_t offset = magazine_place(magazine);
    magazine->room = 0;
    if (offset >= magazine_offset(0)) {
        magazine_rotate(magazine, magazine_class(offset));
        block->link = magazine->loaded;
        magazine->loaded = link_to(block);
        magazine->room--;
    }
    hal_irq_restore(irq);
    if (offset < magazine_offset(0) && (offset == 0 || !large_free(block))) {
        broken(HEAP_NO_BLOCK, block, 0, owner);
    }
}

// offset is what the table of units says of block.
static inline void small_free(struct block *block, size_t offset, enum heap_owner owner)
{
    uintptr_t irq = irq_off(owner);
    struct magazine *magazine = magazine_at(offset);
    if (__builtin_expect(--magazine->room < 0, 0)) {
        free_without_room(block, magazine, irq, owner);
        return;
    }
    block->link = magazine->loaded;
    magazine->loaded = link_to(block);
    hal_irq_restore(irq);
}

static __attribute__((noinline)) void free_again(struct block *block, size_t offset,
                                                 enum heap_owner owner)
{
    if (offset >= magazine_offset(0) && is_free(block, magazine_class(offset))) {
        broken(HEAP_FREED_TWICE, block, size_classes[magazine_class(offset)].size, owner);
        return;
    }
    small_free(block, offset, owner);
}

static bool is_checked(void)
{
    return small_end == 0 && watcher == NULL;
}

static bool is_watched(enum heap_owner owner)
{
    return watcher != NULL && owner == HEAP_OF_PROGRAM;
}

void *plain_alloc(size_t size)
{
    return size > HEAP_SMALL_MAX
               ? large_alloc(size, HEAP_ALIGNMENT, false)
               : small_alloc(magazine_offset(size_class_of(size)), HEAP_OF_CORE, 0);
}

void *plain_alloc_zeroed(size_t size)
{
    if (size > HEAP_SMALL_MAX) {
        return large_alloc(size, HEAP_ALIGNMENT, true);
    }
    void *block = plain_alloc(size);
    return block == NULL ? NULL : memset(block, 0, size);
}

static __attribute__((noinline)) void *alloc_not_kept(size_t size, size_t alignment, bool zeroed,
                                                      enum heap_owner owner)
{
    void *block;
    do {
        block = is_watched(owner) ? watcher->alloc(size, alignment, zeroed)
                : is_checked()    ? checked_alloc(size, alignment, zeroed, owner)
                : size > HEAP_SMALL_MAX || alignment > HEAP_ALIGNMENT
                    ? large_alloc(size, alignment, zeroed)
                : zeroed ? plain_alloc_zeroed(size)
                         : plain_alloc(size);
    } while (is_tried_again(block, size, owner));
    return block;
}

static __attribute__((noinline)) void *alloc_not_small(size_t size, size_t alignment, bool zeroed,
                                                       enum heap_owner owner)
{
    void *block = is_checked() ? NULL : large_alloc_kept(size, alignment, zeroed);
    return block != NULL ? block : alloc_not_kept(size, alignment, zeroed, owner);
}

// Sizes that fine lacks, and all where a checker watches.
static __attribute__((noinline)) void *alloc_slow(size_t size, bool zeroed, enum heap_owner owner)
{
    if (size >= small_end) {
        return alloc_not_small(size, HEAP_ALIGNMENT, zeroed, owner);
    }
    void *block = small_alloc(small_offset(size), owner, size);
    return block == NULL || !zeroed ? block : memset(block, 0, size);
}

static inline void *alloc(size_t size, bool zeroed, enum heap_owner owner)
{
    if (__builtin_expect(size >= fine_end, 0)) {
        return alloc_slow(size, zeroed, owner);
    }
    void *block = small_alloc(fine[size], owner, 0);
    return block == NULL || !zeroed ? block : memset(block, 0, size);
}

// Spans begin at multiples of a page, so a class whose size is a multiple of alignment has only
// aligned blocks.
static void *alloc_aligned(size_t alignment, size_t size, enum heap_owner owner)
{
    ASSERT(alignment != 0 && (alignment & (alignment - 1)) == 0);
    if (is_checked() || is_watched(owner)) {
        alignment = alignment < HEAP_ALIGNMENT ? HEAP_ALIGNMENT : alignment;
        return alloc_not_small(size, alignment, false, owner);
    }
    if (alignment <= HEAP_ALIGNMENT) {
        return alloc(size, false, owner);
    }
    if (size <= HEAP_SMALL_MAX && alignment <= HAL_PAGE_SIZE) {
        for (uint32_t i = size_class_of(size); i < CLASS_COUNT; ++i) {
            if (size_classes[i].size % alignment == 0) {
                return small_alloc(magazine_offset(i), owner, 0);
            }
        }
    }
    return alloc_not_small(size, alignment, false, owner);
}

void *heap_alloc(size_t size)
{
    return alloc(size, false, HEAP_OF_CORE);
}

void *heap_alloc_zeroed(size_t size)
{
    return alloc(size, true, HEAP_OF_CORE);
}

void *heap_alloc_aligned(size_t alignment, size_t size)
{
    return alloc_aligned(alignment, size, HEAP_OF_CORE);
}

void *heap_program_alloc(size_t size)
{
    return alloc(size, false, HEAP_OF_PROGRAM);
}

void *heap_program_alloc_zeroed(size_t size)
{
    return alloc(size, true, HEAP_OF_PROGRAM);
}

void *heap_program_alloc_aligned(size_t alignment, size_t size)
{
    return alloc_aligned(alignment, size, HEAP_OF_PROGRAM);
}

// A block in the direct map.
static inline void direct_free(struct block *block, enum heap_owner owner)
{
    size_t offset = unit_of(block)->magazine;
    if (__builtin_expect(link_is_direct(block->link), 0)) {
        free_again(block, offset, owner);
        return;
    }
    small_free(block, offset, owner);
}

void plain_free(void *block)
{
    if (unit_is_direct(block)) {
        small_free(block, unit_of(block)->magazine, HEAP_OF_CORE);
    } else if (!large_free(block)) {
        broken(HEAP_NO_BLOCK, block, 0, HEAP_OF_CORE);
    }
}

static __attribute__((noinline)) void free_slow(void *block, enum heap_owner owner)
{
    if (block == NULL) {
        return;
    }
    if (is_checked()) {
        checked_free(block);
    } else if (is_watched(owner)) {
        watcher->free(block);
    } else if (unit_is_direct(block)) {
        direct_free(block, owner);
    } else if (!large_free(block)) {
        broken(HEAP_NO_BLOCK, block, 0, owner);
    }
}

// NULL is not in the direct map.
static inline void free_of(void *block, enum heap_owner owner)
{
    MARK_FREED(block);
    if (__builtin_expect((uintptr_t)block - (uintptr_t)unit_table.base >= direct_size, 0)) {
        free_slow(block, owner);
        return;
    }
    direct_free(block, owner);
}

void heap_free(void *block)
{
    free_of(block, HEAP_OF_CORE);
}

void heap_program_free(void *block)
{
    free_of(block, HEAP_OF_PROGRAM);
}

size_t plain_size(const void *block)
{
    size_t offset = unit_is_direct(block) ? unit_of(block)->magazine : 0;
    return offset >= magazine_offset(0) ? size_classes[magazine_class(offset)].size
                                        : large_size(block);
}

size_t heap_size(const void *block)
{
    return is_checked() ? checked_size(block) : plain_size(block);
}

void *heap_realloc(void *block, size_t size)
{
    if (block == NULL) {
        return heap_alloc(size);
    }
    if (is_checked()) {
        return checked_realloc(block, size);
    }
    size_t old_size = plain_size(block);
    bool is_large = old_size > HEAP_SMALL_MAX;
    if (size <= old_size && (size > old_size / 2 || old_size <= HEAP_ALIGNMENT)) {
        return block;
    }
    if (is_large && size > HEAP_SMALL_MAX) {
        void *moved = large_realloc(block, size);
        if (moved != NULL) {
            return moved;
        }
    }
    // What grew once grows again: a large block gets room, or it would be copied each eighth.
    size_t room = is_large && size > old_size ? old_size + old_size / 2 : size;
    void *copy = room > size ? heap_alloc(room) : NULL;
    copy = copy == NULL ? heap_alloc(size) : copy;
    if (copy == NULL) {
        return size <= old_size ? block : NULL;
    }
    memcpy(copy, block, size < old_size ? size : old_size);
    heap_free(block);
    if (is_large) {
        (void)large_drain(old_size); // it has another size now, and is not to be had twice
    }
    return copy;
}

void *heap_program_realloc(void *block, size_t size)
{
    return is_watched(HEAP_OF_PROGRAM) ? watcher->realloc(block, size) : heap_realloc(block, size);
}

size_t heap_program_size(const void *block)
{
    return is_watched(HEAP_OF_PROGRAM) ? watcher->size(block) : heap_size(block);
}

void heap_watch(const struct heap_watcher *who)
{
    ASSERT(!is_checked() && watcher == NULL);
    watcher = who;
    fine_end = small_end = direct_size = 0;
}

void heap_walk(void (*visit)(char *start, size_t size, void *argument), void *argument)
{
    const char *end = unit_table.base + unit_table.size;
    size_t size;
    for (char *at = unit_table.base; at < end; at += size) {
        size_t offset = unit_of(at)->magazine;
        size = offset == 0 || offset >= magazine_offset(0) ? HAL_PAGE_SIZE : large_size(at);
        if (offset != 0) {
            visit(at, size, argument);
        }
    }
}

// Checked blocks all lie in the direct map.
void heap_large_register(const struct heap_large *large)
{
    if (!is_checked()) {
        large_register(large);
    }
}

// ---- Boot ----------------------------------------------------------------

void heap_init(uint32_t cpu_count)
{
    size_class_init();
    for (size_t size = 0; size <= FINE_MAX; ++size) {
        fine[size] = (uint16_t)magazine_offset(size_class_of(size));
    }
    for (uint32_t i = size_class_of(FINE_MAX + 1); i < CLASS_COUNT; ++i) {
        coarse_init(size_classes[i - 1].size, size_classes[i].size, magazine_offset(i));
    }
    unit_init();
    magazine_init(cpu_count);
    large_init(cpu_count);
    if (frame_is_checked()) {
        checked_init(cpu_count);
    } else {
        fine_end = FINE_MAX + 1;
        small_end = HEAP_SMALL_MAX + 1;
        direct_size = unit_table.size;
    }
}
