// SPDX-License-Identifier: BSD-3-Clause
// large.c: large blocks.
//
// Up to DIRECT_PAGES_MAX pages (and any size before core/vm is up) a block is a run of frames in
// the direct map, which costs no mapping: its first unit says how long it is. Sizes are rounded up
// to an eighth of a doubling, so that a few freed blocks kept per CPU serve the next allocations.
// Free ones are chained like small blocks: magazine.h. Who needs frames first gives back as many of
// what is kept: so a program does not grow by what it does not use.
//
// Beyond that a block is a mapping of its own, with a header before the block, so that it can grow
// by moving pages. A few freed mappings are kept too: programs that allocate and free one large
// buffer again and again pay for it once.
#include "core/mem/large.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/large_kept.h"
#include "core/mem/magazine.h"
#include "core/mem/percpu.h"
#include "core/mem/unit.h"

enum {
    DIRECT_KEPT = 16 << 20,        // bytes kept per CPU, at most
    DIRECT_UNCLASSED = UINT16_MAX, // in a unit's note: the next two have the number of pages
    MAPPED_UNIT = 64 << 10,        // mappings are multiples of this
    MAPPED_KEPT = 32 << 20,        // bytes kept in all, at most
    MAPPED_SLOTS = 8,
    MAPPED_MAGIC = 0x6c61,
};

// Just before a block that is a mapping.
struct large_header {
    size_t size;    // of the mapping
    uint32_t lead;  // from the mapping's start to the block
    uint32_t magic; // of this address
};

_Static_assert(sizeof(struct large_header) == HEAP_ALIGNMENT, "keeps the block aligned");

size_t large_class_sizes[LARGE_CLASSES];
static size_t direct_kept; // per CPU
static _Atomic(const struct heap_large *) mapper;

// Owned by who takes a header out.
static _Atomic(struct large_header *) mapped_slots[MAPPED_SLOTS];
static _Atomic size_t mapped_kept;

_Atomic bool large_has_grown; // the heap has taken frames since mappings were last looked at

// Of those in use.
static _Atomic size_t mapped_bytes, mapped_count, mapped_bytes_most, mapped_count_most;

// unit is a power of two.
static size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

// ---- Runs of frames ------------------------------------------------------

static inline size_t class_pages(uint32_t class)
{
    return class < 16 ? class + 1 : (size_t)(class % 8 + 9) << (class / 8 - 1);
}

// False: there are enough.
static inline bool kept_put(struct block *block, uint32_t class)
{
    uintptr_t irq = hal_irq_save();
    struct large_cpu *cpu = &percpu_heap()->large;
    size_t size = large_class_sizes[class];
    bool fits = cpu->free_size + size <= direct_kept;
    if (fits) {
        cpu->used_size -= size;
        block->link = cpu->free[class] == NULL ? link_none() : link_to(cpu->free[class]);
        cpu->free[class] = block;
        cpu->free_size += size;
        cpu->free_count++;
    }
    hal_irq_restore(irq);
    return fits;
}

// Of blocks that did not come from, or go to, what is kept.
static void used_add(size_t size)
{
    uintptr_t irq = hal_irq_save();
    percpu_heap()->large.used_size += size;
    hal_irq_restore(irq);
}

static bool kept_is_none(void)
{
    uintptr_t irq = hal_irq_save();
    bool is_none = percpu_heap()->large.free_size == 0;
    hal_irq_restore(irq);
    return is_none;
}

size_t large_drain(size_t wanted)
{
    size_t drained = 0;
    for (uint32_t class = LARGE_CLASSES; class -- > 0 && drained < wanted && !kept_is_none();) {
        size_t size = large_class_sizes[class];
        struct block *block;
        while (drained < wanted && (block = large_kept_take(class)) != NULL) {
            used_add(0 - size);
            frame_free(frame_of(block), size / HAL_PAGE_SIZE);
            drained += size;
        }
    }
    return drained;
}

// Takes pages frames at a multiple of alignment (at most 2 MiB).
static char *frames_take(size_t pages, size_t alignment, bool zeroed)
{
    size_t least = alignment / HAL_PAGE_SIZE;
    size_t count = pages > least ? pages : least;
    hal_phys start;
    unsigned flags = zeroed ? FRAME_ZERO : 0;
    (void)large_drain(count * HAL_PAGE_SIZE);
    if (frame_alloc(count, flags, &start) != 0) {
        if (large_drain(SIZE_MAX) == 0 || frame_alloc(count, flags, &start) != 0) {
            return NULL;
        }
    }
    if (count > pages) {
        frame_free(start + pages * HAL_PAGE_SIZE, count - pages);
    }
    return frame_address(start);
}

