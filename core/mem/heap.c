// SPDX-License-Identifier: BSD-3-Clause
// heap.c: small blocks: size classes, and magazines of free blocks per CPU (Bonwick and Adams,
// 2001).
//
// Blocks have no header. Memory of the direct map is divided into units of 64 KiB, and a table says
// for each unit what its blocks are: of which size class, or the start of a large block (large.c).
// A block that is none of these lies outside the direct map.
//
// Free blocks are chained through their first word. Each CPU has for each class the chain it works
// on (`loaded`), perhaps a second, full one (`spare`), and a piece of fresh memory to cut. Full
// chains, of a fixed number of blocks per class, move between CPUs over one lock-free stack per
// class, whoever allocated the blocks: nothing is ever walked or counted.
//
// Invariant: a chain in `spare` or on a stack has exactly class->chain_count blocks; `loaded` has
// chain_count - room. A CPU's magazines are its own with interrupts off; so any context may
// allocate.
//
// Where a memory checker watches, callers get blocks of checked.c, which are cut from these: limits
// of 0 send every call there by the way of the uncommon case.
#include "core/mem/heap.h"

#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/checked.h"
#include "core/mem/frame.h"
#include "core/mem/large.h"
#include "core/mem/percpu.h"
#include "core/mem/plain.h"
#include "core/mem/stack.h"
#include "core/mem/unit.h"

enum {
    CLASS_COUNT = 40,        // 16, 32 .. 128, then four per doubling up to HEAP_SMALL_MAX
    CLASS_FINE_MAX = 1024,   // sizes up to here are looked up by 16 bytes, above by 128
    CHAIN_BYTES = 128 << 10, // what a full chain holds, within the next two
    CHAIN_MIN = 4,
    CHAIN_MAX = 256,
    SPAN_UNITS_MAX = 8, // 512 KiB are cut at a time, at most
    STEP_MIN = 8 << 10, // of fresh memory, populated at a time: twice as much each time
    STEP_MAX = 128 << 10,
};

struct class
{
    uint32_t size;
    uint32_t chain_count;
    uint32_t span_units;
    struct stack chains; // full ones that no CPU holds
};

struct block {
    struct block *next;
    struct stack_node chain; // of a chain's first block, while it is on class->chains
};

_Static_assert(sizeof(struct block) == 16, "the smallest class");

struct magazine {
    struct block *loaded;
    struct block *spare;
    uint32_t room;       // blocks until loaded is full
    uint32_t fresh_left; // bytes
    char *fresh;
};

// Apart from the magazine, whose size is a power of two.
struct growth {
    char *populated; // how far the magazine's fresh memory is
    size_t step;     // what is populated next; 0: nothing was yet
};

_Static_assert(sizeof(struct magazine) == 32, "looked up by a shift");

struct heap_cpu {
    _Alignas(64) struct magazine magazines[CLASS_COUNT];
    struct growth growths[CLASS_COUNT];
};

static struct class classes[CLASS_COUNT];
static uint8_t class_fine[CLASS_FINE_MAX / 16 + 1];
static uint8_t class_coarse[HEAP_SMALL_MAX / 128 + 1];
static struct heap_cpu *heap_cpus[HAL_CPU_MAX];

// What the heap's own functions serve. All are 0 where checked.c serves callers.
static size_t fine_end;    // sizes that class_fine has: below this
static size_t small_end;   // small blocks: below this size
static size_t direct_size; // blocks in the direct map: below this offset

static void nobody_told(void)
{
}

void (*heap_program_exhausted)(void) = nobody_told;

static uint32_t class_of(size_t size)
{
    return size <= CLASS_FINE_MAX ? class_fine[(size + 15) / 16] : class_coarse[(size + 127) / 128];
}

// ---- Interrupts are off --------------------------------------------------

static struct block *chain_pop(struct class *class)
{
    struct stack_node *node = stack_pop(&class->chains);
    return node == NULL ? NULL : (struct block *)((char *)node - offsetof(struct block, chain));
}

