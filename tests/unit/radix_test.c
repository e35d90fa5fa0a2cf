// SPDX-License-Identifier: BSD-3-Clause
// radix_test.c: hal/common/radix.c with x86_64's entries, against a plain array of what each page
// maps to.
//
// Physical addresses of tables are their host addresses: BUILD.bazel gives LAYOUT_DIRECT the value
// 0.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/crash.h"
#include "hal/common/radix.h"
#include "hal/upcall.h"

enum { LARGE_PAGES = RADIX_LARGE_SIZE / HAL_PAGE_SIZE, WINDOW_PAGES = 4 * LARGE_PAGES };

static const uint64_t window = 0x7f0000000000;
static const unsigned both = HAL_READ | HAL_WRITE;

enum { POOL_PAGES = 256 };

static _Alignas(HAL_PAGE_SIZE) char pool[POOL_PAGES][HAL_PAGE_SIZE];
static bool pool_used[POOL_PAGES];
static int tables_used, tables_left;

static hal_phys table_get(void)
{
    if (tables_left == 0) {
        return 0;
    }
    size_t i = 0;
    while (pool_used[i]) {
        ck_assert_uint_lt(++i, POOL_PAGES);
    }
    pool_used[i] = true;
    --tables_left;
    ++tables_used;
    memset(pool[i], 0, HAL_PAGE_SIZE);
    return (hal_phys)pool[i];
}

void upcall_table_put(hal_phys page)
{
    const size_t i = (page - (hal_phys)pool) / HAL_PAGE_SIZE;
    ck_assert(pool_used[i]);
    pool_used[i] = false;
    --tables_used;
}

HAL_NORETURN void crash(const char *what, const struct crash_value *values, size_t count)
{
    (void)values;
    (void)count;
    ck_abort_msg("%s", what);
    abort();
}

static struct radix radix_make(void)
{
    tables_left = 1000;
    return (struct radix){.root = table_get(), .table_get = table_get};
}

static void maps_to(const struct radix *radix, uint64_t va, hal_phys expected, unsigned rights)
{
    hal_phys pa = 1;
    unsigned prot = 0;
    ck_assert_int_eq(radix_translate(radix, va, &pa, &prot), 0);
    ck_assert_uint_eq(pa, expected);
    ck_assert_uint_eq(prot, rights);
}

static void maps_nothing(const struct radix *radix, uint64_t va)
{
    hal_phys pa;
    unsigned prot;
    ck_assert_int_eq(radix_translate(radix, va, &pa, &prot), -14);
}

START_TEST(large_where_aligned)
{
    const struct radix radix = radix_make();
    const int before = tables_used;
    ck_assert_int_eq(radix_map(&radix, window, 0x40000000, 2 * RADIX_LARGE_SIZE, both), 0);
    ck_assert_int_eq(tables_used - before, 2); // down to level 1
    maps_to(&radix, window + 0x212345, 0x40212345, both);
    maps_nothing(&radix, window + 2 * RADIX_LARGE_SIZE);
    maps_nothing(&radix, window - 1);
}
END_TEST

START_TEST(split_keeps_the_rest)
{
    const struct radix radix = radix_make();
    ck_assert_int_eq(radix_map(&radix, window, 0x40000000, RADIX_LARGE_SIZE, both), 0);
    ck_assert_int_eq(radix_protect(&radix, window + 0x3000, 0x2000, 0), 0);
    maps_to(&radix, window + 0x2fff, 0x40002fff, both);
    maps_to(&radix, window + 0x3000, 0x40003000, 0);
    maps_to(&radix, window + 0x4fff, 0x40004fff, 0);
    maps_to(&radix, window + 0x5000, 0x40005000, both);
    ck_assert_int_eq(radix_unmap(&radix, window + 0x4000, 0x1000), 0);
    maps_to(&radix, window + 0x3000, 0x40003000, 0);
    maps_nothing(&radix, window + 0x4000);
    ck_assert_int_eq(radix_protect(&radix, window + 0x3000, 0x1000, HAL_EXEC), 0);
    maps_to(&radix, window + 0x3000, 0x40003000, HAL_EXEC);
}
END_TEST

