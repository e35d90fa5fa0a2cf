// SPDX-License-Identifier: BSD-3-Clause
// clear_test.c: core/mem/frame_clear.c under every schedule of a CPU that clears free frames and
// one that takes them, with at most three preemptions: nobody's memory is cleared, and what counts
// as zeros is.
#include "core/mem/frame_clear.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/frame_memory.h"
#include "core/mem/pressure.h"
#include "seed.h"
#include "seed_main.h"

enum { AREA = 2 << 20, SOME = 4, WORD = 0x5a5a5a5a };

// Area 0 has the pages that frame.c takes for itself; what is free is in area 1.
static _Alignas(AREA) char memory[2 * AREA];
static uint32_t cpus[SEED_CPU_COUNT]; // struct cpu as far as core/mem knows it
static size_t free_before, frame_count;

static uint32_t *word_of(hal_phys frame)
{
    return (uint32_t *)(void *)(frame_address(frame) + HAL_PAGE_SIZE - sizeof(uint32_t));
}

static void reset_frames(size_t count)
{
    static struct hal_region regions[2];
    struct hal_boot boot = {
        .cpu_count = SEED_CPU_COUNT,
        .direct_base = (char *)((uintptr_t)memory - AREA),
        .regions = regions,
        .region_count = 2,
    };
    regions[0].start = AREA;
    regions[0].size = (hal_phys)2 * HAL_PAGE_SIZE;
    regions[1].start = (hal_phys)2 * AREA;
    regions[1].size = count * HAL_PAGE_SIZE;
    frame_count = count;
    frame_init(&boot);
    pressure.low = 0; // a test of plenty
    for (size_t i = 0; i < count; ++i) {
        *word_of(regions[1].start + i * HAL_PAGE_SIZE) = WORD;
    }
    frame_demand.wanted[0] = frame_demand.wanted[1] = SOME;
    free_before = frame_free_count();
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        cpus[i] = i;
        seed_cpu_set(i, (struct cpu *)(void *)&cpus[i]);
    }
}

static void reset_some(void)
{
    reset_frames(SOME);
}

static void reset_area(void)
{
    reset_frames(AREA_FRAMES);
}

static void check(void)
{
    seed_check(frame_free_count() == free_before, "frames were lost, or are there twice");
    seed_check(pressure_left() == free_before, "frames were not counted, or were twice");
    const struct area *area = &frame_memory.areas[1];
    for (size_t i = 0; i < frame_count; ++i) {
        const hal_phys frame = (hal_phys)2 * AREA + i * HAL_PAGE_SIZE;
        const bool is_dirty = (area->dirty[i / 64] >> i % 64 & 1) != 0;
        seed_check(!frame_is_taken(frame), "a bit was left");
        seed_check(is_dirty || *word_of(frame) == 0, "what counts as zeros is not");
    }
}

// ---- Bodies -----------------------------------------------------------------

static void clear(void)
{
    const uintptr_t irq = hal_irq_save();
    for (int i = 0; i < 2; ++i) {
        (void)frame_clear();
    }
    hal_irq_restore(irq);
}

// Each is one step.

MARK_GUESS static void expect(hal_phys frame, uint32_t word, const char *text)
{
    seed_check(*word_of(frame) == word, text);
}

MARK_GUESS static void write(hal_phys frame)
{
    *word_of(frame) = WORD;
}

static void use(hal_phys frame, unsigned flags)
{
    if (flags & FRAME_ZERO) {
        expect(frame, 0, "zeros were asked for");
    }
    write(frame);
    seed_point();
    expect(frame, WORD, "memory that is in use was cleared");
}

static void take(size_t count, unsigned flags)
{
    hal_phys start;
    if (frame_alloc(count, flags, &start) == 0) {
        use(start, flags);
        frame_free(start, count);
    }
}

static void take_zeros(void)
{
    take(2, FRAME_ZERO);
    take(2, FRAME_ZERO);
}

static void take_any(void)
{
    take(2, 0);
    take(2, 0);
}

static void take_whole(void)
{
    take(AREA_FRAMES, 0);
}

static const char *const borrow_marks[] = {"frame: one that was free is somebody's", NULL};
static const char *const whole_marks[] = {"frame: a frame of an area that is whole was cleared",
                                          NULL};

static const struct seed_test tests[] = {
    {
        .name = "clear, and zeros are taken",
        .reset = reset_some,
        .bodies = {clear, take_zeros},
        .check = check,
        .marks = borrow_marks,
        .preemption_max = 3,
    },
    {
        .name = "clear, and frames are taken",
        .reset = reset_some,
        .bodies = {clear, take_any},
        .check = check,
        .preemption_max = 3,
    },
    {
        .name = "clear, and a whole area is taken",
        .reset = reset_area,
        .bodies = {clear, take_whole},
        .check = check,
        .marks = whole_marks,
        .preemption_max = 2,
    },
    {
        .name = "clear, both",
        .reset = reset_some,
        .bodies = {clear, clear},
        .check = check,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
