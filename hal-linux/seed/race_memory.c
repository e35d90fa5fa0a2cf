// SPDX-License-Identifier: BSD-3-Clause
// race_memory.c: a table with a word for each page of the address space leads to what is remembered
// of the page; pieces of one size that are free are chained.
#include "hal-linux/seed/race_memory.h"

#include <errno.h>
#include <sys/mman.h>

#include "hal-linux/syscall.h"

enum {
    ADDRESS_BITS = 47,
    PAGE_BITS = 12,
    PAGES_MAX = 1 << 18, // 1 GiB of memory that is accessed, in 8.5 GiB
    SYNCS_MAX = 1 << 24,
    CLOCK_SIZES = 12, // 1 .. 2048 actors
    CLOCK_COUNT_MIN = 4,
};

#define CLOCKS_SIZE (16ul << 30)

static uint32_t *pages_of; // by page of the address space: index in pages, 0: none
static struct race_page *pages;
static uint32_t page_end = 1, page_free; // a free page's first sync is the next one

static struct race_sync *syncs;
static uint32_t sync_end = 1, sync_free;

static uint64_t *clocks, *clocks_end;
static uint64_t *clock_free[CLOCK_SIZES]; // by log2 of the count; the first word leads on

static void *reserve(size_t size)
{
    long at = syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at < 0 && at >= -4095 ? NULL : (void *)at;
}

int race_memory_init(void)
{
    pages_of = reserve(sizeof *pages_of << (ADDRESS_BITS - PAGE_BITS));
    pages = reserve(PAGES_MAX * sizeof *pages);
    syncs = reserve(SYNCS_MAX * sizeof *syncs);
    clocks = reserve(CLOCKS_SIZE);
    clocks_end = clocks;
    return pages_of == NULL || pages == NULL || syncs == NULL || clocks == NULL ? -ENOMEM : 0;
}

// ---- Vector clocks -------------------------------------------------------------

static uint32_t log_of(uint32_t count)
{
    return (uint32_t)__builtin_ctz(count);
}

// Grows clock to at least count, which must not be 0. Where no memory is left it stays as it is.
static void clock_grow(struct clock *clock, uint32_t count)
{
    uint32_t size = CLOCK_COUNT_MIN;
    while (size < count) {
        size *= 2;
    }
    uint64_t *words = clock_free[log_of(size)];
    if (words != NULL) {
        clock_free[log_of(size)] = (uint64_t *)words[0];
    } else if ((size_t)(clocks_end - clocks) + size <= CLOCKS_SIZE / sizeof *clocks) {
        words = clocks_end;
        clocks_end += size;
    } else {
        return;
    }
    for (uint32_t i = 0; i < size; ++i) {
        words[i] = clock_get(clock, i);
    }
    clock_clear(clock);
    *clock = (struct clock){words, size};
}

void clock_clear(struct clock *clock)
{
    if (clock->count != 0) {
        clock->known[0] = (uint64_t)clock_free[log_of(clock->count)];
        clock_free[log_of(clock->count)] = clock->known;
    }
    *clock = (struct clock){0};
}

void clock_set(struct clock *clock, uint32_t actor, uint64_t number)
{
    if (actor >= clock->count) {
        clock_grow(clock, actor + 1);
    }
    if (actor < clock->count) {
        clock->known[actor] = number;
    }
}

void clock_join(struct clock *clock, const struct clock *other)
{
    if (other->count > clock->count) {
        clock_grow(clock, other->count);
    }
    for (uint32_t i = 0; i < other->count && i < clock->count; ++i) {
        if (other->known[i] > clock->known[i]) {
            clock->known[i] = other->known[i];
        }
    }
}

// ---- Pages ---------------------------------------------------------------------

static void page_clear(struct race_page *page)
{
    uint64_t *words = (uint64_t *)page;
    for (size_t i = 0; i < sizeof *page / sizeof *words; ++i) {
        words[i] = 0;
    }
}

static uint32_t page_take(void)
{
    uint32_t index = page_free;
    if (index != 0) {
        page_free = pages[index].syncs[0];
        page_clear(&pages[index]);
        return index;
    }
    return page_end < PAGES_MAX ? page_end++ : 0;
}

struct race_page *race_page_of(uintptr_t address)
{
    uint32_t *index = &pages_of[address >> PAGE_BITS];
    if (*index == 0) {
        *index = page_take();
    }
    return *index == 0 ? NULL : &pages[*index];
}

struct race_sync *race_sync_at(uint32_t index)
{
    return index == 0 ? NULL : &syncs[index];
}

struct race_sync *race_sync_make(uint32_t *first, uint8_t offset, uint8_t size)
{
    for (uint32_t i = *first; i != 0; i = syncs[i].next) {
        if (syncs[i].offset == offset && syncs[i].size == size) {
            return &syncs[i];
        }
    }
    uint32_t index = sync_free;
    if (index != 0) {
        sync_free = syncs[index].next;
    } else if (sync_end < SYNCS_MAX) {
        index = sync_end++;
    } else {
        return NULL;
    }
    syncs[index] = (struct race_sync){.next = *first, .offset = offset, .size = size};
    *first = index;
    return &syncs[index];
}

static void syncs_free(uint32_t *first)
{
    while (*first != 0) {
        uint32_t index = *first;
        *first = syncs[index].next;
        for (int level = 0; level < RACE_LEVELS; ++level) {
            clock_clear(&syncs[index].clocks[level]);
        }
        syncs[index].next = sync_free;
        sync_free = index;
    }
}

static void page_forget(uint32_t *index)
{
    struct race_page *page = &pages[*index];
    for (int i = 0; i < RACE_PAGE_GRANULES; ++i) {
        syncs_free(&page->syncs[i]);
    }
    page->syncs[0] = page_free;
    page_free = *index;
    *index = 0;
}

static void granules_forget(struct race_page *page, uintptr_t offset, size_t size)
{
    for (uintptr_t i = offset / RACE_GRANULE; i < (offset + size) / RACE_GRANULE; ++i) {
        for (int cell = 0; cell < RACE_CELLS; ++cell) {
            page->cells[i][cell] = (struct race_cell){0};
        }
        syncs_free(&page->syncs[i]);
    }
}

void race_memory_forget(uintptr_t address, size_t size)
{
    uintptr_t end = address + size;
    while (address < end && end >> ADDRESS_BITS == 0) {
        uint32_t *index = &pages_of[address >> PAGE_BITS];
        uintptr_t offset = address % RACE_PAGE;
        size_t part = RACE_PAGE - offset < end - address ? RACE_PAGE - offset : end - address;
        if (*index != 0 && part == RACE_PAGE) {
            page_forget(index);
        } else if (*index != 0) {
            granules_forget(&pages[*index], offset, part);
        }
        address += part;
    }
}
