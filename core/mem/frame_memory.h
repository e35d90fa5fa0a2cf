// SPDX-License-Identifier: BSD-3-Clause
// frame_memory.h: what frame.c keeps, for frame_boot.c, which sets it up.
#ifndef CORE_MEM_FRAME_MEMORY_H
#define CORE_MEM_FRAME_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/count.h"
#include "core/mem/unit.h"
#include "hal/hal.h"

enum {
    AREA_SHIFT = 21,
    AREA_FRAMES = 512,
    AREA_WORDS = AREA_FRAMES / 64,
    AREA_UNITS = 1 << (AREA_SHIFT - UNIT_SHIFT),
    CACHE_MAX = 118,  // single frames that a CPU keeps at most
    CACHED_DIRTY = 1, // in an address in a cache: the frame may have been written to

    USED_COUNT = 0x3ff,
    USED_READY = 0x8000, // the area's bits and its counter are there
};

struct area {
    _Atomic uint64_t taken[AREA_WORDS];
    _Atomic uint64_t dirty[AREA_WORDS]; // where it is 0 a free frame reads as zeros
};

enum frame_kind { FRAME_PARTS, FRAME_WHOLES, FRAME_KINDS }; // of areas

// What a CPU knows of frames that have to read as zeros: frame_clear.c.
struct frame_clearing {
    uint64_t zeros[2];            // frame_clear_counts.spared, and late
    uint64_t idle;                // frame_clear_counts.idle
    uint64_t seen;                // what had been given back when it last began to look for frames
    uint32_t asked[FRAME_KINDS];  // so many frames; frame_demand has not been told of them yet
    uint32_t places[FRAME_KINDS]; // how far it has come
    bool has_none;                // of its single frames; said by who looked
    bool has_frame;               // it clears one that counts as free
};

// Of all CPUs; frame_clear.c's. Hints: nothing is ordered by them.
struct frame_demand {
    _Alignas(
        64) _Atomic int64_t wanted[2]; // frames that are to be cleared: of parts, of whole areas
    _Atomic uint64_t asked;            // since boot
};

// Its CPU's, interrupts off. Others read figures.
struct frame_cache {
    _Alignas(64) uint32_t count;
    uint32_t hint; // the area that the last frames came from
    hal_phys frames[CACHE_MAX];
    struct frame_clearing clearing;
    uint32_t room; // frames that are kept without a look: CACHE_MAX, or 0 where there are nodes
};

_Static_assert(sizeof(struct frame_cache) == 1024, "a CPU's part of the metadata");

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
extern struct frame_demand frame_demand;

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

static inline hal_phys span_start(const struct span *span)
{
    return frame_memory.first + ((hal_phys)span->area << AREA_SHIFT) +
           (hal_phys)span->at * HAL_PAGE_SIZE;
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

// Takes and gives back one frame of an area that is ready, though nobody has asked for one: memory
// that is left stays the same, and who finds too little meanwhile looks again. False: somebody has
// it.
bool frame_borrow(size_t area, uint32_t at);
void frame_return(size_t area, uint32_t at);

// Frames have been taken out of areas: is that the most since somebody watches?
extern _Atomic bool frame_peak_is_watched;
void frame_peak_raise(void);

static inline void frame_peak_look(void)
{
    if (atomic_load_explicit(&frame_peak_is_watched, memory_order_relaxed)) {
        frame_peak_raise();
    }
}

// Interrupts are off. So many frames are asked for that read as zeros: about, where they are single
// ones.
void frame_clear_ask(struct frame_clearing *clearing, uint32_t count);

#endif
