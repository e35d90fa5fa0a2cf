// SPDX-License-Identifier: BSD-3-Clause
// frame_zones.h: nodes, which are the CPUs and the memory that lie together, and zones, which are
// the parts of memory that belong to one node each.
//
// Every function: any CPU, any context, never blocks. Nothing of it changes after boot but hints
// and figures.
#ifndef CORE_MEM_FRAME_ZONES_H
#define CORE_MEM_FRAME_ZONES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

enum { FRAME_ZONES_MAX = 32, FRAME_ZONE_AREA = 512 };

struct frame_zone {
    uint32_t first, end; // areas, of FRAME_ZONE_AREA frames
    uint32_t node;
    _Atomic uint32_t hint; // the area that the last frames of a place came from
};

// Frames since boot, as Linux's numastat counts pages: `foreign` are those that were meant to be of
// this node and came from another, where they are `miss`.
struct frame_node_counts {
    _Atomic uint64_t hit, miss, foreign, interleave, local, other;
};

struct frame_zones {
    uint32_t count, node_count;
    struct frame_zone zones[FRAME_ZONES_MAX];      // all areas, ascending
    uint8_t orders[HAL_NODE_MAX][FRAME_ZONES_MAX]; // of zones, seen from a node: its own, then near
    uint8_t cpus[HAL_CPU_MAX];
    uint8_t distances[HAL_NODE_MAX][HAL_NODE_MAX];
    size_t totals[HAL_NODE_MAX]; // frames
    struct frame_node_counts counts[HAL_NODE_MAX];
};

extern struct frame_zones frame_zones;

// Where frames are to come from: 0, from the CPU's node if it has any, then from the nearest.
// Else of node first, then of the nearest to it, and never of another than nodes has a bit for;
// node HAL_NODE_MAX: the CPU's; nodes 0: all.
enum { FRAME_PLACE_INTERLEAVED = 1 << 30 }; // in addition: for the figures alone

static inline unsigned frame_place(uint32_t node, uint32_t nodes)
{
    return nodes | (node + 1) << HAL_NODE_MAX;
}

static inline uint32_t frame_place_nodes(unsigned place)
{
    return place & ((1u << HAL_NODE_MAX) - 1);
}

uint32_t frame_node_of(hal_phys frame);

static inline uint32_t frame_node_of_cpu(uint32_t cpu)
{
    return frame_zones.cpus[cpu];
}

static inline uint32_t frame_node_count(void)
{
    return frame_zones.node_count;
}

// Free frames of a node, and those that its CPUs keep of them: a moment's sums.
size_t frame_node_free_count(uint32_t node);
size_t frame_cached_count(uint32_t node);

// For frame.c and frame_boot.c.
void frame_zones_init(const struct hal_boot *boot);
const struct frame_zone *frame_zone_of_cpu(uint32_t cpu); // the last of its node's, or the nearest

// The zone that is to be looked at after *at of them, which counts on; NULL: none is left.
struct frame_zone *frame_zone_next(unsigned place, uint32_t *at);

// Frames were taken from an area.
void frame_zones_count(size_t area, size_t frames, unsigned place);

static inline void frame_zone_count(size_t area, size_t frames, unsigned place)
{
    if (__builtin_expect(frame_zones.node_count == 1, 1)) {
        atomic_fetch_add_explicit(&frame_zones.counts[0].hit, frames, memory_order_relaxed);
    } else {
        frame_zones_count(area, frames, place);
    }
}

#endif