START_TEST(tables_come_back)
{
    const struct radix radix = radix_make();
    ck_assert_int_eq(radix_map(&radix, window, 0x40001000, RADIX_LARGE_SIZE, both), 0);
    const int used = tables_used;
    ck_assert_int_eq(radix_unmap(&radix, window, RADIX_LARGE_SIZE / 2), 0);
    ck_assert_uint_eq(radix_retired_take(), 0);
    ck_assert_int_eq(radix_unmap(&radix, window, RADIX_LARGE_SIZE), 0);
    ck_assert_int_eq(tables_used, used); // not before the caches are flushed
    radix_retired_put(radix_retired_take());
    ck_assert_int_eq(tables_used, used - 1);
    ck_assert_int_eq(radix_map(&radix, window, 0x40000000, RADIX_LARGE_SIZE, both), 0);
    ck_assert_int_eq(tables_used, used - 1); // large now
}
END_TEST

// For each table that may be missing: the call fails, and nothing has changed.
START_TEST(no_table)
{
    for (int tables = 0; tables < 4; ++tables) {
        const struct radix radix = radix_make();
        tables_left = tables;
        const int error = radix_map(&radix, window - 0x1000, 0x40000000, 0x3000, both);
        ck_assert_int_eq(error, -12);
        maps_nothing(&radix, window - 0x1000);
        maps_nothing(&radix, window);
        tables_left = 10;
        ck_assert_int_eq(radix_map(&radix, window - 0x1000, 0x40000000, 0x3000, both), 0);
    }
    const struct radix radix = radix_make();
    ck_assert_int_eq(radix_map(&radix, window, 0x40000000, 2 * RADIX_LARGE_SIZE, both), 0);
    for (int tables = 0; tables < 2; ++tables) {
        tables_left = tables;
        ck_assert_int_eq(radix_protect(&radix, window + 0x1000, RADIX_LARGE_SIZE, HAL_READ), -12);
        maps_to(&radix, window, 0x40000000, both);
        maps_to(&radix, window + 0x1000, 0x40001000, both);
        maps_to(&radix, window + RADIX_LARGE_SIZE, 0x40000000 + RADIX_LARGE_SIZE, both);
        tables_left = 0;
        ck_assert_int_eq(radix_unmap(&radix, window + RADIX_LARGE_SIZE, 0x1000), -12);
    }
    tables_left = 2;
    ck_assert_int_eq(radix_protect(&radix, window + 0x1000, RADIX_LARGE_SIZE, HAL_READ), 0);
}
END_TEST

START_TEST(dirty_marks)
{
    const struct radix radix = radix_make();
    uint64_t bits[2] = {0, 0};
    ck_assert_int_eq(radix_map(&radix, window, 0x40000000, 0x3000, both), 0);
    struct hal_page page;
    ck_assert(radix_dirty_take(&radix, window, 0x3000, bits)); // mapped since
    ck_assert_uint_eq(bits[0], 7);
    ck_assert_int_eq(radix_page_look(&radix, window + 0x1008, &page), 0);
    ck_assert(page.size == HAL_PAGE_SIZE && page.prot == both && !page.is_dirty);
    bits[0] = 0;
    ck_assert(!radix_dirty_take(&radix, window, 0x3000, bits));
    ck_assert(radix_dirty_set(&radix, window + 0x1000));
    ck_assert_int_eq(radix_page_look(&radix, window + 0x1fff, &page), 0);
    ck_assert(page.is_dirty);
    ck_assert(!radix_dirty_set(&radix, window + 0x3000));
    ck_assert(radix_dirty_take(&radix, window, 0x3000, bits));
    ck_assert_uint_eq(bits[0], 2);
    ck_assert(!radix_dirty_take(&radix, window, 0x3000, bits));
    ck_assert(radix_dirty_set(&radix, window + 0x2000));
    ck_assert_int_eq(radix_protect(&radix, window, 0x3000, HAL_READ), 0); // keeps the mark
    ck_assert(!radix_dirty_set(&radix, window));
    bits[0] = 0;
    ck_assert(radix_dirty_take(&radix, window, 0x3000, bits));
    ck_assert_uint_eq(bits[0], 4);
}
END_TEST

// A page of the window as the model knows it; prot of unmapped ones is not looked at.
struct page {
    hal_phys pa; // 0: nothing
    unsigned prot;
};

static struct page model[WINDOW_PAGES];

static size_t run_length(size_t first, size_t most, bool mapped)
{
    size_t count = 0;
    while (count < most && first + count < WINDOW_PAGES &&
           (model[first + count].pa != 0) == mapped) {
        ++count;
    }
    return count;
}

