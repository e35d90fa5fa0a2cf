// SPDX-License-Identifier: BSD-3-Clause
// large.c: large blocks.
//
// Up to DIRECT_PAGES_MAX pages (and any size before core/vm is up) a block is a run of frames in
// the direct map, which costs no mapping: its first unit says how long it is. Sizes are rounded up
// to an eighth of a doubling, so that a few freed blocks kept per CPU serve the next allocations.
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
#include "core/mem/percpu.h"
#include "core/mem/unit.h"

enum {
    DIRECT_PAGES_MIN = 9,   // below, blocks are small, or only here for their alignment
    DIRECT_PAGES_MAX = 256, // 1 MiB
    DIRECT_CLASSES = 40,    // 9, 10 .. 16, 18 .. 32, .. 256 pages
    DIRECT_KEPT = 8 << 20,  // bytes kept per CPU, at most
    MAPPED_UNIT = 64 << 10, // mappings are multiples of this
    MAPPED_KEPT = 32 << 20, // bytes kept in all, at most
    MAPPED_SLOTS = 8,
    MAPPED_MAGIC = 0x6c61,
};

struct large_block {
    struct large_block *next;
};

// Its CPU's, interrupts off.
struct large_cpu {
    _Alignas(64) struct large_block *free[DIRECT_CLASSES];
    size_t free_size;
};

// Just before a block that is a mapping.
struct large_header {
    size_t size;   // of the mapping
    uint32_t lead; // from the mapping's start to the block
    uint32_t magic;
};

_Static_assert(sizeof(struct large_header) == HEAP_ALIGNMENT, "keeps the block aligned");

static struct large_cpu *large_cpus;
static size_t direct_kept; // per CPU
static _Atomic(const struct heap_large *) mapper;

// Owned by who takes a header out.
static _Atomic(struct large_header *) mapped_slots[MAPPED_SLOTS];
static _Atomic size_t mapped_kept;

// unit is a power of two.
static size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

// ---- Runs of frames ------------------------------------------------------

// Rounds pages up to its class. DIRECT_PAGES_MIN <= pages <= DIRECT_PAGES_MAX.
static uint32_t direct_class(size_t *pages)
{
    uint32_t shift =
        60 - (uint32_t)__builtin_clzll(*pages - 1); // of a step: an eighth of the doubling
    *pages = round_up(*pages, (size_t)1 << shift);
    return shift * 8 + (uint32_t)(*pages >> shift) - 9;
}

static struct large_block *kept_take(uint32_t class, size_t size)
{
    uintptr_t irq = hal_irq_save();
    struct large_cpu *cpu = &large_cpus[percpu_index()];
    struct large_block *block = cpu->free[class];
    if (block != NULL) {
        cpu->free[class] = block->next;
        cpu->free_size -= size;
    }
    hal_irq_restore(irq);
    return block;
}

// False: there are enough.
static bool kept_put(struct large_block *block, uint32_t class, size_t size)
{
    uintptr_t irq = hal_irq_save();
    struct large_cpu *cpu = &large_cpus[percpu_index()];
    bool fits = cpu->free_size + size <= direct_kept;
    if (fits) {
        block->next = cpu->free[class];
        cpu->free[class] = block;
        cpu->free_size += size;
    }
    hal_irq_restore(irq);
    return fits;
}

// Gives this CPU's kept blocks back. True: there were some.
static bool kept_drain(void)
{
    bool found = false;
    for (uint32_t class = 0; class < DIRECT_CLASSES; ++class) {
        size_t base = (size_t)8 << class / 8;
        size_t pages = base + base / 8 * (class % 8 + 1);
        struct large_block *block;
        while ((block = kept_take(class, pages * HAL_PAGE_SIZE)) != NULL) {
            frame_free(frame_of(block), pages);
            found = true;
        }
    }
    return found;
}

// Takes pages frames at a multiple of alignment (at most 2 MiB) and of UNIT_SIZE.
static char *frames_take(size_t pages, size_t alignment, bool zeroed)
{
    size_t least =
        alignment / HAL_PAGE_SIZE > DIRECT_PAGES_MIN ? alignment / HAL_PAGE_SIZE : DIRECT_PAGES_MIN;
    size_t count = pages > least ? pages : least;
    hal_phys start;
    unsigned flags = zeroed ? FRAME_ZERO : 0;
    if (frame_alloc(count, flags, &start) != 0) {
        if (!kept_drain() || frame_alloc(count, flags, &start) != 0) {
            return NULL;
        }
    }
    if (count > pages) {
        frame_free(start + pages * HAL_PAGE_SIZE, count - pages);
    }
    return frame_address(start);
}

