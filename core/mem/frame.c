// SPDX-License-Identifier: BSD-3-Clause
// frame.c: physical page frames, without a lock: an array of 2 MiB areas, after LLFree (Wrenger et
// al., ATC 2023).
//
// An area is 512 frames: a bit for each that is taken, and a counter, `used`. Whoever takes frames
// first raises the counter, then sets the bits; whoever gives back clears the bits, then lowers the
// counter.
//
// Invariant: used >= the number of bits set, so used == 0 says that nobody has or is about to take
// a frame here, and a compare-and-swap from 0 to 512 takes the whole area.
//
// A second bit per frame says that it may have been written to: while it is 0 and the machine's
// memory came zeroed, the frame reads as zeros. All-zero metadata is memory that is all free and
// never used, so boot touches none of it. Single frames go through a small array per CPU.
#include "core/mem/frame.h"

#include <stdatomic.h>
#include <stdint.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/percpu.h"

enum {
    AREA_SHIFT = 21,
    AREA_FRAMES = 512,
    AREA_WORDS = AREA_FRAMES / 64,
    CACHE_MAX = 124,  // single frames that a CPU keeps at most
    CACHE_BATCH = 32, // and how many it takes or gives back at once
    WHOLE_TRIES = 8,  // searches for whole areas that lost a race before the answer is "none"
    CACHED_DIRTY = 1, // in an address in a cache: the frame may have been written to
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
static struct {
    hal_phys first;
    size_t area_count;
    size_t total;
    char *direct_base;
    struct area *areas;
    _Atomic uint32_t *used; // of each area, 0 .. AREA_FRAMES
    struct frame_cache *caches;
    uint32_t cpu_count;
    bool memory_is_zero;
    bool is_checked;
} memory;

// Frames [at, at + count) of one area.
struct span {
    size_t area;
    uint32_t at, count;
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static hal_phys span_start(const struct span *span)
{
    return memory.first + ((hal_phys)span->area << AREA_SHIFT) + (hal_phys)span->at * HAL_PAGE_SIZE;
}

// The first part of the run of count frames at start that lies in one area.
static struct span span_of(hal_phys start, size_t count)
{
    uint64_t index = (start - memory.first) / HAL_PAGE_SIZE;
    uint32_t at = index % AREA_FRAMES;
    return (struct span){index / AREA_FRAMES, at, (uint32_t)min_size(count, AREA_FRAMES - at)};
}

// The bits of word index that belong to span.
static uint64_t span_mask(const struct span *span, uint32_t index)
{
    uint32_t low = index * 64, high = low + 64;
    uint32_t from = span->at > low ? span->at : low;
    uint32_t to = span->at + span->count < high ? span->at + span->count : high;
    if (from >= to) {
        return 0;
    }
    return ~(uint64_t)0 >> (64 - (to - from)) << (from - low);
}

// ---- One area ------------------------------------------------------------

// False: fewer than count frames are left.
static bool area_reserve(size_t area, uint32_t count)
{
    // Acquire pairs with the release in area_release: the counter says that bits are clear.
    uint32_t used = atomic_load_explicit(&memory.used[area], memory_order_relaxed);
    do {
        if (used + count > AREA_FRAMES) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&memory.used[area], &used, used + count,
                                                    memory_order_acquire, memory_order_relaxed));
    return true;
}

static void area_release(size_t area, uint32_t count)
{
    uint32_t used = atomic_fetch_sub_explicit(&memory.used[area], count, memory_order_release);
    ASSERT(used >= count);
}

// Takes every frame of an area that has all of them free.
static bool area_take_whole(size_t index)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong_explicit(&memory.used[index], &none, AREA_FRAMES,
                                                 memory_order_acquire, memory_order_relaxed)) {
        MARK("frame: an area is not whole any more");
        return false;
    }
    for (uint32_t i = 0; i < AREA_WORDS; ++i) {
        atomic_store_explicit(&memory.areas[index].taken[i], ~(uint64_t)0, memory_order_relaxed);
    }
    return true;
}

// Clears the bits of span below word end. Release pairs with the acquire in bits_set.
static void bits_clear(const struct span *span, uint32_t end)
{
    for (uint32_t i = span->at / 64; i < end; ++i) {
        uint64_t mask = span_mask(span, i);
        uint64_t old = atomic_fetch_and_explicit(&memory.areas[span->area].taken[i], ~mask,
                                                 memory_order_release);
        ASSERT((old & mask) == mask);
    }
}

