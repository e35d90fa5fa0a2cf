// SPDX-License-Identifier: BSD-3-Clause
// frame_test.c: frames are given once, lie together where asked, read as zeros where promised, and
// come back.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/frame_clear.h"
#include "core/mem/pressure.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MIB = 1 << 20, PAGE = HAL_PAGE_SIZE, FRAMES_MAX = 64 * MIB / PAGE };

static struct {
    uint32_t index;
} cpus[2];

static char *arena;
static struct hal_region regions[3];
static struct hal_boot boot;
static unsigned char taken[FRAMES_MAX]; // the model: 1 for each frame that a test holds

static void cpu_switch(uint32_t index)
{
    unit_cpu = (struct cpu *)(void *)&cpus[index];
}

static void boot_with(size_t region_count, bool memory_is_zero)
{
    arena = mmap(NULL, 66 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(arena != MAP_FAILED);
    arena = (char *)(((uintptr_t)arena + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    cpus[1].index = 1;
    cpu_switch(0);
    boot = (struct hal_boot){
        .cpu_count = 2,
        .direct_base = arena - 16 * MIB,
        .regions = regions,
        .region_count = region_count,
        .memory_is_zero = memory_is_zero,
    };
    if (!memory_is_zero) {
        memset(arena, 0xa5, 64 * MIB);
    }
    frame_init(&boot);
}

static void boot_plain(void)
{
    regions[0] = (struct hal_region){16 * MIB, 64 * MIB};
    boot_with(1, true);
}

static size_t frame_index(hal_phys frame)
{
    ck_assert_uint_ge(frame, 16 * MIB);
    ck_assert_uint_eq(frame % PAGE, 0);
    return (frame - 16 * MIB) / PAGE;
}

static void model_take(hal_phys start, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t index = frame_index(start) + i;
        ck_assert_uint_lt(index, FRAMES_MAX);
        ck_assert_int_eq(taken[index], 0);
        taken[index] = 1;
    }
}

static void model_free(hal_phys start, size_t count)
{
    memset(taken + frame_index(start), 0, count);
    frame_free(start, count);
}

START_TEST(everything_can_be_taken_one_by_one_and_comes_back)
{
    boot_plain();
    size_t free_count = frame_free_count();
    ck_assert_uint_eq(frame_total_count(), 64 * MIB / PAGE);
    ck_assert_uint_gt(free_count, FRAMES_MAX - 64);
    static hal_phys frames[FRAMES_MAX];
    for (size_t i = 0; i < free_count; i++) {
        ck_assert_int_eq(frame_alloc(1, 0, &frames[i]), 0);
        model_take(frames[i], 1);
    }
    hal_phys none;
    ck_assert_uint_eq(frame_free_count(), 0);
    ck_assert_int_eq(frame_alloc(1, 0, &none), -ENOMEM);
    ck_assert_int_eq(frame_alloc(2, 0, &none), -ENOMEM);
    ck_assert_uint_eq(frame_alloc_run(100, 0, &none), 0);
    ck_assert_uint_eq(frame_free_count(), 0);
    for (size_t i = 0; i < free_count; i++) {
        model_free(frames[i], 1);
    }
    ck_assert_uint_eq(frame_free_count(), free_count);
    ck_assert_int_eq(frame_alloc(FRAMES_MAX - 512, 0, &none), 0);
}
END_TEST

START_TEST(runs_are_aligned_and_apart)
{
    static const size_t counts[] = {1,   2,   3,   5,   8,   16,  31,  33,  64,  65,
                                    100, 128, 129, 256, 257, 300, 511, 512, 513, 1200};
    boot_plain();
    size_t free_count = frame_free_count();
    hal_phys starts[20];
    for (size_t i = 0; i < 20; i++) {
        ck_assert_int_eq(frame_alloc(counts[i], 0, &starts[i]), 0);
        size_t align = 1;
        while (align < counts[i] && align < 512) {
            align *= 2;
        }
        ck_assert_uint_eq(starts[i] % (align * PAGE), 0);
        model_take(starts[i], counts[i]);
        memset(frame_address(starts[i]), (int)i, counts[i] * PAGE);
    }
    for (size_t i = 0; i < 20; i++) {
        ck_assert_int_eq(*frame_address(starts[i]), (char)i);
        size_t part = counts[i] / 3;
        model_free(starts[i] + part * PAGE, counts[i] - part);
        model_free(starts[i], part);
    }
    ck_assert_uint_eq(frame_free_count(), free_count);
}
END_TEST

struct piece {
    hal_phys start;
    size_t count;
};

static void piece_take(struct piece *piece, unsigned flags, unsigned how)
{
    size_t count = how % 4 == 0 ? 1 + (size_t)rand() % 700 : 1 + (size_t)rand() % 20;
    if (how % 3 == 0) {
        piece->count = frame_alloc_run(count, flags, &piece->start);
        ck_assert_uint_le(piece->count, count);
    } else {
        piece->count = frame_alloc(count, flags, &piece->start) == 0 ? count : 0;
    }
    model_take(piece->start, piece->count);
    char *bytes = frame_address(piece->start);
    size_t wrong = 0;
    for (size_t i = 0; i < piece->count * PAGE && (flags & FRAME_ZERO) != 0; i += 64) {
        wrong += bytes[i] != 0;
    }
    ck_assert_uint_eq(wrong, 0);
    memset(bytes, 0x5a, piece->count * PAGE);
}

static void random_pieces(void)
{
    enum { PIECES = 300, STEPS = 1500 };
    static struct piece pieces[PIECES];
    memset(pieces, 0, sizeof pieces);
    size_t free_count = frame_free_count();
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        cpu_switch(rand() % 2);
        struct piece *piece = &pieces[rand() % PIECES];
        if (piece->count == 0) {
            piece_take(piece, rand() % 2 ? FRAME_ZERO : 0, (unsigned)rand());
        } else {
            size_t part = 1 + (size_t)rand() % piece->count;
            piece->count -= part;
            model_free(piece->start + piece->count * PAGE, part);
        }
    }
    for (int i = 0; i < PIECES; i++) {
        if (pieces[i].count != 0) {
            model_free(pieces[i].start, pieces[i].count);
        }
    }
    ck_assert_uint_eq(frame_free_count(), free_count);
}

START_TEST(a_run_grows_into_the_room_after_it)
{
    boot_plain();
    hal_phys start, other;
    size_t before = frame_free_count();
    ck_assert_int_eq(frame_alloc_room(2, 9, &start), 0);
    ck_assert_uint_eq(start % (16 * HAL_PAGE_SIZE), 0);
    ck_assert_uint_eq(before - frame_free_count(), 2);
    ck_assert_int_eq(frame_alloc_room(2, 9, &other), 0);
    ck_assert(other >= start + 9 * HAL_PAGE_SIZE || start >= other + 9 * HAL_PAGE_SIZE);
    ck_assert(frame_take_next(start + 2 * HAL_PAGE_SIZE, 7));
    ck_assert(!frame_take_next(start + 8 * HAL_PAGE_SIZE, 2)); // the first is in use
    ck_assert(!frame_is_taken(start + 9 * HAL_PAGE_SIZE));
    ck_assert_uint_eq(before - frame_free_count(), 11);
    frame_free(start, 9);
    frame_free(other, 2);
    ck_assert_uint_eq(frame_free_count(), before);
}
END_TEST

static unsigned low_count;

static void low_heard(void)
{
    ++low_count;
}

// Takes frames, in pieces of 1 and of 8, until so many are left in no store.
static size_t take_until(size_t left, hal_phys *frames, size_t count)
{
    while (pressure_left() > left) {
        size_t size = count % 2 == 0 ? 1 : 8;
        ck_assert_int_eq(frame_alloc(size, 0, &frames[count++]), 0);
    }
    return count;
}

static size_t give_until(size_t left, const hal_phys *frames, size_t count)
{
    while (pressure_left() < left && count-- > 0) {
        frame_free(frames[count], count % 2 == 0 ? 1 : 8);
    }
    return count;
}

START_TEST(each_shortage_is_told_once)
{
    static hal_phys frames[FRAMES_MAX];
    boot_plain();
    ck_assert_uint_eq(pressure_left(), frame_free_count());
    pressure_listen(low_heard);
    const size_t low = FRAMES_MAX / 32;
    size_t count = take_until(low + 64, frames, 0);
    ck_assert_uint_eq(low_count, 0);
    ck_assert_uint_eq(pressure_wanted(), 0);
    count = take_until(low - 64, frames, count);
    ck_assert_uint_eq(low_count, 1);
    ck_assert(pressure_is_low() && !pressure_is_min());
    ck_assert_uint_ge(pressure_wanted(), low / 2 + 64);
    count = take_until(low - 200, frames, count);
    ck_assert_uint_eq(low_count, 1); // nobody has looked since
    pressure_rearm();
    count = take_until(low - 230, frames, count);
    ck_assert_uint_eq(low_count, 1); // an eighth of low less
    count = take_until(low - 300, frames, count);
    ck_assert_uint_eq(low_count, 2);
    count = take_until(low / 4 - 8, frames, count);
    ck_assert(pressure_is_min());
    ck_assert_uint_eq(low_count, 2);
    count = give_until(2 * low, frames, count); // plenty: the next shortage is a new one
    count = take_until(low - 64, frames, count);
    ck_assert_uint_eq(low_count, 3);
    count = give_until(FRAMES_MAX, frames, count);
    ck_assert_uint_ge(pressure_left() + 124, frame_free_count());
}
END_TEST

START_TEST(random_pieces_of_zeroed_memory)
{
    boot_plain();
    random_pieces();
}
END_TEST

START_TEST(random_pieces_of_dirty_memory)
{
    regions[0] = (struct hal_region){16 * MIB, 64 * MIB};
    boot_with(1, false);
    random_pieces();
}
END_TEST

START_TEST(boot_writes_little)
{
    boot_plain();
    unsigned char resident[64 * MIB / PAGE];
    ck_assert_int_eq(mincore(arena, 64 * MIB, resident), 0);
    size_t count = 0;
    for (size_t i = 0; i < sizeof resident; i++) {
        count += resident[i] & 1;
    }
    ck_assert_uint_le(count, 4);
}
END_TEST

// Nor does it clear what it keeps of memory that nobody has used yet.
START_TEST(boot_writes_little_of_dirty_memory)
{
    regions[0] = (struct hal_region){16 * MIB, 40 * MIB};
    regions[1] = (struct hal_region){60 * MIB, 20 * MIB};
    boot_with(2, false);
    size_t written = 0;
    for (size_t i = 0; i < 64 * MIB; i++) {
        written += arena[i] != (char)0xa5;
    }
    ck_assert_uint_le(written, 4 * 1024);
    ck_assert_uint_gt(frame_free_count(), 60 * MIB / PAGE - 64);
    hal_phys frame;
    for (size_t count = frame_free_count(); count > 0; count--) {
        ck_assert_int_eq(frame_alloc(1, 0, &frame), 0);
        model_take(frame, 1);
    }
    ck_assert_int_eq(frame_alloc(1, 0, &frame), -ENOMEM);
}
END_TEST

START_TEST(holes_and_modules_are_never_given)
{
    struct hal_module module = {"root", 20 * MIB + 100, 3 * MIB};
    regions[0] = (struct hal_region){16 * MIB + 5, 640 << 10};
    regions[1] = (struct hal_region){17 * MIB, 20 * MIB + 123};
    regions[2] = (struct hal_region){50 * MIB, 30 * MIB};
    boot.module_count = 1;
    boot.modules = &module;
    boot_with(3, true);
    boot.modules = &module;
    boot.module_count = 1;
    frame_init(&boot);
    hal_phys start;
    size_t count, sum = 0;
    while ((count = frame_alloc_run(64, 0, &start)) != 0) {
        sum += count;
        hal_phys end = start + count * PAGE;
        ck_assert(end <= 16 * MIB + (640 << 10) || start >= 17 * MIB);
        ck_assert(end <= 37 * MIB || start >= 50 * MIB);
        ck_assert(end <= 20 * MIB || start >= 23 * MIB + PAGE);
        ck_assert(end <= 80 * MIB);
        model_take(start, count);
    }
    ck_assert_uint_gt(sum, 47 * MIB / PAGE);
}
END_TEST

START_TEST(recycled_frames_are_cleared_and_new_ones_untouched)
{
    boot_plain();
    hal_phys start;
    ck_assert_int_eq(frame_alloc(2048, FRAME_ZERO, &start), 0);
    unsigned char resident[2048];
    ck_assert_int_eq(mincore(frame_address(start), 2048 * PAGE, resident), 0);
    size_t touched = 0;
    for (size_t i = 0; i < 2048; i++) {
        touched += resident[i] & 1;
    }
    ck_assert_uint_le(touched, 4);
    memset(frame_address(start), 1, 2048 * PAGE);
    frame_free(start, 2048);
    hal_phys again;
    ck_assert_int_eq(frame_alloc(2048, FRAME_ZERO, &again), 0);
    ck_assert_uint_eq(again, start);
    for (size_t i = 0; i < 2048 * PAGE; i += 64) {
        ck_assert_int_eq(frame_address(start)[i], 0);
    }
}
END_TEST

// ---- Cleared by CPUs that have nothing to do --------------------------------

static struct frame_clear_counts clear_counts(void)
{
    struct frame_clear_counts counts;
    frame_clear_counts_get(&counts);
    return counts;
}

// Takes count frames of zeros, writes to them and gives them back.
static hal_phys use_zeros(size_t count)
{
    hal_phys start;
    ck_assert_int_eq(frame_alloc(count, FRAME_ZERO, &start), 0);
    memset(frame_address(start), 0x5a, count * PAGE);
    frame_free(start, count);
    return start;
}

static size_t zeros_at(hal_phys start, size_t count)
{
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++) {
        const char *page = frame_address(start) + i * PAGE;
        zeros += page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
    }
    return zeros;
}

