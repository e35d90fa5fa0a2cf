// SPDX-License-Identifier: BSD-3-Clause
// race_memory.h: what the race detector remembers of each piece of memory, and vector clocks.
//
// For every 8 bytes that were accessed: the last few accesses, and how much whoever reads an atomic
// variable there learns. It lies beside the machine, in memory that the host backs where it is
// touched.
#ifndef HAL_LINUX_SEED_RACE_MEMORY_H
#define HAL_LINUX_SEED_RACE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RACE_GRANULE = 8, RACE_CELLS = 4, RACE_PAGE = 4096 };
enum { RACE_PAGE_GRANULES = RACE_PAGE / RACE_GRANULE };

// ---- Vector clocks -------------------------------------------------------------

// known[i] is the number of the last access of actor i that is known about; 0 from count on.
struct clock {
    uint64_t *known;
    uint32_t count; // 0 or a power of two
};

static inline uint64_t clock_get(const struct clock *clock, uint32_t actor)
{
    return actor < clock->count ? clock->known[actor] : 0;
}

void clock_set(struct clock *clock, uint32_t actor, uint64_t number);
void clock_join(struct clock *clock, const struct clock *other);
void clock_clear(struct clock *clock);

// ---- Memory --------------------------------------------------------------------

enum race_level { RACE_BY_CPU, RACE_BY_CONTEXT, RACE_LEVELS };

// An access, in race.c's packing. when 0: none.
struct race_cell {
    uint64_t when, what;
};

// What is released by an atomic variable.
struct race_sync {
    uint32_t next;        // of the same 8 bytes; 0: none
    uint8_t offset, size; // in them
    struct clock clocks[RACE_LEVELS];
};

struct race_page {
    struct race_cell cells[RACE_PAGE_GRANULES][RACE_CELLS];
    uint32_t syncs[RACE_PAGE_GRANULES];
};

// Once. 0 or -errno.
int race_memory_init(void);

// NULL: no memory is left for it.
struct race_page *race_page_of(uintptr_t address);

// The first of a granule's; NULL: none.
struct race_sync *race_sync_at(uint32_t index);

// The one of exactly these bytes, made where there is none. NULL: no memory is left for it.
struct race_sync *race_sync_make(uint32_t *first, uint8_t offset, uint8_t size);

// As if [address, address + size) had never been accessed.
void race_memory_forget(uintptr_t address, size_t size);

#endif