static inline bool direct_is_block(const void *block)
{
    return (uintptr_t)block % UNIT_SIZE == 0 &&
           unit_of(block)->magazine == MAGAZINE_LARGE * sizeof(struct magazine);
}

static size_t direct_pages(const void *block)
{
    const struct unit *unit = unit_of(block);
    ASSERT(direct_is_block(block));
    return unit->note != DIRECT_UNCLASSED ? class_pages(unit->note)
                                          : unit[1].note | (size_t)unit[2].note << 16;
}

static inline void units_clear(const void *block)
{
    struct unit *unit = unit_of(block);
    if (unit->note == DIRECT_UNCLASSED) {
        unit[1] = unit[2] = (struct unit){0, 0};
    }
    *unit = (struct unit){0, 0};
}

static __attribute__((noinline)) void *direct_alloc_fresh(size_t pages, size_t alignment,
                                                          bool zeroed)
{
    uint32_t class = pages > DIRECT_PAGES_MAX ? DIRECT_UNCLASSED : large_class(pages);
    pages = class == DIRECT_UNCLASSED ? pages : class_pages(class);
    char *block = frames_take(pages, alignment, zeroed);
    if (block == NULL) {
        return NULL;
    }
    large_grow();
    large_mark(block, class);
    if (class == DIRECT_UNCLASSED) {
        unit_of(block)[1] = (struct unit){0, (uint16_t)pages};
        unit_of(block)[2] = (struct unit){0, (uint16_t)(pages >> 16)};
    }
    return block;
}

static void *direct_alloc(size_t size, size_t alignment, bool zeroed)
{
    void *fresh = direct_alloc_fresh(large_pages(size), alignment, zeroed);
    if (fresh != NULL) {
        used_add(direct_pages(fresh) * HAL_PAGE_SIZE);
    }
    return fresh;
}

static __attribute__((noinline)) void direct_free_frames(void *block, size_t pages)
{
    used_add(0 - pages * HAL_PAGE_SIZE);
    frame_free(frame_of(block), pages);
}

// False: not a block.
static inline bool direct_free(void *block)
{
    if (!direct_is_block(block)) {
        return false;
    }
    uint32_t class = unit_of(block)->note;
    if (class == DIRECT_UNCLASSED) {
        size_t pages = direct_pages(block);
        units_clear(block);
        direct_free_frames(block, pages);
        return true;
    }
    units_clear(block);
    if (!kept_put(block, class)) {
        direct_free_frames(block, class_pages(class));
    }
    return true;
}

// Shrinks in place.
static void *direct_realloc(void *block, size_t size)
{
    size_t old_pages = direct_pages(block), pages = large_pages(size);
    if (pages > DIRECT_PAGES_MAX) {
        return NULL; // of the same size, too, which heap.c has seen
    }
    uint32_t class = large_class(pages);
    pages = class_pages(class);
    if (pages > old_pages) {
        return NULL;
    }
    if (pages < old_pages) {
        units_clear(block);
        large_mark(block, class);
        used_add(0 - (old_pages - pages) * HAL_PAGE_SIZE);
        frame_free(frame_of(block) + pages * HAL_PAGE_SIZE, old_pages - pages);
    }
    return block;
}

// ---- Mappings ------------------------------------------------------------

static uint32_t header_magic(const struct large_header *header)
{
    return (uint32_t)(link_to((const struct block *)(const void *)header) >> 4) ^ MAPPED_MAGIC;
}

// NULL: not a block. It may be any address.
static struct large_header *header_find(const void *block)
{
    struct large_header *header = (struct large_header *)(uintptr_t)block - 1, copy;
    bool is_block = (uintptr_t)block % HEAP_ALIGNMENT == 0 &&
                    hal_copy_safe(&copy, header, sizeof copy) == 0 &&
                    copy.magic == header_magic(header);
    return is_block ? header : NULL;
}

static struct large_header *header_of(const void *block)
{
    struct large_header *header = (struct large_header *)(uintptr_t)block - 1;
    ASSERT(header->magic == header_magic(header)); // not a block
    return header;
}

static char *header_base(struct large_header *header)
{
    return (char *)(header + 1) - header->lead;
}

static void most_raise(_Atomic size_t *most, size_t now)
{
    size_t before = atomic_load(most);
    while (now > before && !atomic_compare_exchange_weak(most, &before, now)) {
    }
}