// What has been cut off the fresh memory, and somewhat more, is about to be written.
static void fresh_populate(const struct magazine *magazine, struct growth *growth)
{
    size_t cut = (size_t)(magazine->fresh - growth->populated);
    size_t left = cut + magazine->fresh_left;
    size_t step = growth->step < STEP_MIN ? STEP_MIN : growth->step;
    size_t size = cut > step ? (cut + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1) : step;
    size = size < left ? size : left;
    hal_populate(growth->populated, size);
    growth->populated += size;
    growth->step = step < STEP_MAX ? step * 2 : STEP_MAX;
}

// Cuts a block from fresh memory.
static struct block *block_cut(struct magazine *magazine, uint32_t index)
{
    struct class *class = &classes[index];
    struct growth *growth = &heap_cpus[percpu_index()]->growths[index];
    if (magazine->fresh_left < class->size) {
        size_t size = (size_t) class->span_units * UNIT_SIZE;
        hal_phys start;
        if (frame_alloc(size / HAL_PAGE_SIZE, 0, &start) != 0) {
            return NULL;
        }
        magazine->fresh = growth->populated = frame_address(start);
        magazine->fresh_left = (uint32_t)size;
        for (uint32_t i = 0; i < class->span_units; ++i) {
            *unit_of(magazine->fresh + (size_t)i * UNIT_SIZE) = index + UNIT_CLASS;
        }
    }
    struct block *block = (struct block *)(void *)magazine->fresh;
    magazine->fresh += class->size;
    magazine->fresh_left -= class->size;
    if (magazine->fresh > growth->populated) {
        fresh_populate(magazine, growth);
    }
    return block;
}

// loaded is empty.
static struct block *block_refill(struct magazine *magazine, uint32_t index)
{
    struct block *chain = magazine->spare != NULL ? magazine->spare : chain_pop(&classes[index]);
    magazine->spare = NULL;
    if (chain == NULL) {
        return block_cut(magazine, index);
    }
    magazine->loaded = chain->next;
    magazine->room = 1;
    return chain;
}

// loaded is full. (A CPU's magazines begin with room 0 and no blocks: nothing is kept then.)
static void magazine_rotate(struct magazine *magazine, uint32_t index)
{
    if (magazine->spare != NULL) {
        stack_push(&classes[index].chains, &magazine->spare->chain);
    }
    magazine->spare = magazine->loaded;
    magazine->loaded = NULL;
    magazine->room = classes[index].chain_count;
}

// ---- Blocks --------------------------------------------------------------

// The common paths end in tail calls where they are not common: so they save no register.

static struct magazine *magazine_mine(uint32_t index)
{
    char *magazines = (char *)heap_cpus[percpu_index()]->magazines;
    return (struct magazine *)(void *)(magazines + (size_t)index * sizeof(struct magazine));
}

// What owner gets: a program's malloc says why it is none.
static void *block_answer(void *block, enum heap_owner owner)
{
    if (block == NULL && owner == HEAP_OF_PROGRAM) {
        heap_program_exhausted();
    }
    return block;
}

// Interrupts are off since irq was saved.
static __attribute__((noinline)) void *small_alloc_slow(struct magazine *magazine, uint32_t index,
                                                        uintptr_t irq, enum heap_owner owner)
{
    struct block *block = block_refill(magazine, index);
    hal_irq_restore(irq);
    MARK_ALLOCATED(block, classes[index].size);
    return block_answer(block, owner);
}

// Programs run with interrupts on: their state need not be asked for.
static inline uintptr_t irq_off(enum heap_owner owner)
{
    uintptr_t irq = hal_irq_save();
    return owner == HEAP_OF_PROGRAM ? 0 : irq;
}

static inline void *small_alloc(uint32_t index, enum heap_owner owner)
{
    uintptr_t irq = irq_off(owner);
    struct magazine *magazine = magazine_mine(index);
    struct block *block = magazine->loaded;
    if (__builtin_expect(block == NULL, 0)) {
        return small_alloc_slow(magazine, index, irq, owner);
    }
    uint32_t room = magazine->room;
    magazine->loaded = block->next;
    magazine->room = room + 1;
    hal_irq_restore(irq);
    MARK_ALLOCATED(block, classes[index].size);
    return block;
}