// Until there is nothing to do; memory is as free as before at each moment.
static void clear_all(void)
{
    const size_t free_count = frame_free_count(), left = pressure_left();
    for (size_t steps = 0; frame_clear(); ++steps) {
        ck_assert_uint_lt(steps, 2 * FRAMES_MAX);
        ck_assert_uint_eq(frame_free_count(), free_count);
        ck_assert_uint_eq(pressure_left(), left);
    }
}

static void cleared_as_asked(size_t count)
{
    const uint64_t before = clear_counts().idle;
    const hal_phys start = use_zeros(count);
    clear_all();
    ck_assert_uint_ge(clear_counts().idle - before, count);
    ck_assert_uint_eq(zeros_at(start, count), count);
    const uint64_t late = clear_counts().late;
    ck_assert_uint_eq(use_zeros(count), start);
    ck_assert_uint_eq(clear_counts().late, late);
}

START_TEST(what_was_asked_for_is_cleared)
{
    boot_plain();
    cleared_as_asked(2048);
    cleared_as_asked(16);
    cleared_as_asked(1);
}
END_TEST

START_TEST(what_was_asked_for_is_cleared_where_memory_is_dirty)
{
    regions[0] = (struct hal_region){16 * MIB, 64 * MIB};
    boot_with(1, false);
    cleared_as_asked(2048);
    cleared_as_asked(16);
    cleared_as_asked(1);
}
END_TEST

