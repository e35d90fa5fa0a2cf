// SPDX-License-Identifier: BSD-3-Clause
// frame.c: physical page frames, without a lock: an array of 2 MiB areas, after LLFree (Wrenger et
// al., ATC 2023).
//
// An area is 512 frames: a bit for each that is taken, and a counter, `used`. Whoever takes frames
// first raises the counter, then sets the bits; whoever gives back clears the bits, then lowers the
// counter.
//
// Invariant: the count in used >= the number of bits set, so a count of 0 says that nobody has or
// is about to take a frame here, and a compare-and-swap to 512 takes the whole area.
//
// A second bit per frame says that it may have been written to: while it is 0 the frame reads as
// zeros. frame_clear.c makes such frames. Single frames go through a small array per CPU.
//
// Boot writes two bits for each area. A fresh area has neither a counter nor bits yet: who sets its
// bit in `claimed` writes them, with the first frames taken, and then sets its bit in `ready`. To
// others it looks full in between.
#include "core/mem/frame.h"

#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame_memory.h"
#include "core/mem/frame_zones.h"
#include "core/mem/percpu.h"
#include "core/mem/pressure.h"

enum {
    CACHE_BATCH = 32, // and how many it takes or gives back at once
    WHOLE_TRIES = 8,  // searches for whole areas that lost a race before the answer is "none"
    OPENING = 1,      // in openings, while it lasts
    OPENED = 1 << 16,
};

struct frame_memory frame_memory;

// Of fresh areas, and frames that are borrowed: how many are under way, and above that the number
// of those that were.
static _Atomic uint32_t openings;

// ---- One area ------------------------------------------------------------

static uint32_t used_count(size_t area)
{
    return used_load(area) & USED_COUNT;
}

bool frame_area_open(size_t index, uint32_t count)
{
    struct span span = {index, 0, count};
    uint64_t bit = (uint64_t)1 << index % 64;
    atomic_fetch_add(&openings, OPENING);
    bool opened = (atomic_fetch_or(&frame_memory.claimed[index / 64], bit) & bit) == 0;
    if (opened) {
        const uint64_t dirty = frame_memory.memory_is_zero ? 0 : ~(uint64_t)0;
        for (uint32_t i = 0; i < AREA_WORDS; ++i) {
            struct area *area = &frame_memory.areas[index];
            atomic_store_explicit(&area->taken[i], span_mask(&span, i), memory_order_relaxed);
            atomic_store_explicit(&area->dirty[i], dirty, memory_order_relaxed);
        }
        memset(&frame_memory.units[index * AREA_UNITS], 0, AREA_UNITS * sizeof(uint32_t));
        atomic_store_explicit(&frame_memory.used[index], (uint16_t)count, memory_order_relaxed);
        atomic_fetch_or(&frame_memory.ready[index / 64], bit); // pairs with used_load
        pressure_taken(count);
    } else {
        MARK("frame: an area is not fresh any more");
    }
    atomic_fetch_add(&openings, OPENED - OPENING);
    return opened;
}

// False: fewer than count frames are left. The area is not fresh.
static bool area_reserve(size_t area, uint32_t count)
{
    // Acquire pairs with the release in area_release: the counter says that bits are clear.
    uint16_t used = (uint16_t)used_count(area); // full where it is not ready
    do {
        if (used + count > AREA_FRAMES) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&frame_memory.used[area], &used,
                                                    (uint16_t)(used + count), memory_order_acquire,
                                                    memory_order_relaxed));
    pressure_taken(count);
    return true;
}

static void area_release(size_t area, uint32_t count)
{
    uint32_t used =
        atomic_fetch_sub_explicit(&frame_memory.used[area], (uint16_t)count, memory_order_release);
    ASSERT(used >= count);
}