static void random_step(const struct radix *radix)
{
    const bool large = random() % 4 == 0;
    size_t first = (size_t)random() % WINDOW_PAGES;
    first = large ? first / LARGE_PAGES * LARGE_PAGES : first;
    const size_t most =
        large ? LARGE_PAGES * (1 + (size_t)random() % 2) : 1 + (size_t)random() % 700;
    const bool mapped = model[first].pa != 0;
    const size_t count = run_length(first, most, mapped);
    const uint64_t va = window + first * HAL_PAGE_SIZE;
    const size_t size = count * HAL_PAGE_SIZE;
    const unsigned prot = (unsigned)random() % 16;
    hal_phys pa =
        0x100000000 + (hal_phys)(random() % 4) * 0x40000000 + (large ? 0 : va % RADIX_LARGE_SIZE);
    if (!mapped) {
        ck_assert_int_eq(radix_map(radix, va, pa, size, prot), 0);
    } else if (random() % 2 == 0) {
        ck_assert_int_eq(radix_protect(radix, va, size, prot), 0);
    } else {
        ck_assert_int_eq(radix_unmap(radix, va, size), 0);
        pa = 0;
    }
    for (size_t i = first; i < first + count; ++i) {
        if (!mapped || pa == 0) {
            model[i].pa = pa == 0 ? 0 : pa + (i - first) * HAL_PAGE_SIZE;
        }
        const unsigned kept = mapped ? model[i].prot & HAL_DEVICE : prot & HAL_DEVICE;
        model[i].prot =
            (prot & ~(unsigned)HAL_DEVICE) | kept; // protection does not change the kind of memory
    }
}

static bool model_holds(const struct radix *radix)
{
    for (size_t i = 0; i < WINDOW_PAGES; ++i) {
        hal_phys pa = 0;
        unsigned prot = model[i].prot;
        const int error = radix_translate(radix, window + i * HAL_PAGE_SIZE, &pa, &prot);
        if (error != (model[i].pa == 0 ? -14 : 0) || pa != model[i].pa || prot != model[i].prot) {
            return false;
        }
    }
    return true;
}

START_TEST(random_against_model)
{
    const struct radix radix = radix_make();
    srandom(3);
    for (int step = 0; step < 1000; ++step) {
        tables_left = 1000;
        random_step(&radix);
        if (step % 7 == 0) {
            radix_retired_put(radix_retired_take());
        }
        if (step % 8 == 0 || step < 50) {
            ck_assert(model_holds(&radix));
        }
    }
    ck_assert_int_lt(tables_used, 30); // a root, what is in use, and nothing forgotten
}
END_TEST

// Whole GiB beside smaller mappings, as a direct map has them.
START_TEST(giant)
{
    const struct radix radix = radix_make();
    const uint64_t size = RADIX_GIANT_SIZE, large = RADIX_LARGE_SIZE, far = 1ull << 40;
    ck_assert_int_eq(radix_map(&radix, window + size - large, far - large, large, both), 0);
    const int before = tables_used;
    ck_assert_int_eq(radix_map_giant(&radix, window + size, far, 3 * size, both), 0);
    ck_assert_int_eq(radix_map(&radix, window + 4 * size, far + 4 * size, 4096, HAL_READ), 0);
    ck_assert_int_eq(tables_used, before + 2); // both for the page behind
    maps_nothing(&radix, window + size - large - 1);
    maps_to(&radix, window + size - 1, far - 1, both);
    maps_to(&radix, window + size, far, both);
    maps_to(&radix, window + 2 * size + 12345, far + size + 12345, both);
    maps_to(&radix, window + 4 * size - 1, far + 3 * size - 1, both);
    maps_to(&radix, window + 4 * size + 4095, far + 4 * size + 4095, HAL_READ);
    maps_nothing(&radix, window + 4 * size + 4096);
    const struct radix none = radix_make();
    tables_left = 0;
    ck_assert_int_eq(radix_map_giant(&none, window, 0, size, both), -12);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("radix");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, large_where_aligned);
    tcase_add_test(tcase, split_keeps_the_rest);
    tcase_add_test(tcase, tables_come_back);
    tcase_add_test(tcase, no_table);
    tcase_add_test(tcase, dirty_marks);
    tcase_add_test(tcase, random_against_model);
    tcase_add_test(tcase, giant);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