START_TEST(no_more_is_cleared_than_was_asked_for)
{
    hal_phys start;
    regions[0] = (struct hal_region){16 * MIB, 64 * MIB};
    boot_with(1, false);
    ck_assert(!frame_clear()); // nobody has asked
    ck_assert_int_eq(frame_alloc(2048, 0, &start), 0);
    frame_free(start, 2048);
    ck_assert(!frame_clear());
    (void)use_zeros(1024);
    clear_all();
    ck_assert_uint_eq(clear_counts().idle, 1024);
    ck_assert_uint_eq(clear_counts().late, 1024);
    for (int i = 0; i < 20; i++) { // an eighth of memory at most, and what comes at once
        ck_assert_uint_ne(use_zeros(1024), 0);
    }
    clear_all();
    ck_assert_uint_le(clear_counts().idle - 1024, 64 * MIB / PAGE / 8 + 1024);
}
END_TEST

START_TEST(nothing_is_cleared_while_memory_is_short)
{
    static hal_phys frames[FRAMES_MAX];
    boot_plain();
    (void)use_zeros(1024);
    const size_t count = take_until(FRAMES_MAX / 32 - 8, frames, 0);
    ck_assert(!frame_clear());
    (void)give_until(FRAMES_MAX, frames, count);
    ck_assert(frame_clear());
}
END_TEST

