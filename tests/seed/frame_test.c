// SPDX-License-Identifier: BSD-3-Clause
// frame_test.c: core/mem/frame.c under every schedule of two CPUs with at most two or three
// preemptions:
// no frame is given to two, and none is lost.
#include "core/mem/frame.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/pressure.h"
#include "seed.h"
#include "seed_main.h"

enum { MIB = 1 << 20, AREA = 2 * MIB, AREA_PAGES = AREA / HAL_PAGE_SIZE, HELD_MAX = 4, WORD = 64 };

// Area 0 has the pages that frame.c takes for itself; areas 1 and 2 are all there and fresh, but
// that reset_part leaves the last pages of area 1 out: the area has its bits.
static _Alignas(AREA) char memory[3 * AREA];
static uint32_t cpus[SEED_CPU_COUNT]; // struct cpu as far as core/mem knows it
static size_t free_before, size_all;  // of areas 1 and 2

static struct held {
    hal_phys start;
    size_t count;
} held[SEED_CPU_COUNT][HELD_MAX];

static void reset_size(size_t size)
{
    static struct hal_region regions[2];
    struct hal_boot boot = {
        .cpu_count = SEED_CPU_COUNT,
        .direct_base = (char *)((uintptr_t)memory - AREA),
        .regions = regions,
        .region_count = 2,
    };
    regions[0].start = AREA;
    regions[0].size = (size > AREA ? 3 : 2) * HAL_PAGE_SIZE;
    regions[1].start = (hal_phys)2 * AREA;
    regions[1].size = size;
    size_all = size;
    memset(held, 0, sizeof held);
    frame_init(&boot);
    free_before = frame_free_count();
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        cpus[i] = i;
        seed_cpu_set(i, (struct cpu *)(void *)&cpus[i]);
    }
}

static void reset_one(void)
{
    reset_size(AREA);
}

static void reset_two(void)
{
    reset_size((size_t)2 * AREA);
}

static void reset_part(void)
{
    reset_size(AREA - (size_t)16 * HAL_PAGE_SIZE);
}

static void check(void)
{
    seed_check(frame_free_count() == free_before, "frames were lost, or are there twice");
    for (size_t i = 0; i < SEED_CPU_COUNT * HELD_MAX; ++i) {
        seed_check((&held[0][0])[i].count == 0, "the test did not give all back");
    }
}

// For those that leave nothing in the store of a CPU.
static void check_bits(void)
{
    check();
    for (size_t i = 0; i < size_all / HAL_PAGE_SIZE; ++i) {
        hal_phys frame = (hal_phys)2 * AREA + i * HAL_PAGE_SIZE;
        seed_check(!frame_is_taken(frame), "a bit was left");
    }
    seed_check(pressure_left() == free_before, "frames were not counted, or were twice");
}

// Each is one step.

MARK_GUESS static void hold(hal_phys start, size_t count)
{
    struct held *other = held[!seed_index()], *own = held[seed_index()];
    for (unsigned i = 0; i < HELD_MAX; ++i) {
        seed_check(other[i].count == 0 ||
                       start >= other[i].start + other[i].count * HAL_PAGE_SIZE ||
                       other[i].start >= start + count * HAL_PAGE_SIZE,
                   "a frame was given to two");
    }
    while (own->count != 0) {
        ++own;
    }
    *own = (struct held){start, count};
}

MARK_GUESS static void let_go(hal_phys start)
{
    struct held *own = held[seed_index()];
    while (own->start != start || own->count == 0) {
        ++own;
    }
    own->count = 0;
}

static hal_phys take(size_t count)
{
    hal_phys start;
    if (frame_alloc(count, 0, &start) != 0) {
        return 0;
    }
    hold(start, count);
    return start;
}

static void give(hal_phys start, size_t count)
{
    if (start != 0) {
        let_go(start);
        frame_free(start, count);
    }
}

// ---- Bodies -----------------------------------------------------------------

static void take_area(void)
{
    give(take(AREA_PAGES), AREA_PAGES);
}

static void take_areas(void)
{
    give(take((size_t)2 * AREA_PAGES), (size_t)2 * AREA_PAGES);
}

static void take_word(void)
{
    give(take(WORD), WORD);
    give(take(WORD), WORD);
}

static void take_two_words(void)
{
    give(take((size_t)2 * WORD), (size_t)2 * WORD);
}

// The first word, the second, and then the first is free again.
static void take_second_word(void)
{
    hal_phys first = take(WORD), second = take(WORD);
    give(first, WORD);
    give(second, WORD);
}

static void take_some(void)
{
    hal_phys start;
    size_t count = frame_alloc_run(2 * WORD, 0, &start);
    if (count != 0) {
        hold(start, count);
        give(start, count);
    }
}

static void take_single(void)
{
    give(take(1), 1);
}

static const char *const whole_marks[] = {"frame: an area is not whole any more", NULL};
static const char *const bits_marks[] = {
    "frame: room in an area, but its bits are another's",
    "frame: bits are given back, because others are another's",
    NULL,
};
static const char *const fresh_marks[] = {
    "frame: an area is not fresh any more",
    "frame: areas were opened meanwhile",
    NULL,
};
static const char *const areas_marks[] = {"frame: fewer whole areas than were found", NULL};

static const struct seed_test tests[] = {
    {
        .name = "frame, a whole area and a part",
        .reset = reset_one,
        .bodies = {take_area, take_word},
        .check = check_bits,
        .marks = whole_marks,
        .preemption_max = 2,
    },
    {
        .name = "frame, two whole areas and a part",
        .reset = reset_two,
        .bodies = {take_areas, take_word},
        .check = check_bits,
        .marks = areas_marks,
        .preemption_max = 2,
    },
    {
        .name = "frame, parts of a fresh area",
        .reset = reset_one,
        .bodies = {take_two_words, take_word},
        .check = check_bits,
        .marks = fresh_marks,
        .preemption_max = 2,
    },
    {
        .name = "frame, parts",
        .reset = reset_part,
        .bodies = {take_two_words, take_second_word},
        .check = check_bits,
        .marks = bits_marks,
        .preemption_max = 3,
    },
    {
        .name = "frame, runs",
        .reset = reset_part,
        .bodies = {take_some, take_second_word},
        .check = check_bits,
        .preemption_max = 3,
    },
    {
        .name = "frame, single ones and an area",
        .reset = reset_one,
        .bodies = {take_single, take_area},
        .check = check,
        .preemption_max = 2,
    },
    {
        .name = "frame, single ones",
        .reset = reset_one,
        .bodies = {take_single, take_single},
        .check = check,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