// Takes every frame of an area that has all of them free.
static bool area_take_whole(size_t index)
{
    if (used_load(index) == 0) {
        return frame_area_open(index, AREA_FRAMES);
    }
    uint16_t old = (uint16_t)used_count(index);
    if (old != 0 ||
        !atomic_compare_exchange_strong_explicit(&frame_memory.used[index], &old, AREA_FRAMES,
                                                 memory_order_acquire, memory_order_relaxed)) {
        MARK("frame: an area is not whole any more");
        return false;
    }
    for (uint32_t i = 0; i < AREA_WORDS; ++i) {
        atomic_store_explicit(&frame_memory.areas[index].taken[i], ~(uint64_t)0,
                              memory_order_relaxed);
    }
    pressure_taken(AREA_FRAMES);
    return true;
}

// Clears the bits of span below word end. Release pairs with the acquire in bits_set.
static void bits_clear(const struct span *span, uint32_t end)
{
    for (uint32_t i = span->at / 64; i < end; ++i) {
        uint64_t mask = span_mask(span, i);
        uint64_t old = atomic_fetch_and_explicit(&frame_memory.areas[span->area].taken[i], ~mask,
                                                 memory_order_release);
        ASSERT((old & mask) == mask);
    }
}

// False: somebody has one of them, and nothing changed.
static bool bits_set(const struct span *span)
{
    for (uint32_t i = span->at / 64; i * 64 < span->at + span->count; ++i) {
        _Atomic uint64_t *word = &frame_memory.areas[span->area].taken[i];
        uint64_t mask = span_mask(span, i);
        uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
        do {
            if (old & mask) {
                if (i > span->at / 64) {
                    MARK("frame: bits are given back, because others are another's");
                }
                bits_clear(span, i);
                return false;
            }
        } while (!atomic_compare_exchange_weak_explicit(
            word, &old, old | mask, memory_order_acquire, memory_order_relaxed));
    }
    return true;
}

enum bit { BIT_FREE, BIT_TAKEN };

// The first place at or after from that is so; AREA_FRAMES: none.
static uint32_t bit_find(const uint64_t *bits, uint32_t from, enum bit what)
{
    while (from < AREA_FRAMES) {
        uint64_t word = (what == BIT_TAKEN ? bits[from / 64] : ~bits[from / 64]) >> from % 64;
        if (word != 0) {
            return from + (uint32_t)__builtin_ctzll(word);
        }
        from = (from / 64 + 1) * 64;
    }
    return AREA_FRAMES;
}

// Looks for count free frames at a multiple of align; what it finds may be shorter, or nothing.
static void span_find(struct span *span, uint32_t count, uint32_t align)
{
    uint64_t bits[AREA_WORDS];
    for (uint32_t i = 0; i < AREA_WORDS; ++i) {
        bits[i] =
            atomic_load_explicit(&frame_memory.areas[span->area].taken[i], memory_order_relaxed);
    }
    span->count = 0;
    uint32_t at = 0;
    while (span->count < count) {
        at = (bit_find(bits, at, BIT_FREE) + align - 1) & ~(align - 1);
        if (at >= AREA_FRAMES) {
            return;
        }
        uint32_t end = (uint32_t)min_size(bit_find(bits, at, BIT_TAKEN), at + count);
        if (end - at > span->count) {
            span->at = at;
            span->count = end - at;
        }
        at = end == at ? at + align : end;
    }
}

struct wish {
    uint32_t count, align, count_min;
    uint32_t room;  // frames that are to be free, counted from the first; 0: those that are taken
    unsigned place; // frame_zones.h
};

