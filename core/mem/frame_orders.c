// SPDX-License-Identifier: BSD-3-Clause
// frame_orders.c: the free frames of each area, by the largest aligned pieces of powers of two that
// they make, from the allocator's own bits.
#include "core/mem/frame_orders.h"

#include "core/mem/frame_memory.h"
#include "core/mem/frame_zones.h"

enum { WORD_ORDER = 6, AREA_ORDER = 9 };

_Static_assert(1 << AREA_ORDER == AREA_FRAMES, "an area is a piece");

// Of the pieces of 2^order units, a bit where each begins, those whose neighbour is free too become
// one of the next order; the others are counted. Answers the former.
static uint64_t pieces_join(uint64_t pieces, uint32_t order, uint32_t units, size_t *count)
{
    uint64_t next = 0;
    uint32_t size = 1u << order;
    for (uint32_t at = 0; at < units; at += 2 * size) {
        uint64_t both = (uint64_t)1 << at | (uint64_t)1 << (at + size);
        if ((pieces & both) == both) {
            next |= (uint64_t)1 << at;
        } else {
            *count += (size_t)__builtin_popcountll(pieces & both);
        }
    }
    return next;
}

// Pieces of frames within words, then of words. True: all of the area is free.
static bool area_count(const struct area *area, size_t counts[FRAME_ORDERS])
{
    uint64_t words = 0; // a bit for each that is free
    for (uint32_t i = 0; i < AREA_WORDS; ++i) {
        uint64_t pieces = ~atomic_load_explicit(&area->taken[i], memory_order_relaxed);
        for (uint32_t order = 0; order < WORD_ORDER && pieces != 0; ++order) {
            pieces = pieces_join(pieces, order, 64, &counts[order]);
        }
        words |= (pieces & 1) << i;
    }
    for (uint32_t order = WORD_ORDER; order < AREA_ORDER && words != 0; ++order) {
        words = pieces_join(words, order - WORD_ORDER, AREA_WORDS, &counts[order]);
    }
    return words != 0;
}

static void zone_count(const struct frame_zone *zone, size_t counts[FRAME_ORDERS])
{
    bool is_pair = false; // the area before, an even one, is free and not counted yet
    for (size_t i = zone->first; i < zone->end; ++i) {
        uint32_t used = used_load(i);
        bool is_free =
            used == 0 || ((used & USED_READY) != 0 && area_count(&frame_memory.areas[i], counts));
        bool is_even = (frame_memory.first >> AREA_SHIFT) % 2 == i % 2;
        counts[AREA_ORDER] += is_even ? is_pair : is_pair != is_free;
        counts[AREA_ORDER + 1] += !is_even && is_pair && is_free;
        is_pair = is_even && is_free;
    }
    counts[AREA_ORDER] += is_pair;
}

void frame_orders(uint32_t node, size_t counts[FRAME_ORDERS])
{
    for (uint32_t i = 0; i < FRAME_ORDERS; ++i) {
        counts[i] = 0;
    }
    for (uint32_t i = 0; i < frame_zones.count; ++i) {
        if (frame_zones.zones[i].node == node) {
            zone_count(&frame_zones.zones[i], counts);
        }
    }
    counts[0] += frame_cached_count(node);
}
