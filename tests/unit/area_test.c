// SPDX-License-Identifier: BSD-3-Clause
// area_test.c: the set of areas and its holes against a map with a mark for each page.
#include "core/vm/area.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal/hal.h"

enum { LOW_PAGES = 300, HIGH_PAGES = 600, PAGES = 1024, LOW_AT = 10, HIGH_AT = LOW_AT + LOW_PAGES };

static char *const base = (char *)0x10000000;
static bool is_taken[PAGES];
static struct area records[PAGES];
static struct area *unused; // by next

static char *address(size_t page)
{
    return base + page * HAL_PAGE_SIZE;
}

static void give(struct area *list)
{
    while (list != NULL) {
        struct area *next = list->next;
        list->next = unused;
        unused = list;
        list = next;
    }
}

static struct area *get(void)
{
    struct area *area = unused;
    unused = area->next;
    *area = (struct area){0};
    return area;
}

static void start(void)
{
    const struct hal_boot boot = {.va_base = address(HIGH_AT),
                                  .va_size = HIGH_PAGES * HAL_PAGE_SIZE,
                                  .low_base = address(LOW_AT),
                                  .low_size = LOW_PAGES * HAL_PAGE_SIZE};
    area_init(&boot);
    memset(is_taken, 0, sizeof is_taken);
    unused = NULL;
    for (size_t i = 0; i < PAGES; ++i) {
        records[i].next = NULL;
        give(&records[i]);
    }
    srandom(1);
}

static bool is_free(size_t page, size_t count)
{
    for (size_t i = page; i < page + count; ++i) {
        if (is_taken[i]) {
            return false;
        }
    }
    return true;
}

// The low window is small: half of it is kept free for programs.
static char *expected_hole(enum area_place place, size_t count, size_t alignment)
{
    size_t page = place == AREA_HIGH ? HIGH_AT : LOW_AT + LOW_PAGES / 2;
    const size_t end = place == AREA_HIGH ? HIGH_AT + HIGH_PAGES : LOW_AT + LOW_PAGES;
    for (; page + count <= end; ++page) {
        if ((uintptr_t)address(page) % (alignment * HAL_PAGE_SIZE) == 0 && is_free(page, count)) {
            return address(page);
        }
    }
    return NULL;
}

static void holes_are_right(void)
{
    for (int i = 0; i < 4; ++i) {
        const enum area_place place = random() % 2 == 0 ? AREA_HIGH : AREA_LOW;
        const size_t count = (size_t)random() % (random() % 2 == 0 ? 4 : 200) + 1;
        const size_t alignment = (size_t)1 << (random() % 2 == 0 ? 0 : random() % 6);
        ck_assert_ptr_eq(area_hole_find(place, count * HAL_PAGE_SIZE, alignment * HAL_PAGE_SIZE),
                         expected_hole(place, count, alignment));
    }
}

static void areas_are_right(void)
{
    char *const top = address(PAGES);
    const struct area *area = area_first(base, top);
    for (size_t page = 0; page < PAGES; ++page) {
        ck_assert_ptr_eq(area_at(address(page)), is_taken[page] ? area : NULL);
        if (area != NULL && area->end == address(page + 1)) {
            area = area_after(area, top);
        }
    }
    ck_assert_ptr_null(area);
}

// Somewhere in one of the windows.
static size_t place_choose(size_t *count)
{
    const bool is_high = random() % 2 == 0;
    const size_t first = is_high ? HIGH_AT : LOW_AT, pages = is_high ? HIGH_PAGES : LOW_PAGES;
    *count = (size_t)random() % 12 + 1;
    return first + (size_t)random() % (pages - *count + 1);
}

static void insert(size_t page, size_t count)
{
    struct area *area = get();
    area->start = address(page);
    area->end = address(page + count);
    area->prot = (unsigned)random() % 3; // some are merged with their neighbours
    give(area_insert(area));
    memset(is_taken + page, true, count);
}