// Takes count_min to count frames of one area. False: they are not there.
static bool area_take(size_t area, const struct wish *wish, struct span *span)
{
    uint32_t used = used_load(area);
    if (used == 0) {
        *span = (struct span){area, 0, wish->count};
        return frame_area_open(area, wish->count);
    }
    if ((used & USED_COUNT) + wish->count_min > AREA_FRAMES) {
        return false;
    }
    span->area = area;
    if (wish->room > 0) {
        span_find(span, wish->room, wish->align);
        span->count = span->count < wish->room ? 0 : wish->count;
    } else {
        span_find(span, wish->count, wish->align);
    }
    if (span->count < wish->count_min || span->count == 0 || !area_reserve(area, span->count)) {
        return false;
    }
    if (!bits_set(span)) {
        MARK("frame: room in an area, but its bits are another's");
        area_release(area, span->count);
        pressure_given(span->count);
        return false;
    }
    return true;
}

bool frame_borrow(size_t area, uint32_t at)
{
    _Atomic uint16_t *used = &frame_memory.used[area];
    const uint64_t bit = (uint64_t)1 << at % 64;
    uint16_t old = atomic_load_explicit(used, memory_order_relaxed);
    atomic_fetch_add(&openings, OPENING);
    while (old < AREA_FRAMES &&
           !atomic_compare_exchange_weak_explicit(used, &old, old + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
    }
    if (old < AREA_FRAMES) {
        // Acquire pairs with bits_clear, as in bits_set.
        if ((atomic_fetch_or_explicit(&frame_memory.areas[area].taken[at / 64], bit,
                                      memory_order_acquire) &
             bit) == 0) {
            return true;
        }
        MARK("frame: one that was free is somebody's");
        area_release(area, 1);
    }
    atomic_fetch_add(&openings, OPENED - OPENING);
    return false;
}

void frame_return(size_t area, uint32_t at)
{
    const struct span span = {area, at, 1};
    bits_clear(&span, at / 64 + 1);
    area_release(area, 1);
    atomic_fetch_add(&openings, OPENED - OPENING);
}

// ---- All areas -----------------------------------------------------------

// What was found too little may be more: others were taking or giving back meanwhile. before: what
// openings was then.
static bool is_changing(uint32_t before)
{
    const uint32_t after = atomic_load(&openings);
    return after != before || after % OPENED != 0;
}

static struct frame_cache *cache_mine(void)
{
    uint32_t index = percpu_index();
    ASSERT(index < frame_memory.cpu_count);
    return &frame_memory.caches[index];
}

static void hint_set(size_t area)
{
    uintptr_t irq = hal_irq_save();
    cache_mine()->hint = (uint32_t)area;
    hal_irq_restore(irq);
}

static size_t hint_get(void)
{
    uintptr_t irq = hal_irq_save();
    size_t area = cache_mine()->hint;
    hal_irq_restore(irq);
    return area;
}

// First in areas of the zone that are in use already, from where frames were taken last, then in
// unused ones from the top: whole areas are taken from the bottom.
static bool zone_find(struct frame_zone *zone, size_t hint, const struct wish *wish,
                      struct span *span)
{
    const size_t count = zone->end - zone->first;
    size_t area =
        hint - zone->first < count ? hint : atomic_load_explicit(&zone->hint, memory_order_relaxed);
    for (size_t i = 0; i < count; ++i) {
        area = area + 1 == zone->end ? zone->first : area + 1;
        if (used_count(area) != 0 && area_take(area, wish, span)) {
            return true;
        }
    }
    for (area = zone->end; area-- > zone->first;) {
        if (used_count(area) == 0 && area_take(area, wish, span)) {
            return true;
        }
    }
    return false;
}

// First where this CPU took frames last, then zone by zone. So a CPU whose node is full goes on in
// the area that it found elsewhere, and asks its own node again when that is full.
static bool small_find(const struct wish *wish, struct span *span)
{
    const size_t hint = hint_get();
    if (wish->place == 0 && area_take(hint, wish, span)) {
        return true;
    }
    uint32_t at = 0;
    struct frame_zone *zone;
    while ((zone = frame_zone_next(wish->place, &at)) != NULL) {
        if (zone_find(zone, hint, wish, span)) {
            if (wish->place == 0) {
                hint_set(span->area);
            } else {
                atomic_store_explicit(&zone->hint, (uint32_t)span->area, memory_order_relaxed);
            }
            return true;
        }
    }
    return false;
}

// An area looks full while another CPU opens it, and a free frame taken while it is cleared: what
// was not found then may be there.
static bool small_take(const struct wish *wish, struct span *span)
{
    for (int tries = 0; tries < WHOLE_TRIES; ++tries) {
        uint32_t before = atomic_load(&openings);
        if (small_find(wish, span)) {
            frame_zone_count(span->area, span->count, wish->place);
            return true;
        }
        if (!is_changing(before)) {
            return false;
        }
        MARK("frame: areas were opened meanwhile");
    }
    return false;
}

// The first sequence of count unused areas of [from, end), or the longest.
static size_t whole_find(size_t from, size_t end, size_t count, size_t *first)
{
    size_t best = 0, length = 0;
    for (size_t i = from; i < end && best < count; ++i) {
        bool unused = used_count(i) == 0;
        length = unused ? length + 1 : 0;
        if (length > best) {
            best = length;
            *first = i + 1 - length;
        }
    }
    return best;
}

// In the first zone that has count_min; else, where they may lie anywhere, across zones.
static size_t whole_search(size_t count, size_t count_min, unsigned place, size_t *first)
{
    uint32_t at = 0;
    size_t found = 0;
    const struct frame_zone *zone;
    while ((zone = frame_zone_next(place, &at)) != NULL) {
        found = whole_find(zone->first, zone->end, count, first);
        if (found > 0 && found >= count_min) {
            return found;
        }
    }
    return count_min > 1 && frame_zones.node_count > 1 && frame_place_nodes(place) == 0
               ? whole_find(0, frame_memory.area_count, count, first)
               : found;
}

// Takes count_min to count neighbouring areas whole, and answers how many; 0: none.
static size_t whole_take(size_t count, size_t count_min, unsigned place, size_t *first)
{
    for (int tries = 0; tries < WHOLE_TRIES; ++tries) {
        const uint32_t before = atomic_load(&openings);
        size_t found = whole_search(count, count_min, place, first);
        if ((found < count_min || found == 0) && !is_changing(before)) {
            return 0;
        }
        if (found < count_min || found == 0) {
            MARK("frame: a frame of an area that is whole was cleared");
            continue;
        }
        size_t taken = 0;
        while (taken < found && area_take_whole(*first + taken)) {
            ++taken;
        }
        if (taken >= count_min && taken > 0) {
            return taken;
        }
        MARK("frame: fewer whole areas than were found");
        frame_free(frame_memory.first + ((hal_phys)*first << AREA_SHIFT), taken * AREA_FRAMES);
    }
    return 0;
}

// Takes count_min to count frames from the start of an area on.
static size_t large_take(size_t count, size_t count_min, unsigned place, hal_phys *start)
{
    size_t areas = (count + AREA_FRAMES - 1) / AREA_FRAMES;
    size_t first = 0;
    size_t taken = whole_take(areas, (count_min + AREA_FRAMES - 1) / AREA_FRAMES, place, &first);
    if (taken == 0) {
        return 0;
    }
    *start = frame_memory.first + ((hal_phys)first << AREA_SHIFT);
    size_t frames = min_size(taken * AREA_FRAMES, count);
    frame_zone_count(first, frames, place);
    frame_free(*start + (hal_phys)frames * HAL_PAGE_SIZE, taken * AREA_FRAMES - frames);
    return frames;
}

// ---- Checkers ------------------------------------------------------------

// Frames are open to whoever took them; what is in them is not followed before the heap cuts them
// up.
static inline void frames_tell(enum hal_check state, hal_phys start, size_t count)
{
    if (__builtin_expect(frame_memory.is_checked, 0)) {
        hal_check_set(state, frame_address(start), count * HAL_PAGE_SIZE);
    }
}

// ---- Zeros ---------------------------------------------------------------

// Sets the mark of the frames in mask, and answers which of them had it.
static uint64_t dirty_mark(struct area *area, uint32_t word, uint64_t mask)
{
    _Atomic uint64_t *dirty = &area->dirty[word];
    // Relaxed, and a plain store where all of it is ours: only who has a frame touches its bit.
    uint64_t old = atomic_load_explicit(dirty, memory_order_relaxed);
    if ((old & mask) != mask) {
        if (mask == ~(uint64_t)0) {
            atomic_store_explicit(dirty, mask, memory_order_relaxed);
        } else {
            old = atomic_fetch_or_explicit(dirty, mask, memory_order_relaxed);
        }
    }
    return old & mask;
}

static void frames_clear(hal_phys start, uint64_t bits)
{
    while (bits != 0) {
        uint32_t from = (uint32_t)__builtin_ctzll(bits);
        uint64_t rest = ~(bits >> from);
        uint32_t count = rest == 0 ? 64 : (uint32_t)__builtin_ctzll(rest);
        memset(frame_address(start + (hal_phys)from * HAL_PAGE_SIZE), 0,
               (size_t)count * HAL_PAGE_SIZE);
        bits &= count == 64 ? 0 : ~((((uint64_t)1 << count) - 1) << from);
    }
}

// Zeros were asked for; late of the frames had to be cleared.
static void zeros_note(size_t count, size_t late)
{
    const uintptr_t irq = hal_irq_save();
    struct frame_clearing *clearing = &cache_mine()->clearing;
    count_add(&clearing->zeros[0], count - late);
    count_add(&clearing->zeros[CACHED_DIRTY], late);
    frame_clear_ask(clearing, (uint32_t)count);
    hal_irq_restore(irq);
}

// Makes frames that were just taken what flags ask for.
static void run_prepare(hal_phys start, size_t count, unsigned flags)
{
    const size_t all = count;
    size_t late = 0;
    frames_tell(HAL_CHECK_VALID, start, count);
    while (count > 0) {
        struct span span = span_of(start, count);
        for (uint32_t i = span.at / 64; i * 64 < span.at + span.count; ++i) {
            uint64_t dirty = dirty_mark(&frame_memory.areas[span.area], i, span_mask(&span, i));
            if (flags & FRAME_ZERO) {
                struct span word = {span.area, i * 64, 64};
                frames_clear(span_start(&word), dirty);
                late += (size_t)__builtin_popcountll(dirty);
            }
        }
        start += (hal_phys)span.count * HAL_PAGE_SIZE;
        count -= span.count;
    }
    if (flags & FRAME_ZERO) {
        zeros_note(all, late);
    }
}

// ---- Single frames -------------------------------------------------------

static void run_free(hal_phys start, size_t count)
{
    while (count > 0) {
        struct span span = span_of(start, count);
        bits_clear(&span, (span.at + span.count + 63) / 64);
        area_release(span.area, span.count);
        start += (hal_phys)span.count * HAL_PAGE_SIZE;
        count -= span.count;
    }
}

static bool is_promised(size_t count, unsigned flags)
{
    return (flags & FRAME_PROMISED) == 0 && pressure_spare() < count &&
           atomic_load_explicit(&pressure.promised, memory_order_relaxed) > 0;
}

// Interrupts are off.
static void cache_fill(struct frame_cache *cache, unsigned flags)
{
    static const struct wish wish = {CACHE_BATCH, 1, 1, 0, 0};
    struct span span;
    if (is_promised(CACHE_BATCH, flags) || !small_take(&wish, &span)) {
        return;
    }
    frame_peak_look();
    if ((flags & FRAME_ZERO) != 0) {
        frame_clear_ask(&cache->clearing, span.count);
    }
    for (uint32_t i = span.count; i-- > 0;) {
        uint32_t at = span.at + i;
        uint64_t dirty =
            dirty_mark(&frame_memory.areas[span.area], at / 64, (uint64_t)1 << at % 64);
        struct span frame = {span.area, at, 1};
        cache->frames[cache->count++] = span_start(&frame) | (dirty != 0 ? CACHED_DIRTY : 0);
    }
    cache->clearing.has_none = false;
}

static void cache_drain(struct frame_cache *cache, uint32_t count)
{
    uint32_t before = cache->count;
    while (cache->count > count) {
        run_free(cache->frames[--cache->count] & ~(hal_phys)CACHED_DIRTY, 1);
    }
    pressure_given(before - cache->count);
}

// There is one. Interrupts are off; turns them on again.
static inline void single_take(struct frame_cache *cache, unsigned flags, uintptr_t irq,
                               hal_phys *start)
{
    const hal_phys frame = cache->frames[--cache->count];
    const bool is_cleared = (flags & FRAME_ZERO) != 0;
    if (is_cleared) {
        count_add(&cache->clearing.zeros[frame & CACHED_DIRTY], 1);
    }
    hal_irq_restore(irq);
    *start = frame & ~(hal_phys)CACHED_DIRTY;
    frames_tell(HAL_CHECK_VALID, *start, 1);
    if (is_cleared && (frame & CACHED_DIRTY)) {
        memset(frame_address(*start), 0, HAL_PAGE_SIZE);
    }
}

static __attribute__((noinline)) int single_alloc_more(unsigned flags, hal_phys *start)
{
    const uintptr_t irq = hal_irq_save();
    struct frame_cache *cache = cache_mine();
    if (cache->count == 0) {
        cache_fill(cache, flags);
    }
    if (cache->count == 0) {
        hal_irq_restore(irq);
        *start = 0;
        return -ENOMEM;
    }
    single_take(cache, flags, irq, start);
    return 0;
}

static int single_alloc(unsigned flags, hal_phys *start)
{
    const uintptr_t irq = hal_irq_save();
    struct frame_cache *cache = cache_mine();
    if (cache->count == 0) {
        hal_irq_restore(irq);
        return single_alloc_more(flags, start);
    }
    single_take(cache, flags, irq, start);
    return 0;
}

static inline void single_keep(struct frame_cache *cache, hal_phys start)
{
    cache->frames[cache->count++] = start | CACHED_DIRTY;
    cache->clearing.has_none = false;
}

// A CPU keeps frames of its own node only.
static __attribute__((noinline)) void single_free_more(struct frame_cache *cache, hal_phys start)
{
    if (cache->count == CACHE_MAX) {
        cache_drain(cache, CACHE_MAX - CACHE_BATCH);
    }
    if (frame_zones.node_count == 1 || frame_node_of(start) == frame_node_of_cpu(percpu_index())) {
        single_keep(cache, start);
    } else {
        run_free(start, 1);
        pressure_given(1);
    }
}

static void single_free(hal_phys start)
{
    uintptr_t irq = hal_irq_save();
    struct frame_cache *cache = cache_mine();
    if (cache->count >= cache->room) {
        single_free_more(cache, start);
    } else {
        single_keep(cache, start);
    }
    hal_irq_restore(irq);
}

// Gives back what this CPU keeps, so that it can be part of something larger.
static void cache_empty(void)
{
    uintptr_t irq = hal_irq_save();
    cache_drain(cache_mine(), 0);
    hal_irq_restore(irq);
}

// ---- The contract --------------------------------------------------------

static uint32_t power_above(size_t count)
{
    return count <= 1 ? 1 : (uint32_t)1 << (64 - __builtin_clzll(count - 1));
}

static bool run_take(size_t count, unsigned place, hal_phys *start)
{
    if (count > AREA_FRAMES / 2) {
        return large_take(count, count, place, start) != 0;
    }
    struct wish wish = {(uint32_t)count, power_above(count), (uint32_t)count, 0, place};
    struct span span;
    if (!small_take(&wish, &span)) {
        return false;
    }
    *start = span_start(&span);
    return true;
}

static int run_alloc(size_t count, unsigned flags, unsigned place, hal_phys *start)
{
    if (is_promised(count, flags) || !run_take(count, place, start)) {
        cache_empty();
        if (is_promised(count, flags) || !run_take(count, place, start)) {
            return -ENOMEM;
        }
    }
    frame_peak_look();
    run_prepare(*start, count, flags);
    return 0;
}

static _Atomic bool is_injected; // may fail because the machine says so

void frame_inject_start(void)
{
    atomic_store(&is_injected, true);
}

static bool is_refused(unsigned flags)
{
    // Relaxed: whoever still sees false is served.
    return (flags & FRAME_SURE) == 0 && atomic_load_explicit(&is_injected, memory_order_relaxed) &&
           hal_inject(HAL_INJECT_PAGE);
}

int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    ASSERT(count > 0);
    if (is_refused(flags)) {
        return -ENOMEM;
    }
    if (count == 1) {
        return single_alloc(flags, start);
    }
    return run_alloc(count, flags, 0, start);
}

