// SPDX-License-Identifier: BSD-3-Clause
// format_test.c: format writes what snprintf writes, and never beyond its buffer.
#include "core/lib/format.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The length and the text of both, with a large buffer and with each too small one.
#define SAME(...)                                                      \
    do {                                                               \
        char ours[200], theirs[200];                                   \
        for (size_t size = sizeof ours; size != SIZE_MAX;              \
             size = size == sizeof ours ? 12 : size - 1) {             \
            memset(ours, '#', sizeof ours);                            \
            memset(theirs, '#', sizeof theirs);                        \
            size_t our_length = format(ours, size, __VA_ARGS__);       \
            int their_length = snprintf(theirs, size, __VA_ARGS__);    \
            ck_assert_int_eq((int)our_length, their_length);           \
            ck_assert_mem_eq(ours, theirs, sizeof ours);               \
        }                                                              \
    } while (0)

START_TEST(numbers)
{
    static const int ints[] = {0, 1, -1, 7, 4711, -4711, INT_MAX, INT_MIN};
    static const long longs[] = {0, 1, -1, 1l << 40, LONG_MAX, LONG_MIN};
    for (size_t i = 0; i < sizeof ints / sizeof ints[0]; ++i) {
        SAME("%d", ints[i]);
        SAME("<%5i|%-7d|%07d>", ints[i], ints[i], ints[i]);
        SAME("%u %x %o", (unsigned)ints[i], (unsigned)ints[i], (unsigned)ints[i]);
        SAME("%08x %.4d %*d", (unsigned)ints[i], ints[i], 9, ints[i]);
    }
    for (size_t i = 0; i < sizeof longs / sizeof longs[0]; ++i) {
        SAME("%ld %lu %lx", longs[i], (unsigned long)longs[i], (unsigned long)longs[i]);
        SAME("%lld %zu %20ld|%-20ld|", (long long)longs[i], (size_t)longs[i], longs[i], longs[i]);
    }
}
END_TEST

START_TEST(texts)
{
    SAME("plain");
    SAME("%s", "");
    SAME("100%%");
    SAME("%s and %s", "one", "two");
    SAME("<%5s|%-5s|%.2s|%8.3s|%-8.3s>", "abc", "abc", "abc", "abcdef", "abcdef");
    SAME("%.*s|%*s", 2, "abc", 6, "abc");
    SAME("%c%c%3c%-3c|", 'a', 'b', 'c', 'd');
    SAME("%p", (void *)0x1234);
}
END_TEST

START_TEST(no_terminator_is_needed_within_the_precision)
{
    char text[8];
    const char bytes[3] = {'x', 'y', 'z'};
    ck_assert_uint_eq(format(text, sizeof text, "%.3s", bytes), 3);
    ck_assert_str_eq(text, "xyz");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tests = tcase_create("unit");
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, no_terminator_is_needed_within_the_precision);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
