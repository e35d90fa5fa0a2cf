// SPDX-License-Identifier: BSD-3-Clause
// frame_count.c: how many frames there are, and how many of them are free: a sum over areas and
// CPUs, which go on meanwhile.
#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"
#include "core/mem/frame_zones.h"

// For statistics: the CPU may be changing it.
static MARK_GUESS uint32_t cache_count(uint32_t cpu)
{
    const struct frame_cache *cache = &frame_memory.caches[cpu];
    return *(const volatile uint32_t *)&cache->count +
           *(const volatile bool *)&cache->clearing.has_frame;
}

// Of 64 areas: nothing of a fresh one, all of one that is not ready, or not ours.
static size_t used_of_word(size_t word)
{
    uint64_t ready = atomic_load_explicit(&frame_memory.ready[word], memory_order_acquire);
    uint64_t claimed = atomic_load_explicit(&frame_memory.claimed[word], memory_order_relaxed);
    uint64_t all = claimed & ~ready;
    size_t used = all == 0              ? 0
                  : all == ~(uint64_t)0 ? (size_t)64 * AREA_FRAMES
                                        : (size_t)__builtin_popcountll(all) * AREA_FRAMES;
    for (; ready != 0; ready &= ready - 1) {
        const size_t area = word * 64 + (size_t)__builtin_ctzll(ready);
        used += min_size(atomic_load_explicit(&frame_memory.used[area], memory_order_relaxed),
                         AREA_FRAMES);
    }
    return used;
}

// What a CPU keeps is of its node, but for what it had to take elsewhere.
size_t frame_cached_count(uint32_t node)
{
    size_t frames = 0;
    for (uint32_t i = 0; i < frame_memory.cpu_count; ++i) {
        frames += frame_node_of_cpu(i) == node ? cache_count(i) : 0;
    }
    return frames;
}

size_t frame_node_free_count(uint32_t node)
{
    if (frame_zones.node_count == 1) {
        return frame_free_count();
    }
    size_t frames = frame_cached_count(node);
    for (uint32_t i = 0; i < frame_zones.count; ++i) {
        const struct frame_zone *zone = &frame_zones.zones[i];
        for (size_t area = zone->first; zone->node == node && area < zone->end; ++area) {
            frames += AREA_FRAMES - min_size(used_load(area) & USED_COUNT, AREA_FRAMES);
        }
    }
    return frames;
}

size_t frame_free_count(void)
{
    size_t used = 0, cached = 0;
    for (size_t i = 0; i * 64 < frame_memory.area_count; ++i) {
        used += used_of_word(i);
    }
    for (uint32_t i = 0; i < frame_memory.cpu_count; ++i) {
        cached += cache_count(i);
    }
    return frame_memory.area_count * AREA_FRAMES - used + cached;
}

size_t frame_total_count(void)
{
    return frame_memory.total;
}

// ---- The high-water mark ---------------------------------------------------

_Atomic bool frame_peak_is_watched;
static _Atomic size_t peak;

void frame_peak_raise(void)
{
    size_t used = frame_memory.total - frame_free_count();
    size_t highest = atomic_load_explicit(&peak, memory_order_relaxed);
    while (used > highest && !atomic_compare_exchange_weak(&peak, &highest, used)) {
    }
}

void frame_peak_watch(void)
{
    atomic_store(&frame_peak_is_watched, true);
    frame_peak_look();
}

size_t frame_peak_count(void)
{
    frame_peak_look();
    return atomic_load(&peak);
}