static void block_put(struct magazine *magazine, struct block *block)
{
    block->next = magazine->loaded;
    magazine->loaded = block;
    magazine->room--;
}

// Interrupts are off since irq was saved.
static __attribute__((noinline)) void small_free_slow(struct block *block, uint32_t index,
                                                      struct magazine *magazine, uintptr_t irq)
{
    ASSERT(magazine->loaded != block); // freed twice
    magazine_rotate(magazine, index);
    block_put(magazine, block);
    hal_irq_restore(irq);
}

static inline void small_free(struct block *block, uint32_t index, enum heap_owner owner)
{
    uintptr_t irq = irq_off(owner);
    struct magazine *magazine = magazine_mine(index);
    struct block *loaded = magazine->loaded;
    uint32_t room = magazine->room;
    if (__builtin_expect(room == 0 || loaded == block, 0)) {
        small_free_slow(block, index, magazine, irq);
        return;
    }
    block->next = loaded;
    magazine->loaded = block;
    magazine->room = room - 1;
    hal_irq_restore(irq);
}

static bool is_checked(void)
{
    return small_end == 0;
}

void *plain_alloc(size_t size)
{
    return size > HEAP_SMALL_MAX ? large_alloc(size, HEAP_ALIGNMENT, false)
                                 : small_alloc(class_of(size), HEAP_OF_CORE);
}

void *plain_alloc_zeroed(size_t size)
{
    if (size > HEAP_SMALL_MAX) {
        return large_alloc(size, HEAP_ALIGNMENT, true);
    }
    void *block = small_alloc(class_of(size), HEAP_OF_CORE);
    return block == NULL ? NULL : memset(block, 0, size);
}

// Sizes that class_fine lacks, and all where a checker watches.
static __attribute__((noinline)) void *alloc_slow(size_t size, bool zeroed, enum heap_owner owner)
{
    if (is_checked()) {
        return block_answer(checked_alloc(size, HEAP_ALIGNMENT, zeroed, owner), owner);
    }
    if (size >= small_end) {
        return block_answer(large_alloc(size, HEAP_ALIGNMENT, zeroed), owner);
    }
    void *block = small_alloc(class_of(size), owner);
    return block == NULL || !zeroed ? block : memset(block, 0, size);
}

static inline void *alloc(size_t size, bool zeroed, enum heap_owner owner)
{
    if (__builtin_expect(size >= fine_end, 0)) {
        return alloc_slow(size, zeroed, owner);
    }
    void *block = small_alloc(class_fine[(size + 15) / 16], owner);
    return block == NULL || !zeroed ? block : memset(block, 0, size);
}

