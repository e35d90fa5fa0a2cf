// SPDX-License-Identifier: BSD-3-Clause
// frame_clear.c: which free frames a CPU without work clears, and how many.
//
// There is no list of cleared frames: one is cleared where it lies, and its bit `dirty` with it.
// The CPU has borrowed it meanwhile (frame_borrow), with interrupts off, so for as long as a page
// takes to clear, and has nothing between two pages: whoever wakes up here waits for one page at
// most.
//
// How many: what was asked for is wanted again. A program that never asks for zeros twice costs
// nothing, and one that does costs no more than it has already. Which: those that are taken next,
// by the order of frame.c. Parts of areas come from where the CPU has them from, then from areas in
// use, then from the top; whole areas from the bottom.
//
// A CPU goes through areas once, and again when enough frames have been given back: what is left,
// and what was ever asked for, are together more by that.
#include "core/mem/frame_clear.h"

#include <stdatomic.h>

#include "core/lib/count.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"
#include "core/mem/percpu.h"
#include "core/mem/pressure.h"

enum {
    ASKED_BATCH = 64,      // frames; others hear of them together
    WANTED_SHARE = 8,      // of all frames
    WANTED_MAX = 65536,    // 256 MiB
    LOOK_AREAS = 32,       // that are looked at without a pause
    AGAIN_FRAMES = 64,     // so many have to come back before all areas are looked at again,
    AGAIN_AREAS_SHARE = 8, // and one more for so many areas
};

struct frame_demand frame_demand;

// ---- How many ------------------------------------------------------------

static void asked_tell(struct frame_clearing *clearing, enum frame_kind kind)
{
    const int64_t share = (int64_t)(frame_memory.total / WANTED_SHARE);
    const int64_t most = share < WANTED_MAX ? share : WANTED_MAX;
    const uint32_t more = clearing->asked[kind];
    clearing->asked[kind] = 0;
    atomic_fetch_add_explicit(&frame_demand.asked, more, memory_order_relaxed);
    if (atomic_load_explicit(&frame_demand.wanted[kind], memory_order_relaxed) < most) {
        atomic_fetch_add_explicit(&frame_demand.wanted[kind], more, memory_order_relaxed);
    }
}

void frame_clear_ask(struct frame_clearing *clearing, uint32_t count)
{
    const enum frame_kind kind = count < AREA_FRAMES ? FRAME_PARTS : FRAME_WHOLES;
    clearing->asked[kind] += count;
    if (clearing->asked[kind] >= ASKED_BATCH) {
        asked_tell(clearing, kind);
    }
}

static bool is_wanted(struct frame_clearing *clearing, enum frame_kind kind)
{
    if (clearing->asked[kind] != 0) {
        asked_tell(clearing, kind);
    }
    return atomic_load_explicit(&frame_demand.wanted[kind], memory_order_relaxed) > 0;
}

// Begins anew where enough has been given back.
static void places_renew(struct frame_clearing *clearing)
{
    const uint64_t now =
        atomic_load_explicit(&frame_demand.asked, memory_order_relaxed) + pressure_left();
    const uint64_t least = AGAIN_FRAMES + frame_memory.area_count / AGAIN_AREAS_SHARE;
    if (now < clearing->seen) {
        clearing->seen = now;
    } else if (now - clearing->seen >= least) {
        clearing->seen = now;
        clearing->places[FRAME_PARTS] = clearing->places[FRAME_WHOLES] = 0;
    }
}

// ---- One frame -----------------------------------------------------------

static void page_clear(struct frame_clearing *clearing, hal_phys frame, enum frame_kind kind)
{
    memset(frame_address(frame), 0, HAL_PAGE_SIZE);
    count_add(&clearing->idle, 1);
    atomic_fetch_sub_explicit(&frame_demand.wanted[kind], 1, memory_order_relaxed);
}

// One of the CPU's own.
static bool own_clear(struct frame_cache *cache)
{
    for (uint32_t i = cache->clearing.has_none ? 0 : cache->count; i-- > 0;) {
        if ((cache->frames[i] & CACHED_DIRTY) != 0) {
            cache->frames[i] &= ~(hal_phys)CACHED_DIRTY;
            page_clear(&cache->clearing, cache->frames[i], FRAME_PARTS);
            return true;
        }
    }
    cache->clearing.has_none = true;
    return false;
}

