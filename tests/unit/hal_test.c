// SPDX-License-Identifier: BSD-3-Clause
// hal_test.c: the HAL that unit tests stand on keeps the parts of the contract that core relies on.
#include "hal/hal.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <stdlib.h>

START_TEST(irq_save_nests)
{
    ck_assert(hal_irq_enabled());
    uintptr_t outer = hal_irq_save();
    uintptr_t inner = hal_irq_save();
    hal_irq_restore(inner);
    ck_assert(!hal_irq_enabled());
    hal_irq_restore(outer);
    ck_assert(hal_irq_enabled());
}
END_TEST

START_TEST(kicks_are_counted_per_cpu)
{
    hal_cpu_kick(3);
    ck_assert_uint_eq(unit_kick_count[3], 1);
    ck_assert_uint_eq(unit_kick_count[2], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hal");
    TCase *tests = tcase_create("unit");
    tcase_add_test(tests, irq_save_nests);
    tcase_add_test(tests, kicks_are_counted_per_cpu);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
