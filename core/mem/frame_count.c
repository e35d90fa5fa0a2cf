// SPDX-License-Identifier: BSD-3-Clause
// frame_count.c: how many frames there are, and how many of them are free: a sum over areas and
// CPUs, which go on meanwhile.
#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"

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
