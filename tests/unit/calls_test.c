// SPDX-License-Identifier: BSD-3-Clause
// calls_test.c: the functions of an application that are under way, from what the compiler tells.
#include <check.h>
#include <stdlib.h>

#include "hal-linux/seed/calls.h"

// Callers are numbers here, and stack pointers go down from TOP.
enum { TOP = 0x10000, FAR = 64 << 20 };

static void enter(uintptr_t caller, uintptr_t sp)
{
    calls_enter(1, (const void *)caller, sp);
}

static void callers_are(size_t count, const uintptr_t *expected)
{
    const void *places[80];
    ck_assert_uint_eq(calls_get(1, places, 80), count);
    for (size_t i = 0; i < count; ++i) {
        ck_assert_uint_eq((uintptr_t)places[i], expected[i]);
    }
}

START_TEST(innermost_first)
{
    enter(1, TOP);
    enter(2, TOP - 64);
    calls_enter(2, NULL, TOP); // another context
    callers_are(2, (const uintptr_t[]){2, 1});
    calls_leave(1, TOP - 64);
    enter(3, TOP - 48);
    callers_are(2, (const uintptr_t[]){3, 1});
    const void *place;
    ck_assert_uint_eq(calls_get(1, &place, 1), 1);
}
END_TEST

START_TEST(jumped_out_of)
{
    enter(1, TOP);
    enter(2, TOP - 64);
    enter(3, TOP - 128);
    enter(4, TOP - 64); // main's next call after a longjmp
    callers_are(2, (const uintptr_t[]){4, 1});
}
END_TEST

// The end of such a function is told from where its caller called it.
START_TEST(ends_by_a_jump)
{
    enter(1, TOP);
    enter(2, TOP - 64);
    calls_leave(1, TOP - 16);
    callers_are(1, (const uintptr_t[]){1});
    calls_leave(1, TOP);
    callers_are(0, NULL);
    calls_leave(1, TOP); // of a function that began before anybody looked
    callers_are(0, NULL);
}
END_TEST

START_TEST(other_stack)
{
    enter(1, TOP);
    enter(2, FAR + TOP); // a signal's
    callers_are(2, (const uintptr_t[]){2, 1});
    calls_leave(1, FAR + TOP);
    callers_are(1, (const uintptr_t[]){1});
}
END_TEST

START_TEST(deep)
{
    for (uintptr_t i = 0; i < 100; ++i) {
        enter(i, TOP - 16 * i);
    }
    const void *places[80];
    ck_assert_uint_eq(calls_get(1, places, 80), 64);
    for (uintptr_t i = 99; i > 0; --i) {
        calls_leave(1, TOP - 16 * i);
    }
    callers_are(1, (const uintptr_t[]){0});
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("calls");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, innermost_first);
    tcase_add_test(tcase, jumped_out_of);
    tcase_add_test(tcase, ends_by_a_jump);
    tcase_add_test(tcase, other_stack);
    tcase_add_test(tcase, deep);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