static void cut(char *va)
{
    struct area *area = area_at(va);
    if (area != NULL && area->start < va) {
        area_split(area, va, get());
    }
}

static void remove_all(size_t page, size_t count)
{
    char *const from = address(page), *const to = address(page + count);
    cut(from);
    cut(to);
    struct area *area = area_first(from, to);
    while (area != NULL) {
        struct area *next = area_after(area, to);
        area_remove(area);
        area->next = NULL;
        give(area);
        area = next;
    }
    memset(is_taken + page, false, count);
}

START_TEST(holes_are_the_lowest_that_fit)
{
    holes_are_right();
    for (int step = 0; step < 20000; ++step) {
        size_t count;
        const size_t page = place_choose(&count);
        if (is_free(page, count)) {
            insert(page, count);
        } else if (random() % 3 != 0) {
            remove_all(page, count);
        } else {
            cut(address(page));
        }
        holes_are_right();
        if (step % 50 == 0) {
            areas_are_right();
        }
    }
}
END_TEST

START_TEST(a_full_window_has_no_hole)
{
    char *va;
    while ((va = area_hole_find(AREA_HIGH, 3 * HAL_PAGE_SIZE, HAL_PAGE_SIZE)) != NULL) {
        insert((size_t)(va - base) / HAL_PAGE_SIZE, 3);
    }
    ck_assert(is_free(0, HIGH_AT));
    ck_assert(!is_free(HIGH_AT + HIGH_PAGES - 3, 3));
    ck_assert_ptr_null(area_hole_find(AREA_HIGH, HAL_PAGE_SIZE, HAL_PAGE_SIZE));
    ck_assert_ptr_null(area_hole_find(AREA_HIGH, SIZE_MAX - HAL_PAGE_SIZE + 1, HAL_PAGE_SIZE));
    remove_all(HIGH_AT + HIGH_PAGES - 1, 1);
    ck_assert_ptr_eq(area_hole_find(AREA_HIGH, HAL_PAGE_SIZE, HAL_PAGE_SIZE),
                     address(HIGH_AT + HIGH_PAGES - 1));
}
END_TEST

// One window ends where the other begins.
START_TEST(the_last_hole_is_beside_the_other_window)
{
    insert(HIGH_AT, 1);
    insert(LOW_AT, LOW_PAGES - 3);
    ck_assert_ptr_eq(area_hole_find(AREA_LOW, 3 * HAL_PAGE_SIZE, HAL_PAGE_SIZE),
                     address(HIGH_AT - 3));
    ck_assert_ptr_null(area_hole_find(AREA_LOW, 4 * HAL_PAGE_SIZE, HAL_PAGE_SIZE));
}
END_TEST

START_TEST(a_machine_without_low_addresses_has_no_hole_there)
{
    const struct hal_boot boot = {.va_base = base, .va_size = HIGH_PAGES * HAL_PAGE_SIZE};
    area_init(&boot);
    ck_assert_ptr_null(area_hole_find(AREA_LOW, HAL_PAGE_SIZE, HAL_PAGE_SIZE));
    insert(0, 1);
    ck_assert_ptr_null(area_hole_find(AREA_LOW, HAL_PAGE_SIZE, HAL_PAGE_SIZE));
    ck_assert_ptr_eq(area_hole_find(AREA_HIGH, HAL_PAGE_SIZE, HAL_PAGE_SIZE), address(1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("area");
    TCase *set = tcase_create("set");
    tcase_add_checked_fixture(set, start, NULL);
    tcase_set_timeout(set, 60);
    suite_add_tcase(suite, set);
    tcase_add_test(set, holes_are_the_lowest_that_fit);
    tcase_add_test(set, a_full_window_has_no_hole);
    tcase_add_test(set, the_last_hole_is_beside_the_other_window);
    tcase_add_test(set, a_machine_without_low_addresses_has_no_hole_there);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