START_TEST(nothing_is_cleared_where_accesses_are_checked)
{
    boot_plain();
    boot.is_checked = true;
    frame_init(&boot);
    (void)use_zeros(1024);
    ck_assert(!frame_clear());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, everything_can_be_taken_one_by_one_and_comes_back);
    tcase_add_test(tests, a_run_grows_into_the_room_after_it);
    tcase_add_test(tests, runs_are_aligned_and_apart);
    tcase_add_test(tests, each_shortage_is_told_once);
    tcase_add_test(tests, random_pieces_of_zeroed_memory);
    tcase_add_test(tests, random_pieces_of_dirty_memory);
    tcase_add_test(tests, boot_writes_little);
    tcase_add_test(tests, boot_writes_little_of_dirty_memory);
    tcase_add_test(tests, holes_and_modules_are_never_given);
    tcase_add_test(tests, recycled_frames_are_cleared_and_new_ones_untouched);
    tcase_add_test(tests, what_was_asked_for_is_cleared);
    tcase_add_test(tests, what_was_asked_for_is_cleared_where_memory_is_dirty);
    tcase_add_test(tests, no_more_is_cleared_than_was_asked_for);
    tcase_add_test(tests, nothing_is_cleared_while_memory_is_short);
    tcase_add_test(tests, nothing_is_cleared_where_accesses_are_checked);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
