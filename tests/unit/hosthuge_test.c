// SPDX-License-Identifier: BSD-3-Clause
// hosthuge_test.c: huge pages of hosts of all kinds beneath the process machine: what is asked of
// the host is written down here instead of done.
#include <check.h>
#include <errno.h>
#include <linux/mman.h>
#include <stdlib.h>

#include "hal-linux/huge.h"

#define MIB ((size_t)1 << 20)
#define LARGE (2 * MIB)

enum { ASKED_MAX = 16, RW = HAL_READ | HAL_WRITE };

static struct {
    char *va;
    size_t size;
    int advice;
} asked[ASKED_MAX];
static size_t asked_count;
static size_t fails_from; // the number of the first call that fails

long huge_host_advise(char *va, size_t size, int advice)
{
    ck_assert_uint_lt(asked_count, ASKED_MAX);
    asked[asked_count].va = va;
    asked[asked_count].size = size;
    asked[asked_count].advice = advice;
    return ++asked_count > fails_from ? -EINVAL : 0;
}

static char *const base = (char *)(LARGE * 1000);

static void begin(enum huge_host host)
{
    huge_host_set(host);
    asked_count = 0;
    fails_from = ASKED_MAX;
}

static void is_asked(size_t index, const char *va, size_t size, int advice)
{
    ck_assert_uint_lt(index, asked_count);
    ck_assert_ptr_eq(asked[index].va, va);
    ck_assert_uint_eq(asked[index].size, size);
    ck_assert_int_eq(asked[index].advice, advice);
}

// ---- What the host says ----

static void is_host(const char *all, const char *large, enum huge_host expected)
{
    ck_assert_int_eq(huge_host_of(all, large), expected);
}

START_TEST(settings_of_hosts_of_one_setting)
{
    is_host(NULL, NULL, HUGE_HOST_NEVER);
    is_host("", NULL, HUGE_HOST_NEVER);
    is_host("always within_size advise [never] deny force\n", NULL, HUGE_HOST_NEVER);
    is_host("always within_size [advise] never deny force\n", NULL, HUGE_HOST_ADVISED);
    is_host("always [within_size] advise never deny force\n", NULL, HUGE_HOST_UNASKED);
    is_host("[always] within_size advise never deny force\n", NULL, HUGE_HOST_UNASKED);
    is_host("always within_size advise never [deny] force\n", NULL, HUGE_HOST_NEVER);
    is_host("always within_size advise never deny [force]\n", NULL, HUGE_HOST_UNASKED);
    is_host("always [advise", NULL, HUGE_HOST_NEVER); // cut off
    is_host("[advised]", NULL, HUGE_HOST_NEVER);
}
END_TEST

START_TEST(settings_of_hosts_with_one_for_each_size)
{
    const char *inherits = "always [inherit] within_size advise never\n";
    const char *own = "always inherit within_size [advise] never\n";
    const char *none = "always inherit within_size advise [never]\n";
    is_host("[never]", inherits, HUGE_HOST_NEVER);
    is_host("[advise]", inherits, HUGE_HOST_ADVISED);
    is_host("[always]", inherits, HUGE_HOST_UNASKED);
    is_host("[never]", own, HUGE_HOST_ADVISED);
    is_host("[always]", own, HUGE_HOST_ADVISED);
    is_host("[never]", "[always] inherit", HUGE_HOST_UNASKED);
    is_host("[always]", none, HUGE_HOST_NEVER);
    is_host("[deny]", own, HUGE_HOST_NEVER); // before all others
    is_host("[force]", inherits, HUGE_HOST_UNASKED);
    is_host("[force]", own, HUGE_HOST_NEVER); // only of what is inherited
}
END_TEST

// ---- Views ----

START_TEST(views_of_whole_2_mib_are_advised)
{
    begin(HUGE_HOST_ADVISED);
    huge_view(base, 5 * LARGE, LARGE, RW);
    is_asked(0, base, LARGE, MADV_HUGEPAGE);
    huge_view(base + MIB, MIB, 4 * MIB, RW); // from the first to the last boundary
    is_asked(1, base + LARGE, LARGE, MADV_HUGEPAGE);
    ck_assert_uint_eq(asked_count, 2);
}
END_TEST

START_TEST(other_views_are_not)
{
    begin(HUGE_HOST_ADVISED);
    huge_view(base, 5 * LARGE, MIB, RW);
    huge_view(base, MIB, 4 * MIB, RW);        // the memory's 2 MiB begin elsewhere
    huge_view(base + MIB, MIB, LARGE, RW);    // two halves
    huge_view(base, LARGE, LARGE, HAL_READ);  // a touch brings nothing new
    huge_view(base + MIB, MIB, 64 << 10, RW); // less than the way to the boundary
    ck_assert_uint_eq(asked_count, 0);
}
END_TEST

START_TEST(hosts_that_give_none_or_all_are_not_asked)
{
    begin(HUGE_HOST_NEVER);
    huge_view(base, 0, LARGE, RW);
    huge_host_set(HUGE_HOST_UNASKED);
    huge_view(base, 0, LARGE, RW);
    ck_assert_uint_eq(asked_count, 0);
}
END_TEST

// ---- Touches ----

START_TEST(memory_comes_by_2_mib)
{
    for (int host = HUGE_HOST_NEVER; host <= HUGE_HOST_UNASKED; ++host) {
        begin((enum huge_host)host);
        huge_populate(base + MIB, 4 * MIB);
        is_asked(0, base + MIB, MIB, MADV_POPULATE_WRITE);
        is_asked(1, base + LARGE, LARGE, MADV_POPULATE_WRITE);
        is_asked(2, base + 2 * LARGE, MIB, MADV_POPULATE_WRITE);
        huge_populate(base, HAL_PAGE_SIZE);
        is_asked(3, base, HAL_PAGE_SIZE, MADV_POPULATE_WRITE);
        ck_assert_uint_eq(asked_count, 4);
    }
}
END_TEST

START_TEST(a_host_that_refuses_is_not_asked_on)
{
    begin(HUGE_HOST_NEVER);
    fails_from = 1;
    huge_populate(base, 4 * LARGE);
    ck_assert_uint_eq(asked_count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hosthuge");
    TCase *tests = tcase_create("huge pages of the host");
    tcase_add_test(tests, settings_of_hosts_of_one_setting);
    tcase_add_test(tests, settings_of_hosts_with_one_for_each_size);
    tcase_add_test(tests, views_of_whole_2_mib_are_advised);
    tcase_add_test(tests, other_views_are_not);
    tcase_add_test(tests, hosts_that_give_none_or_all_are_not_asked);
    tcase_add_test(tests, memory_comes_by_2_mib);
    tcase_add_test(tests, a_host_that_refuses_is_not_asked_on);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