// count more mappings are in use, and size more bytes: less, where these are negative as numbers.
static void mapped_used_add(size_t count, size_t size)
{
    most_raise(&mapped_count_most, atomic_fetch_add(&mapped_count, count) + count);
    most_raise(&mapped_bytes_most, atomic_fetch_add(&mapped_bytes, size) + size);
}

static void *header_set(char *base, size_t size, size_t lead)
{
    struct large_header *header = (struct large_header *)(void *)(base + lead) - 1;
    *header = (struct large_header){size, (uint32_t)lead, header_magic(header)};
    mapped_used_add(1, size);
    return header + 1;
}

// False: no room.
static bool mapped_keep(struct large_header *header)
{
    size_t size = header->size;
    if (header->lead != sizeof *header || size > MAPPED_KEPT / 2 ||
        atomic_fetch_add(&mapped_kept, size) + size > MAPPED_KEPT) {
        if (header->lead == sizeof *header && size <= MAPPED_KEPT / 2) {
            atomic_fetch_sub(&mapped_kept, size);
        }
        return false;
    }
    for (uint32_t i = 0; i < MAPPED_SLOTS; ++i) {
        struct large_header *none = NULL;
        // seq_cst: release here, acquire in mapped_take.
        if (atomic_compare_exchange_strong(&mapped_slots[i], &none, header)) {
            return true;
        }
    }
    atomic_fetch_sub(&mapped_kept, size);
    return false;
}

static void mapped_unmap(struct large_header *header)
{
    const struct heap_large *large = atomic_load(&mapper);
    large->unmap(header_base(header), header->size);
}

static void mapped_free(struct large_header *header)
{
    if (!mapped_keep(header)) {
        mapped_unmap(header);
    }
}

static struct large_header *slot_take(uint32_t slot)
{
    struct large_header *header = atomic_exchange(&mapped_slots[slot], NULL);
    if (header != NULL) {
        atomic_fetch_sub(&mapped_kept, header->size);
    }
    return header;
}

// Unmaps what is kept, of so many bytes or more if there are.
static size_t mapped_drain(size_t wanted)
{
    size_t drained = 0;
    for (uint32_t i = 0; i < MAPPED_SLOTS && drained < wanted; ++i) {
        struct large_header *header = slot_take(i);
        if (header != NULL) {
            drained += header->size;
            mapped_unmap(header);
        }
    }
    return drained;
}

// A kept mapping of size bytes, or an eighth more. NULL: there is none, and as many bytes have gone
// as there are to come.
static struct large_header *mapped_take(size_t size)
{
    for (uint32_t i = 0; i < MAPPED_SLOTS && atomic_load(&mapped_kept) >= size; ++i) {
        struct large_header *header = slot_take(i);
        if (header == NULL) {
            continue;
        }
        if (header->size >= size && header->size - size <= size / 8) {
            return header;
        }
        mapped_free(header);
    }
    (void)mapped_drain(size);
    return NULL;
}

// Maps size bytes and alignment more, and gives back what is in front and behind.
static void *mapped_alloc_aligned(const struct heap_large *large, size_t size, size_t alignment)
{
    size_t whole = round_up(size + alignment + sizeof(struct large_header), HAL_PAGE_SIZE);
    char *base = large->map(whole, HAL_PAGE_SIZE);
    if (base == NULL) {
        return NULL;
    }
    uintptr_t header_end = (uintptr_t)base + sizeof(struct large_header);
    char *block = base + (round_up(header_end, alignment) - (uintptr_t)base);
    size_t front =
        (size_t)(block - sizeof(struct large_header) - base) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    size_t end = round_up((size_t)(block + size - base), HAL_PAGE_SIZE);
    if (front > 0) {
        large->unmap(base, front);
    }
    if (end < whole) {
        large->unmap(base + end, whole - end);
    }
    return header_set(base + front, end - front, (size_t)(block - base) - front);
}

static void *mapped_alloc(size_t size, size_t alignment, bool zeroed)
{
    const struct heap_large *large = atomic_load(&mapper);
    if (large == NULL) {
        return NULL;
    }
    if (alignment > HEAP_ALIGNMENT) {
        return mapped_alloc_aligned(large, size, alignment);
    }
    size_t mapped = round_up(size + sizeof(struct large_header), MAPPED_UNIT);
    struct large_header *kept = mapped_take(mapped);
    if (kept != NULL) {
        kept->magic = header_magic(kept);
        mapped_used_add(1, kept->size);
        return zeroed ? memset(kept + 1, 0, size) : kept + 1;
    }
    char *base = large->map(mapped, HAL_PAGE_SIZE);
    return base == NULL ? NULL : header_set(base, mapped, sizeof(struct large_header));
}