static void *direct_alloc(size_t size, size_t alignment, bool zeroed)
{
    size_t pages = round_up(size, HAL_PAGE_SIZE) / HAL_PAGE_SIZE;
    pages = pages < DIRECT_PAGES_MIN ? DIRECT_PAGES_MIN : pages;
    char *block = NULL;
    if (pages <= DIRECT_PAGES_MAX) {
        uint32_t class = direct_class(&pages);
        if (alignment <= UNIT_SIZE) {
            block = (char *)kept_take(class, pages * HAL_PAGE_SIZE);
        }
        if (block != NULL && zeroed) {
            memset(block, 0, size);
        }
    }
    if (block == NULL) {
        block = frames_take(pages, alignment, zeroed);
    }
    if (block != NULL) {
        *unit_of(block) = (uint32_t)(UNIT_LARGE * pages);
    }
    return block;
}

// The unit of a large block in the direct map.
static size_t direct_pages(const void *block)
{
    ASSERT((uintptr_t)block % UNIT_SIZE == 0);
    uint32_t unit = *unit_of(block);
    ASSERT(unit >= UNIT_LARGE);
    return unit / UNIT_LARGE;
}

static void direct_free(void *block)
{
    size_t pages = direct_pages(block);
    *unit_of(block) = 0;
    if (pages >= DIRECT_PAGES_MIN && pages <= DIRECT_PAGES_MAX) {
        size_t rounded = pages;
        uint32_t class = direct_class(&rounded);
        if (rounded == pages && kept_put(block, class, pages * HAL_PAGE_SIZE)) {
            return;
        }
    }
    frame_free(frame_of(block), pages);
}

// Shrinks in place.
static void *direct_realloc(void *block, size_t size)
{
    size_t old_pages = direct_pages(block);
    size_t pages = round_up(size, HAL_PAGE_SIZE) / HAL_PAGE_SIZE;
    pages = pages < DIRECT_PAGES_MIN ? DIRECT_PAGES_MIN : pages;
    if (pages <= DIRECT_PAGES_MAX) {
        (void)direct_class(&pages);
    }
    if (pages > old_pages) {
        return NULL;
    }
    if (pages < old_pages) {
        *unit_of(block) = (uint32_t)(UNIT_LARGE * pages);
        frame_free(frame_of(block) + pages * HAL_PAGE_SIZE, old_pages - pages);
    }
    return block;
}

// ---- Mappings ------------------------------------------------------------

static struct large_header *header_of(const void *block)
{
    struct large_header *header = (struct large_header *)(uintptr_t)block - 1;
    ASSERT(header->magic == MAPPED_MAGIC); // not a block
    return header;
}

static char *header_base(struct large_header *header)
{
    return (char *)(header + 1) - header->lead;
}

static void *header_set(char *base, size_t size, size_t lead)
{
    struct large_header *header = (struct large_header *)(void *)(base + lead) - 1;
    *header = (struct large_header){size, (uint32_t)lead, MAPPED_MAGIC};
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

static void mapped_free(struct large_header *header)
{
    if (!mapped_keep(header)) {
        const struct heap_large *large = atomic_load(&mapper);
        large->unmap(header_base(header), header->size);
    }
}

// A kept mapping of size bytes, or a quarter more.
static struct large_header *mapped_take(size_t size)
{
    for (uint32_t i = 0; i < MAPPED_SLOTS && atomic_load(&mapped_kept) >= size; ++i) {
        struct large_header *header = atomic_exchange(&mapped_slots[i], NULL);
        if (header == NULL) {
            continue;
        }
        atomic_fetch_sub(&mapped_kept, header->size);
        if (header->size >= size && header->size - size <= size / 4) {
            return header;
        }
        mapped_free(header);
    }
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
    return base == NULL ? NULL : header_set(base, mapped, sizeof *header);
}

// ---- Both ----------------------------------------------------------------

void *large_alloc(size_t size, size_t alignment, bool zeroed)
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

void large_free(void *block)
{
    if (unit_is_direct(block)) {
        direct_free(block);
        return;
    }
    struct large_header *header = header_of(block);
    mapped_free(header);
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

void large_register(const struct heap_large *large)
{
    atomic_store(&mapper, large);
}

void large_init(uint32_t cpu_count)
{
    hal_phys start;
    size_t size = round_up(cpu_count * sizeof(struct large_cpu), HAL_PAGE_SIZE);
    int error = frame_alloc(size / HAL_PAGE_SIZE, FRAME_ZERO, &start);
    ASSERT(error == 0);
    large_cpus = (struct large_cpu *)(void *)frame_address(start);
    size_t share = frame_total_count() / 32 / cpu_count * HAL_PAGE_SIZE;
    direct_kept = share < DIRECT_KEPT ? share : DIRECT_KEPT;
}