// The first frame of an area that is free and may have been written to; AREA_FRAMES: none.
static uint32_t dirty_find(size_t index)
{
    const struct area *area = &frame_memory.areas[index];
    for (uint32_t i = 0; i < AREA_WORDS; ++i) {
        const uint64_t bits = atomic_load_explicit(&area->dirty[i], memory_order_relaxed) &
                              ~atomic_load_explicit(&area->taken[i], memory_order_relaxed);
        if (bits != 0) {
            return i * 64 + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return AREA_FRAMES;
}

// False: none in this area is to be cleared.
static bool area_clear(struct frame_clearing *clearing, size_t index, enum frame_kind kind)
{
    if (used_load(index) == 0) {
        if (frame_memory.memory_is_zero) {
            return false;
        }
        (void)frame_area_open(index, 0);
    }
    const uint32_t used = used_load(index);
    const uint32_t at = (used & USED_READY) != 0 && (used & USED_COUNT) < AREA_FRAMES
                            ? dirty_find(index)
                            : AREA_FRAMES;
    if (at == AREA_FRAMES) {
        return false;
    }
    clearing->has_frame = true;
    if (frame_borrow(index, at)) {
        _Atomic uint64_t *dirty = &frame_memory.areas[index].dirty[at / 64];
        const uint64_t bit = (uint64_t)1 << at % 64;
        // It may have been cleared since it was found. Relaxed: only who has a frame touches its
        // bit.
        if ((atomic_load_explicit(dirty, memory_order_relaxed) & bit) != 0) {
            const struct span span = {index, at, 1};
            page_clear(clearing, span_start(&span), kind);
            atomic_fetch_and_explicit(dirty, ~bit, memory_order_relaxed);
        }
        frame_return(index, at);
    }
    clearing->has_frame = false;
    return true;
}

// ---- Which ---------------------------------------------------------------

// The area at a place in the order in which frames of a kind are taken. False: of the other kind.
static bool area_at(const struct frame_cache *cache, enum frame_kind kind, size_t place,
                    size_t *area)
{
    const size_t count = frame_memory.area_count;
    if (kind == FRAME_WHOLES) {
        *area = place;
        return (used_load(place) & USED_COUNT) == 0;
    }
    *area = place < count ? (cache->hint + place) % count : 2 * count - 1 - place;
    return place == 0 || ((used_load(*area) & USED_COUNT) != 0) == (place < count);
}

// False: all places have been looked at.
static bool kind_clear(struct frame_cache *cache, enum frame_kind kind)
{
    struct frame_clearing *clearing = &cache->clearing;
    const size_t end = kind == FRAME_WHOLES ? frame_memory.area_count : 2 * frame_memory.area_count;
    size_t place = clearing->places[kind];
    if (place >= end) {
        return false;
    }
    bool is_done = false;
    for (int i = 0; i < LOOK_AREAS && place < end && !is_done; ++i) {
        size_t area;
        is_done = area_at(cache, kind, place, &area) && area_clear(clearing, area, kind);
        place += !is_done;
    }
    clearing->places[kind] = (uint32_t)place;
    return true;
}

bool frame_clear(void)
{
    struct frame_cache *cache = &frame_memory.caches[percpu_index()];
    struct frame_clearing *clearing = &cache->clearing;
    const bool wants_parts = is_wanted(clearing, FRAME_PARTS),
               wants_wholes = is_wanted(clearing, FRAME_WHOLES);
    if ((!wants_parts && !wants_wholes) || frame_memory.is_checked || pressure_is_low()) {
        return false;
    }
    places_renew(clearing);
    return (wants_parts && (own_clear(cache) || kind_clear(cache, FRAME_PARTS))) ||
           (wants_wholes && kind_clear(cache, FRAME_WHOLES));
}

void frame_clear_counts_get(struct frame_clear_counts *counts)
{
    *counts = (struct frame_clear_counts){0, 0, 0};
    for (uint32_t i = 0; i < frame_memory.cpu_count; ++i) {
        const struct frame_clearing *clearing = &frame_memory.caches[i].clearing;
        counts->idle += count_get(&clearing->idle);
        counts->late += count_get(&clearing->zeros[CACHED_DIRTY]);
        counts->spared += count_get(&clearing->zeros[0]);
    }
}