static void *mapped_realloc(void *block, size_t size)
{
    struct large_header *header = header_of(block);
    size_t old_mapped = header->size;
    size_t mapped = round_up(size + sizeof *header, MAPPED_UNIT);
    if (header->lead != sizeof *header || mapped <= DIRECT_PAGES_MAX * HAL_PAGE_SIZE) {
        return NULL;
    }
    if (mapped == old_mapped) {
        return block;
    }
    const struct heap_large *large = atomic_load(&mapper);
    char *base = large->remap(header_base(header), old_mapped, mapped);
    if (base == NULL) {
        return NULL;
    }
    mapped_used_add((size_t)-1, 0 - old_mapped);
    return header_set(base, mapped, sizeof *header);
}

// ---- Both ----------------------------------------------------------------

static __attribute__((noinline)) void *alloc_not_kept(size_t size, size_t alignment, bool zeroed)
{
    if (size > SIZE_MAX / 4 || alignment > SIZE_MAX / 4) {
        return NULL;
    }
    bool is_mappable = atomic_load(&mapper) != NULL;
    bool is_direct =
        alignment <= 2 << 20 && (size <= DIRECT_PAGES_MAX * HAL_PAGE_SIZE || !is_mappable);
    void *block = is_direct ? direct_alloc(size, alignment, zeroed) : NULL;
    block = block == NULL ? mapped_alloc(size, alignment, zeroed) : block;
    MARK_ALLOCATED(block, size);
    return block;
}

void *large_alloc(size_t size, size_t alignment, bool zeroed)
{
    void *block = large_alloc_kept(size, alignment, zeroed);
    return block != NULL ? block : alloc_not_kept(size, alignment, zeroed);
}

bool large_free(void *block)
{
    if (unit_is_direct(block)) {
        return direct_free(block);
    }
    struct large_header *header = header_find(block);
    if (header == NULL) {
        return false;
    }
    header->magic = 0;
    mapped_used_add((size_t)-1, 0 - header->size);
    mapped_free(header);
    return true;
}

size_t large_size(const void *block)
{
    if (unit_is_direct(block)) {
        return direct_pages(block) * HAL_PAGE_SIZE;
    }
    const struct large_header *header = header_of(block);
    return header->size - header->lead;
}

void *large_realloc(void *block, size_t size)
{
    if (size > SIZE_MAX / 4) {
        return NULL;
    }
    return unit_is_direct(block) ? direct_realloc(block, size) : mapped_realloc(block, size);
}

static MARK_GUESS void cpu_count_add(struct heap_counts *counts, const struct large_cpu *cpu)
{
    counts->taken += cpu->used_size + cpu->free_size;
    counts->used += cpu->used_size; // wraps: one CPU may have freed what another allocated
    counts->free_count += cpu->free_count;
    counts->idle += cpu->free_size;
}

void large_count(struct heap_counts *counts)
{
    for (uint32_t i = 0; i < HAL_CPU_MAX && percpu_heaps[i] != NULL; ++i) {
        cpu_count_add(counts, &percpu_heaps[i]->large);
    }
    counts->mapped = atomic_load(&mapped_bytes);
    counts->mapped_count = atomic_load(&mapped_count);
    counts->mapped_most = atomic_load(&mapped_bytes_most);
    counts->mapped_count_most = atomic_load(&mapped_count_most);
    for (uint32_t i = 0; i < MAPPED_SLOTS; ++i) {
        counts->free_count += atomic_load(&mapped_slots[i]) != NULL;
    }
    counts->taken += atomic_load(&mapped_kept);
    counts->idle += atomic_load(&mapped_kept);
}

size_t large_unmap(void)
{
    return mapped_drain(SIZE_MAX);
}

void large_settle_grown(void)
{
    atomic_store_explicit(&large_has_grown, false, memory_order_relaxed);
    (void)mapped_drain(atomic_load(&mapped_kept));
    magazine_settle();
}

void large_register(const struct heap_large *large)
{
    atomic_store(&mapper, large);
}

void large_init(uint32_t cpu_count)
{
    for (uint32_t class = 0; class < LARGE_CLASSES; ++class) {
        large_class_sizes[class] = class_pages(class) * HAL_PAGE_SIZE;
    }
    size_t share = frame_total_count() / 16 / cpu_count * HAL_PAGE_SIZE;
    direct_kept = share < DIRECT_KEPT ? share : DIRECT_KEPT;
}
