// SPDX-License-Identifier: BSD-3-Clause
// frame_boot.c: the first state of the frame allocator: what is memory, and where its own part of
// it lies.
//
// Of all that it keeps only two bits for each 2 MiB are written: boot takes no longer where there
// is much memory. What lies between regions is taken for ever.
#include "core/lib/assert.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"
#include "core/mem/frame_zones.h"
#include "core/mem/pressure.h"

static void span_withhold(const struct span *span)
{
    if (used_load(span->area) == 0) {
        (void)frame_area_open(span->area, 0);
    }
    if ((used_load(span->area) & USED_READY) == 0) {
        return; // all of it is out
    }
    for (uint32_t i = span->at / 64; i * 64 < span->at + span->count; ++i) {
        uint64_t mask = span_mask(span, i);
        uint64_t fresh = mask & ~atomic_fetch_or(&frame_memory.areas[span->area].taken[i], mask);
        atomic_fetch_add(&frame_memory.used[span->area], (uint16_t)__builtin_popcountll(fresh));
    }
}

// Takes the frames of [start, end) out for ever. Some may be out already. Areas that are out whole,
// and there may be many, never get ready.
static void frames_withhold(hal_phys start, hal_phys end)
{
    size_t count = (end - start) / HAL_PAGE_SIZE;
    while (count > 0) {
        struct span span = span_of(start, count);
        size_t areas = count / AREA_FRAMES, done = span.count;
        if (span.count == AREA_FRAMES && span.area % 64 == 0 && areas >= 64 &&
            frame_memory.ready[span.area / 64] == 0) {
            atomic_store(&frame_memory.claimed[span.area / 64], ~(uint64_t)0);
            done = (size_t)64 * AREA_FRAMES;
        } else if (span.count == AREA_FRAMES && used_load(span.area) == 0) {
            atomic_fetch_or(&frame_memory.claimed[span.area / 64], (uint64_t)1 << span.area % 64);
        } else {
            span_withhold(&span);
        }
        start += (hal_phys)done * HAL_PAGE_SIZE;
        count -= done;
    }
}

static hal_phys round_up(hal_phys value, hal_phys unit)
{
    return (value + unit - 1) / unit * unit;
}

// The frames that lie wholly in region.
static hal_phys region_start(const struct hal_region *region)
{
    return round_up(region->start, HAL_PAGE_SIZE);
}

static hal_phys region_end(const struct hal_region *region)
{
    hal_phys end = (region->start + region->size) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    return end > region_start(region) ? end : region_start(region);
}

// What is not in a region is not ours to give, nor are modules that lie in one.
static void holes_withhold(const struct hal_boot *boot)
{
    hal_phys end = frame_memory.first;
    for (size_t i = 0; i < boot->region_count; ++i) {
        const struct hal_region *region = &boot->regions[i];
        ASSERT(region_start(region) >= end);
        frames_withhold(end, region_start(region));
        end = region_end(region);
        frame_memory.total += (end - region_start(region)) / HAL_PAGE_SIZE;
    }
    frames_withhold(end, frame_memory.first + frame_span());
    for (size_t i = 0; i < boot->module_count; ++i) {
        hal_phys from = boot->modules[i].start / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
        hal_phys to = round_up(boot->modules[i].start + boot->modules[i].size, HAL_PAGE_SIZE);
        hal_phys limit = frame_memory.first + frame_span();
        from = from < frame_memory.first ? frame_memory.first : from;
        to = to > limit ? limit : to;
        if (from < to) {
            frames_withhold(from, to);
        }
    }
    // Address 0 stands for "none" in single_alloc and in translation tables.
    if (frame_memory.first == 0) {
        frames_withhold(0, HAL_PAGE_SIZE);
    }
}

// Where size bytes of metadata lie: in the first region that holds them and that no module is in.
static hal_phys metadata_place(const struct hal_boot *boot, size_t size)
{
    for (size_t i = 0; i < boot->region_count; ++i) {
        hal_phys start = region_start(&boot->regions[i]);
        start = start == 0 ? HAL_PAGE_SIZE : start;
        for (size_t m = 0; m < boot->module_count; ++m) {
            const struct hal_module *module = &boot->modules[m];
            if (module->start < start + size && start < module->start + module->size) {
                start = round_up(module->start + module->size, HAL_PAGE_SIZE);
                m = (size_t)-1;
            }
        }
        if (start + size <= region_end(&boot->regions[i])) {
            return start;
        }
    }
    ASSERT(!"memory for the frame allocator");
    return 0;
}

void frame_init(const struct hal_boot *boot)
{
    ASSERT(boot->region_count > 0 && boot->cpu_count > 0);
    hal_phys area_size = (hal_phys)1 << AREA_SHIFT;
    hal_phys end = round_up(region_end(&boot->regions[boot->region_count - 1]), area_size);
    frame_memory.first = boot->regions[0].start / area_size * area_size;
    frame_memory.area_count = (end - frame_memory.first) >> AREA_SHIFT;
    frame_memory.total = 0;
    frame_memory.direct_base = boot->direct_base;
    frame_memory.cpu_count = boot->cpu_count;
    frame_memory.memory_is_zero = boot->memory_is_zero;
    frame_memory.is_checked = boot->is_checked;
    size_t bits_size = (frame_memory.area_count + 63) / 64 * sizeof(uint64_t);
    size_t caches_size = frame_memory.cpu_count * sizeof(struct frame_cache);
    size_t used_size = round_up(frame_memory.area_count * sizeof(uint16_t), sizeof(uint64_t));
    size_t units_size = frame_memory.area_count * AREA_UNITS * sizeof(uint32_t);
    size_t areas_size = frame_memory.area_count * sizeof(struct area);
    size_t size = caches_size + 2 * bits_size + used_size + units_size + areas_size;
    size = round_up(size, HAL_PAGE_SIZE);
    hal_phys place = metadata_place(boot, size);
    char *base = frame_address(place);
    if (boot->is_checked) {
        hal_check_set(HAL_CHECK_VALID, base, size);
    }
    frame_memory.caches = (struct frame_cache *)(void *)base;
    base += caches_size;
    if (!boot->memory_is_zero) {
        memset(base, 0, 2 * bits_size);
    }
    frame_memory.claimed = (_Atomic uint64_t *)(void *)base;
    frame_memory.ready = (_Atomic uint64_t *)(void *)(base + bits_size);
    base += 2 * bits_size;
    frame_memory.used = (_Atomic uint16_t *)(void *)base;
    frame_memory.units = (uint32_t *)(void *)(base + used_size);
    frame_memory.areas = (struct area *)(void *)(base + used_size + units_size);
    holes_withhold(boot);
    frames_withhold(place, place + size);
    frame_zones_init(boot);
    for (uint32_t i = 0; i < frame_memory.cpu_count; ++i) {
        struct frame_cache *cache = &frame_memory.caches[i];
        cache->count = 0;
        cache->hint = frame_zone_of_cpu(i)->end - 1;
        cache->room = frame_zones.node_count == 1 ? CACHE_MAX : 0;
        cache->clearing = (struct frame_clearing){0};
    }
    frame_demand = (struct frame_demand){.asked = 0};
    pressure_init(frame_memory.total - size / HAL_PAGE_SIZE, frame_memory.total);
}