// False: somebody has one of them, and nothing changed.
static bool bits_set(const struct span *span)
{
    for (uint32_t i = span->at / 64; i * 64 < span->at + span->count; ++i) {
        _Atomic uint64_t *word = &memory.areas[span->area].taken[i];
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
        bits[i] = atomic_load_explicit(&memory.areas[span->area].taken[i], memory_order_relaxed);
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
};

// Takes count_min to count frames of one area. False: they are not there.
static bool area_take(size_t area, const struct wish *wish, struct span *span)
{
    uint32_t used = atomic_load_explicit(&memory.used[area], memory_order_relaxed);
    if (used + wish->count_min > AREA_FRAMES) {
        return false;
    }
    span->area = area;
    span_find(span, wish->count, wish->align);
    if (span->count < wish->count_min || span->count == 0 || !area_reserve(area, span->count)) {
        return false;
    }
    if (!bits_set(span)) {
        MARK("frame: room in an area, but its bits are another's");
        area_release(area, span->count);
        return false;
    }
    return true;
}

// ---- All areas -----------------------------------------------------------

static struct frame_cache *cache_mine(void)
{
    uint32_t index = percpu_index();
    ASSERT(index < memory.cpu_count);
    return &memory.caches[index];
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

// First where this CPU took frames last, then in areas that are in use already, then in unused ones
// from the top: whole areas are taken from the bottom.
static bool small_take(const struct wish *wish, struct span *span)
{
    size_t hint = hint_get();
    if (area_take(hint, wish, span)) {
        return true;
    }
    size_t area = hint;
    for (size_t i = 1; i < memory.area_count; ++i) {
        area = area + 1 == memory.area_count ? 0 : area + 1;
        if (atomic_load_explicit(&memory.used[area], memory_order_relaxed) != 0 &&
            area_take(area, wish, span)) {
            hint_set(area);
            return true;
        }
    }
    for (area = memory.area_count; area-- > 0;) {
        if (atomic_load_explicit(&memory.used[area], memory_order_relaxed) == 0 &&
            area_take(area, wish, span)) {
            hint_set(area);
            return true;
        }
    }
    return false;
}

// The first sequence of count unused areas, or the longest.
static size_t whole_find(size_t count, size_t *first)
{
    size_t best = 0, length = 0;
    for (size_t i = 0; i < memory.area_count && best < count; ++i) {
        bool unused = atomic_load_explicit(&memory.used[i], memory_order_relaxed) == 0;
        length = unused ? length + 1 : 0;
        if (length > best) {
            best = length;
            *first = i + 1 - length;
        }
    }
    return best;
}

// Takes count_min to count neighbouring areas whole, and answers how many; 0: none.
static size_t whole_take(size_t count, size_t count_min, size_t *first)
{
    for (int tries = 0; tries < WHOLE_TRIES; ++tries) {
        size_t found = whole_find(count, first);
        if (found < count_min || found == 0) {
            return 0;
        }
        size_t taken = 0;
        while (taken < found && area_take_whole(*first + taken)) {
            ++taken;
        }
        if (taken >= count_min && taken > 0) {
            return taken;
        }
        MARK("frame: fewer whole areas than were found");
        frame_free(memory.first + ((hal_phys)*first << AREA_SHIFT), taken * AREA_FRAMES);
    }
    return 0;
}

// Takes count_min to count frames from the start of an area on.
static size_t large_take(size_t count, size_t count_min, hal_phys *start)
{
    size_t areas = (count + AREA_FRAMES - 1) / AREA_FRAMES;
    size_t first = 0;
    size_t taken = whole_take(areas, (count_min + AREA_FRAMES - 1) / AREA_FRAMES, &first);
    if (taken == 0) {
        return 0;
    }
    *start = memory.first + ((hal_phys)first << AREA_SHIFT);
    size_t frames = min_size(taken * AREA_FRAMES, count);
    frame_free(*start + (hal_phys)frames * HAL_PAGE_SIZE, taken * AREA_FRAMES - frames);
    return frames;
}

// ---- Checkers ------------------------------------------------------------

// Frames are open to whoever took them; what is in them is not followed before the heap cuts them
// up.
static inline void frames_tell(enum hal_check state, hal_phys start, size_t count)
{
    if (__builtin_expect(memory.is_checked, 0)) {
        hal_check_set(state, frame_address(start), count * HAL_PAGE_SIZE);
    }
}

bool frame_is_checked(void)
{
    return memory.is_checked;
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
    return (memory.memory_is_zero ? old : ~(uint64_t)0) & mask;
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

// Makes frames that were just taken what flags ask for.
static void run_prepare(hal_phys start, size_t count, unsigned flags)
{
    frames_tell(HAL_CHECK_VALID, start, count);
    while (count > 0) {
        struct span span = span_of(start, count);
        for (uint32_t i = span.at / 64; i * 64 < span.at + span.count; ++i) {
            uint64_t dirty = dirty_mark(&memory.areas[span.area], i, span_mask(&span, i));
            if (flags & FRAME_ZERO) {
                struct span word = {span.area, i * 64, 64};
                frames_clear(span_start(&word), dirty);
            }
        }
        start += (hal_phys)span.count * HAL_PAGE_SIZE;
        count -= span.count;
    }
}

// ---- The high-water mark ---------------------------------------------------

static _Atomic bool peak_is_watched;
static _Atomic size_t peak;

// Frames have been taken out of areas.
static void peak_look(void)
{
    if (!atomic_load_explicit(&peak_is_watched, memory_order_relaxed)) {
        return;
    }
    size_t used = memory.total - frame_free_count();
    size_t highest = atomic_load_explicit(&peak, memory_order_relaxed);
    while (used > highest && !atomic_compare_exchange_weak(&peak, &highest, used)) {
    }
}

void frame_peak_watch(void)
{
    atomic_store(&peak_is_watched, true);
    peak_look();
}

size_t frame_peak_count(void)
{
    peak_look();
    return atomic_load(&peak);
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

// Interrupts are off.
static void cache_fill(struct frame_cache *cache)
{
    static const struct wish wish = {CACHE_BATCH, 1, 1};
    struct span span;
    if (!small_take(&wish, &span)) {
        return;
    }
    peak_look();
    for (uint32_t i = span.count; i-- > 0;) {
        uint32_t at = span.at + i;
        uint64_t dirty = dirty_mark(&memory.areas[span.area], at / 64, (uint64_t)1 << at % 64);
        struct span frame = {span.area, at, 1};
        cache->frames[cache->count++] = span_start(&frame) | (dirty != 0 ? CACHED_DIRTY : 0);
    }
}

static void cache_drain(struct frame_cache *cache, uint32_t count)
{
    while (cache->count > count) {
        run_free(cache->frames[--cache->count] & ~(hal_phys)CACHED_DIRTY, 1);
    }
}

static int single_alloc(unsigned flags, hal_phys *start)
{
    uintptr_t irq = hal_irq_save();
    struct frame_cache *cache = cache_mine();
    if (cache->count == 0) {
        cache_fill(cache);
    }
    hal_phys frame = cache->count > 0 ? cache->frames[--cache->count] : CACHED_DIRTY;
    hal_irq_restore(irq);
    *start = frame & ~(hal_phys)CACHED_DIRTY;
    if (*start == 0) {
        return -ENOMEM;
    }
    frames_tell(HAL_CHECK_VALID, *start, 1);
    if ((flags & FRAME_ZERO) && (frame & CACHED_DIRTY)) {
        memset(frame_address(*start), 0, HAL_PAGE_SIZE);
    }
    return 0;
}

static void single_free(hal_phys start)
{
    uintptr_t irq = hal_irq_save();
    struct frame_cache *cache = cache_mine();
    if (cache->count == CACHE_MAX) {
        cache_drain(cache, CACHE_MAX - CACHE_BATCH);
    }
    cache->frames[cache->count++] = start | CACHED_DIRTY;
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

static bool run_take(size_t count, hal_phys *start)
{
    if (count > AREA_FRAMES / 2) {
        return large_take(count, count, start) != 0;
    }
    struct wish wish = {(uint32_t)count, power_above(count), (uint32_t)count};
    struct span span;
    if (!small_take(&wish, &span)) {
        return false;
    }
    *start = span_start(&span);
    return true;
}

static _Atomic bool is_injected; // may fail because the machine says so

void frame_inject_start(void)
{
    atomic_store(&is_injected, true);
}

static bool is_refused(void)
{
    // Relaxed: whoever still sees false is served.
    return atomic_load_explicit(&is_injected, memory_order_relaxed) && hal_inject(HAL_INJECT_PAGE);
}

int frame_alloc(size_t count, unsigned flags, hal_phys *start)
{
    ASSERT(count > 0);
    if (is_refused()) {
        return -ENOMEM;
    }
    if (count == 1) {
        return single_alloc(flags, start);
    }
    if (!run_take(count, start)) {
        cache_empty();
        if (!run_take(count, start)) {
            return -ENOMEM;
        }
    }
    peak_look();
    run_prepare(*start, count, flags);
    return 0;
}

size_t frame_alloc_run(size_t count_max, unsigned flags, hal_phys *start)
{
    ASSERT(count_max > 0);
    if (is_refused()) {
        return 0;
    }
    if (count_max == 1) {
        return single_alloc(flags, start) == 0 ? 1 : 0;
    }
    size_t count = count_max >= AREA_FRAMES ? large_take(count_max, AREA_FRAMES, start) : 0;
    uint32_t wanted = (uint32_t)min_size(count_max, AREA_FRAMES);
    for (uint32_t least = wanted; count == 0 && least > 0; least /= 8) {
        struct wish wish = {wanted, 1, least};
        struct span span;
        if (small_take(&wish, &span)) {
            *start = span_start(&span);
            count = span.count;
        }
    }
    if (count == 0) {
        return single_alloc(flags, start) == 0 ? 1 : 0;
    }
    peak_look();
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
    }
}

char *frame_address(hal_phys frame)
{
    return memory.direct_base + frame;
}

hal_phys frame_of(const void *address)
{
    ASSERT(frame_is_direct(address));
    return (hal_phys)((const char *)address - memory.direct_base);
}

char *frame_direct_base(void)
{
    return memory.direct_base;
}

bool frame_is_direct(const void *address)
{
    return (uintptr_t)address - (uintptr_t)memory.direct_base - memory.first < frame_span();
}

hal_phys frame_first(void)
{
    return memory.first;
}

size_t frame_span(void)
{
    return memory.area_count << AREA_SHIFT;
}

bool frame_is_taken(hal_phys frame)
{
    struct span span = span_of(frame, 1);
    return span.area < memory.area_count &&
           (atomic_load_explicit(&memory.areas[span.area].taken[span.at / 64],
                                 memory_order_relaxed) >>
                (span.at % 64) &
            1) != 0;
}

// For statistics: the CPU may be changing it.
static MARK_GUESS uint32_t cache_count(uint32_t cpu)
{
    return *(volatile uint32_t *)&memory.caches[cpu].count;
}

size_t frame_free_count(void)
{
    size_t used = 0, cached = 0;
    for (size_t i = 0; i < memory.area_count; ++i) {
        used += atomic_load_explicit(&memory.used[i], memory_order_relaxed);
    }
    for (uint32_t i = 0; i < memory.cpu_count; ++i) {
        cached += cache_count(i);
    }
    return memory.area_count * AREA_FRAMES - used + cached;
}

size_t frame_total_count(void)
{
    return memory.total;
}

// ---- Boot ----------------------------------------------------------------

// Takes the frames of [start, end) out for ever. Some may be out already.
static void frames_withhold(hal_phys start, hal_phys end)
{
    size_t count = (end - start) / HAL_PAGE_SIZE;
    while (count > 0) {
        struct span span = span_of(start, count);
        for (uint32_t i = span.at / 64; i * 64 < span.at + span.count; ++i) {
            _Atomic uint64_t *word = &memory.areas[span.area].taken[i];
            uint64_t mask = span_mask(&span, i);
            uint64_t fresh = mask & ~atomic_fetch_or(word, mask);
            atomic_fetch_add(&memory.used[span.area], (uint32_t)__builtin_popcountll(fresh));
        }
        start += (hal_phys)span.count * HAL_PAGE_SIZE;
        count -= span.count;
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
    hal_phys end = memory.first;
    for (size_t i = 0; i < boot->region_count; ++i) {
        const struct hal_region *region = &boot->regions[i];
        ASSERT(region_start(region) >= end);
        frames_withhold(end, region_start(region));
        end = region_end(region);
        memory.total += (end - region_start(region)) / HAL_PAGE_SIZE;
    }
    frames_withhold(end, memory.first + frame_span());
    for (size_t i = 0; i < boot->module_count; ++i) {
        hal_phys from = boot->modules[i].start / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
        hal_phys to = round_up(boot->modules[i].start + boot->modules[i].size, HAL_PAGE_SIZE);
        hal_phys limit = memory.first + frame_span();
        from = from < memory.first ? memory.first : from;
        to = to > limit ? limit : to;
        if (from < to) {
            frames_withhold(from, to);
        }
    }
    // Address 0 stands for "none" in single_alloc and in translation tables.
    if (memory.first == 0) {
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
    memory.first = boot->regions[0].start / area_size * area_size;
    memory.area_count = (end - memory.first) >> AREA_SHIFT;
    memory.total = 0;
    memory.direct_base = boot->direct_base;
    memory.cpu_count = boot->cpu_count;
    memory.memory_is_zero = boot->memory_is_zero;
    memory.is_checked = boot->is_checked;
    size_t areas_size = memory.area_count * sizeof(struct area);
    size_t caches_size = memory.cpu_count * sizeof(struct frame_cache);
    size_t size = areas_size + caches_size + memory.area_count * sizeof(uint32_t);
    size = round_up(size, HAL_PAGE_SIZE);
    hal_phys place = metadata_place(boot, size);
    char *base = frame_address(place);
    frames_tell(HAL_CHECK_VALID, place, size / HAL_PAGE_SIZE);
    if (!boot->memory_is_zero) {
        memset(base, 0, size);
    }
    memory.areas = (struct area *)(void *)base;
    memory.caches = (struct frame_cache *)(void *)(base + areas_size);
    memory.used = (_Atomic uint32_t *)(void *)(base + areas_size + caches_size);
    holes_withhold(boot);
    frames_withhold(place, place + size);
    for (uint32_t i = 0; i < memory.cpu_count; ++i) {
        memory.caches[i].hint = (uint32_t)(memory.area_count - 1);
    }
}