int frame_alloc_placed(size_t count, unsigned flags, unsigned place, hal_phys *start)
{
    ASSERT(count > 0);
    return is_refused(flags) ? -ENOMEM : run_alloc(count, flags, place, start);
}

int frame_alloc_room(size_t count, size_t room, hal_phys *start)
{
    ASSERT(count > 0 && count <= room && room <= AREA_FRAMES);
    struct wish wish = {(uint32_t)count, power_above(room), (uint32_t)count, (uint32_t)room, 0};
    struct span span;
    if (is_refused(0) || is_promised(count, 0) || !small_take(&wish, &span)) {
        return -ENOMEM;
    }
    *start = span_start(&span);
    frame_peak_look();
    run_prepare(*start, count, 0);
    return 0;
}

bool frame_take_next(hal_phys start, size_t count)
{
    struct span span = span_of(start, count);
    if (span.count < count || is_promised(count, 0) || !area_reserve(span.area, span.count)) {
        return false;
    }
    if (!bits_set(&span)) {
        MARK("frame: the next ones are another's");
        area_release(span.area, span.count);
        pressure_given(span.count);
        return false;
    }
    frame_peak_look();
    run_prepare(start, count, 0);
    return true;
}

size_t frame_alloc_run(size_t count_max, unsigned flags, hal_phys *start)
{
    ASSERT(count_max > 0);
    if (is_refused(flags)) {
        return 0;
    }
    if (count_max == 1) {
        return single_alloc(flags, start) == 0 ? 1 : 0;
    }
    if (is_promised(count_max, flags)) {
        return single_alloc(flags, start) == 0 ? 1 : 0;
    }
    size_t count = count_max >= AREA_FRAMES ? large_take(count_max, AREA_FRAMES, 0, start) : 0;
    uint32_t wanted = (uint32_t)min_size(count_max, AREA_FRAMES);
    for (uint32_t least = wanted; count == 0 && least > 0; least /= 8) {
        struct wish wish = {wanted, 1, least, 0, 0};
        struct span span;
        if (small_take(&wish, &span)) {
            *start = span_start(&span);
            count = span.count;
        }
    }
    if (count == 0) {
        return single_alloc(flags, start) == 0 ? 1 : 0;
    }
    frame_peak_look();
    run_prepare(*start, count, flags);
    return count;
}

void frame_free(hal_phys start, size_t count)
{
    ASSERT(start % HAL_PAGE_SIZE == 0);
    frames_tell(HAL_CHECK_CLOSED, start, count);
    if (count == 1) {
        single_free(start);
    } else {
        run_free(start, count);
        pressure_given(count);
    }
}

char *frame_address(hal_phys frame)
{
    return frame_memory.direct_base + frame;
}
