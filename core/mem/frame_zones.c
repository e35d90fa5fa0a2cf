// SPDX-License-Identifier: BSD-3-Clause
// frame_zones.c: the zones of frame_zones.h, from what the machine says of its nodes.
//
// An area belongs to the node of its first byte, or, where that is no memory, of the memory behind
// it: so zones are whole areas, and all areas are in one. Nothing is locked: zones are constant,
// and each is searched as all of memory is where there is one.
#include "core/mem/frame_zones.h"

#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"
#include "core/mem/percpu.h"

struct frame_zones frame_zones;

_Static_assert((int)FRAME_ZONE_AREA == (int)AREA_FRAMES, "areas are frame.c's");

enum { DISTANCE_OWN = 10 };

// ---- Boot ----------------------------------------------------------------

// Ends the zone at hand where the range does, or begins one for it.
static void range_add(const struct hal_node_memory *range, uint32_t *end)
{
    const hal_phys area = (hal_phys)1 << AREA_SHIFT;
    const hal_phys stop = range->region.start + range->region.size;
    const hal_phys past = stop > frame_memory.first ? stop - frame_memory.first : 0;
    const uint64_t to = min_size((past + area - 1) >> AREA_SHIFT, frame_memory.area_count);
    struct frame_zones *all = &frame_zones;
    if (to <= *end) {
        return;
    }
    if (all->count == 0 ||
        (all->zones[all->count - 1].node != range->node && all->count < FRAME_ZONES_MAX)) {
        all->zones[all->count++] = (struct frame_zone){.first = *end, .node = range->node};
    }
    *end = (uint32_t)to;
    all->zones[all->count - 1].end = *end;
}

static void zones_make(const struct hal_nodes *nodes)
{
    struct frame_zones *all = &frame_zones;
    uint32_t end = 0;
    all->count = 0;
    for (size_t i = 0; nodes != NULL && i < nodes->memory_count; ++i) {
        range_add(&nodes->memory[i], &end);
    }
    if (all->count == 0) {
        all->zones[all->count++] = (struct frame_zone){.node = 0};
    }
    all->zones[all->count - 1].end = (uint32_t)frame_memory.area_count;
    for (uint32_t i = 0; i < all->count; ++i) {
        all->zones[i].hint = all->zones[i].end - 1;
    }
}

// By distance from node; of a node, the highest first: what can only lie low is kept for who needs
// it.
static void order_make(uint32_t node)
{
    uint8_t *order = frame_zones.orders[node];
    const uint8_t *distances = frame_zones.distances[node];
    for (uint32_t i = 0; i < frame_zones.count; ++i) {
        const uint32_t zone = frame_zones.count - 1 - i;
        uint32_t at = i;
        while (at > 0 && distances[frame_zones.zones[zone].node] <
                             distances[frame_zones.zones[order[at - 1]].node]) {
            order[at] = order[at - 1];
            --at;
        }
        order[at] = (uint8_t)zone;
    }
}

static size_t overlap(const struct hal_region *region, const struct frame_zone *zone)
{
    const hal_phys first = frame_memory.first + ((hal_phys)zone->first << AREA_SHIFT);
    const hal_phys last = frame_memory.first + ((hal_phys)zone->end << AREA_SHIFT);
    hal_phys from = (region->start + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    hal_phys to = (region->start + region->size) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    from = from < first ? first : from;
    to = to > last ? last : to;
    return from < to ? (to - from) / HAL_PAGE_SIZE : 0;
}

void frame_zones_init(const struct hal_boot *boot)
{
    const struct hal_nodes *nodes = boot->nodes;
    struct frame_zones *all = &frame_zones;
    zones_make(nodes);
    all->node_count = nodes == NULL ? 1 : nodes->count;
    if (nodes == NULL) {
        all->distances[0][0] = DISTANCE_OWN;
        all->totals[0] = frame_memory.total;
        return;
    }
    memcpy(all->cpus, nodes->cpus, sizeof all->cpus);
    memcpy(all->distances, nodes->distances, sizeof all->distances);
    for (uint32_t node = 0; node < all->node_count; ++node) {
        order_make(node);
        all->totals[node] = 0;
    }
    for (uint32_t i = 0; i < all->count; ++i) {
        for (size_t r = 0; r < boot->region_count; ++r) {
            all->totals[all->zones[i].node] += overlap(&boot->regions[r], &all->zones[i]);
        }
    }
}

// ---- Where frames are ----------------------------------------------------

static uint32_t node_of_area(size_t area)
{
    uint32_t i = 0;
    while (i + 1 < frame_zones.count && area >= frame_zones.zones[i].end) {
        ++i;
    }
    return frame_zones.zones[i].node;
}

uint32_t frame_node_of(hal_phys frame)
{
    return node_of_area((frame - frame_memory.first) >> AREA_SHIFT);
}

const struct frame_zone *frame_zone_of_cpu(uint32_t cpu)
{
    const uint32_t zone = frame_zones.orders[frame_zones.cpus[cpu]][0];
    return &frame_zones.zones[frame_zones.node_count == 1 ? 0 : zone];
}

// A CPU's answer may be late: any will do.
static uint32_t node_first(unsigned place)
{
    const uint32_t wanted = place >> HAL_NODE_MAX & (2 * HAL_NODE_MAX - 1);
    return wanted == 0 || wanted > HAL_NODE_MAX ? frame_zones.cpus[percpu_index()] : wanted - 1;
}

struct frame_zone *frame_zone_next(unsigned place, uint32_t *at)
{
    if (frame_zones.node_count == 1) {
        return (*at)++ == 0 ? &frame_zones.zones[0] : NULL;
    }
    const uint32_t nodes = frame_place_nodes(place);
    const uint8_t *order = frame_zones.orders[node_first(place)];
    while (*at < frame_zones.count) {
        struct frame_zone *zone = &frame_zones.zones[order[(*at)++]];
        if (nodes == 0 || (nodes >> zone->node & 1) != 0) {
            return zone;
        }
    }
    return NULL;
}

// ---- Figures -------------------------------------------------------------

static void count(_Atomic uint64_t *number, size_t frames)
{
    atomic_fetch_add_explicit(number, frames, memory_order_relaxed);
}

void frame_zones_count(size_t area, size_t frames, unsigned place)
{
    struct frame_node_counts *counts = frame_zones.counts;
    const uint32_t node = node_of_area(area), own = frame_zones.cpus[percpu_index()];
    const uint32_t wanted = node_first(place), nodes = frame_place_nodes(place);
    const bool is_hit = node == wanted || (nodes != 0 && (nodes >> wanted & 1) == 0);
    count(is_hit ? &counts[node].hit : &counts[node].miss, frames);
    count(node == own ? &counts[node].local : &counts[node].other, frames);
    if (!is_hit) {
        count(&counts[wanted].foreign, frames);
    } else if ((place & FRAME_PLACE_INTERLEAVED) != 0) {
        count(&counts[node].interleave, frames);
    }
}