// Units are aligned to their size, so a class whose size is a multiple of alignment has only
// aligned blocks.
static void *alloc_aligned(size_t alignment, size_t size, enum heap_owner owner)
{
    ASSERT(alignment != 0 && (alignment & (alignment - 1)) == 0);
    if (is_checked()) {
        return block_answer(checked_alloc(size, alignment, false, owner), owner);
    }
    if (alignment <= HEAP_ALIGNMENT) {
        return alloc(size, false, owner);
    }
    if (size <= HEAP_SMALL_MAX && alignment <= HAL_PAGE_SIZE) {
        for (uint32_t i = class_of(size); i < CLASS_COUNT; ++i) {
            if (classes[i].size % alignment == 0) {
                return small_alloc(i, owner);
            }
        }
    }
    return block_answer(large_alloc(size, alignment, false), owner);
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

// What the unit of a small or directly mapped block says.
static uint32_t block_unit(const void *block)
{
    uint32_t unit = *unit_of(block);
    ASSERT(unit != 0); // not a block
    return unit;
}

static __attribute__((noinline)) void large_or_none_free(void *block, uint32_t unit)
{
    ASSERT(unit != 0); // not a block
    large_free(block);
}

static inline void direct_free(void *block, enum heap_owner owner)
{
    uint32_t unit = *unit_of(block);
    if (__builtin_expect(unit - UNIT_CLASS >= CLASS_COUNT, 0)) {
        large_or_none_free(block, unit);
        return;
    }
    small_free(block, unit - UNIT_CLASS, owner);
}

void plain_free(void *block)
{
    if (unit_is_direct(block)) {
        direct_free(block, HEAP_OF_CORE);
    } else {
        large_free(block);
    }
}

static __attribute__((noinline)) void free_slow(void *block)
{
    if (block == NULL) {
        return;
    }
    if (is_checked()) {
        checked_free(block);
    } else {
        large_free(block);
    }
}

// NULL is not in the direct map.
static inline void free_of(void *block, enum heap_owner owner)
{
    MARK_FREED(block);
    if (__builtin_expect((uintptr_t)block - (uintptr_t)unit_table.base >= direct_size, 0)) {
        free_slow(block);
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
    if (!unit_is_direct(block)) {
        return large_size(block);
    }
    uint32_t unit = block_unit(block);
    return unit >= UNIT_LARGE ? large_size(block) : classes[unit - UNIT_CLASS].size;
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
    return copy;
}

// Checked blocks all lie in the direct map.
void heap_large_register(const struct heap_large *large)
{
    if (!is_checked()) {
        large_register(large);
    }
}

// ---- Boot ----------------------------------------------------------------

// The fewest units that lose less than a 32nd, or the best.
static uint32_t span_units(uint32_t size)
{
    uint32_t best = 1, best_loss = UINT32_MAX;
    for (uint32_t units = 1; units <= SPAN_UNITS_MAX; ++units) {
        uint32_t loss = units * UNIT_SIZE % size * 32 / units;
        if (units * UNIT_SIZE >= size && loss < best_loss) {
            best = units;
            best_loss = loss;
        }
        if (best_loss < UNIT_SIZE) {
            break;
        }
    }
    return best;
}

static void class_init(uint32_t index, uint32_t size)
{
    uint32_t count = CHAIN_BYTES / size;
    count = count > CHAIN_MAX ? CHAIN_MAX : count < CHAIN_MIN ? CHAIN_MIN : count;
    classes[index].size = size;
    classes[index].chain_count = count;
    classes[index].span_units = span_units(size);
}

static void classes_init(void)
{
    uint32_t index = 0;
    for (uint32_t size = 16; size <= 128; size += 16) {
        class_init(index++, size);
    }
    for (uint32_t base = 128; base < HEAP_SMALL_MAX; base *= 2) {
        for (uint32_t quarter = 5; quarter <= 8; ++quarter) {
            class_init(index++, base / 4 * quarter);
        }
    }
    ASSERT(index == CLASS_COUNT);
    index = 0;
    for (uint32_t i = 0; i < sizeof class_fine; ++i) {
        index += i * 16 > classes[index].size;
        class_fine[i] = (uint8_t)index;
    }
    index = 0;
    for (uint32_t i = 0; i < sizeof class_coarse; ++i) {
        while (i * 128 > classes[index].size) {
            ++index;
        }
        class_coarse[i] = (uint8_t)index;
    }
}

void heap_init(uint32_t cpu_count)
{
    classes_init();
    unit_init();
    size_t size = cpu_count * sizeof(struct heap_cpu);
    hal_phys start;
    int error = frame_alloc((size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, FRAME_ZERO, &start);
    ASSERT(error == 0);
    for (uint32_t i = 0; i < cpu_count; ++i) {
        heap_cpus[i] = (struct heap_cpu *)(void *)frame_address(start) + i;
    }
    large_init(cpu_count);
    if (frame_is_checked()) {
        checked_init(cpu_count);
    } else {
        fine_end = CLASS_FINE_MAX + 1;
        small_end = HEAP_SMALL_MAX + 1;
        direct_size = unit_table.size;
    }
}
