// SPDX-License-Identifier: BSD-3-Clause
// frame_memory.h: what frame.c keeps, for frame_boot.c, which sets it up.
#ifndef CORE_MEM_FRAME_MEMORY_H
#define CORE_MEM_FRAME_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem/unit.h"
#include "hal/hal.h"

enum {
    AREA_SHIFT = 21,
    AREA_FRAMES = 512,
    AREA_WORDS = AREA_FRAMES / 64,
    AREA_UNITS = 1 << (AREA_SHIFT - UNIT_SHIFT),
    CACHE_MAX = 124, // single frames that a CPU keeps at most

    USED_COUNT = 0x3ff,
    USED_READY = 0x8000, // the area's bits and its counter are there
};

struct area {
    _Atomic uint64_t taken[AREA_WORDS];
    _Atomic uint64_t dirty[AREA_WORDS];
};

// Its CPU's, interrupts off.
struct frame_cache {
    _Alignas(64) uint32_t count;
    uint32_t hint; // the area that the last frames came from
    hal_phys frames[CACHE_MAX];
};

// Set by frame_init, then constant.
struct frame_memory {
    hal_phys first;
    size_t area_count;
    size_t total;
    char *direct_base;
    struct area *areas;
    _Atomic uint16_t *used;    // how many frames of each area
    uint32_t *units;           // unit.h's, AREA_UNITS for each area: zero once it is ready
    _Atomic uint64_t *claimed; // a bit for each area: it is fresh no more
    _Atomic uint64_t *ready;   // and one: so are its counter, its bits and its units
    struct frame_cache *caches;
    uint32_t cpu_count;
    bool memory_is_zero;
    bool is_checked;
};

extern struct frame_memory frame_memory;

// Frames [at, at + count) of one area.
struct span {
    size_t area;
    uint32_t at, count;
};

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

// The first part of the run of count frames at start that lies in one area.
static inline struct span span_of(hal_phys start, size_t count)
{
    uint64_t index = (start - frame_memory.first) / HAL_PAGE_SIZE;
    uint32_t at = index % AREA_FRAMES;
    return (struct span){index / AREA_FRAMES, at, (uint32_t)min_size(count, AREA_FRAMES - at)};
}

// The bits of word index that belong to span.
static inline uint64_t span_mask(const struct span *span, uint32_t index)
{
    uint32_t low = index * 64, high = low + 64;
    uint32_t from = span->at > low ? span->at : low;
    uint32_t to = span->at + span->count < high ? span->at + span->count : high;
    if (from >= to) {
        return 0;
    }
    return ~(uint64_t)0 >> (64 - (to - from)) << (from - low);
}

// How many frames of an area are taken, and USED_READY. 0 alone: it is fresh. AREA_FRAMES alone:
// somebody makes it ready, or none of it is ours.
static inline uint32_t used_load(size_t area)
{
    uint64_t bit = (uint64_t)1 << area % 64;
    // Acquire pairs with frame_area_open.
    if (atomic_load_explicit(&frame_memory.ready[area / 64], memory_order_acquire) & bit) {
        return USED_READY | atomic_load_explicit(&frame_memory.used[area], memory_order_relaxed);
    }
    uint64_t claimed = atomic_load_explicit(&frame_memory.claimed[area / 64], memory_order_relaxed);
    return (claimed & bit) != 0 ? AREA_FRAMES : 0;
}

// Takes the first count frames of a fresh area. False: it is not fresh any more.
bool frame_area_open(size_t index, uint32_t count);

#endif
