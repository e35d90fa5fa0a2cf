// SPDX-License-Identifier: BSD-3-Clause
// decay_test.c: the scheduler's measure of runtime, in integers, against the paper's formula in
// double.
#include "core/sched/decay.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { THREADS = 6, RUNS = 4000 };

static const double tau = DECAY_TAU_NS;
static const uint32_t shares[THREADS] = {88761, 1024, 1024, 1024, 15, 3};

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

// From 1 ns to 270 ms, as many short ones as long ones.
static hal_ns random_span(uint32_t *state)
{
    hal_ns most = (hal_ns)1 << random_next(state) % 28;
    return most + random_next(state) % most;
}

// The paper's, without its trick: each measure shrinks as time passes.
static void formula(double *measure, uint32_t runner, double weight, double span)
{
    for (uint32_t i = 0; i < THREADS; ++i) {
        measure[i] *= exp(-span / tau);
    }
    measure[runner] -= weight * tau * expm1(-span / tau);
}

static void compare(hal_ns start, uint32_t seed)
{
    struct decay_clock clock = {0};
    decayed sums[THREADS] = {0};
    double measures[THREADS] = {0};
    hal_ns now = start;
    (void)decay_anchor(&clock, now);
    for (uint32_t run = 0; run < RUNS; ++run) {
        uint32_t runner = random_next(&seed) % THREADS;
        hal_ns span = random_span(&seed);
        double weight = 1024.0 / shares[runner];
        uint64_t growth = decay_advance(&clock, now, now + span);
        now += span;
        sums[runner] = decay_add(sums[runner], &clock, growth, decay_weight(shares[runner]));
        formula(measures, runner, weight, (double)span);
        for (uint32_t i = 0; i < THREADS; ++i) {
            double heavy = 1024.0 / shares[i];
            double error = fabs((double)decay_ns(sums[i], &clock) - measures[i]);
            ck_assert_msg(error <= measures[i] * 1e-4 + heavy * 100 + 1,
                          "run %u, thread %u: %ld, not %f", run, i, decay_ns(sums[i], &clock),
                          measures[i]);
        }
    }
}

START_TEST(it_is_the_formula_of_the_paper)
{
    compare(0, 1);
    compare(123456789, 2);
    compare(1000000000ul * 3600 * 24 * 365, 3); // after a year
}
END_TEST

// c(t) of both CPUs is the same at the same time, however they came there.
START_TEST(all_clocks_show_the_same)
{
    struct decay_clock often = {0};
    uint32_t seed = 1;
    hal_ns now = 0;
    (void)decay_anchor(&often, 0);
    for (uint32_t i = 0; i < RUNS; ++i) {
        struct decay_clock once = {0};
        hal_ns span = random_next(&seed) % 1000;
        (void)decay_advance(&often, now, now + span);
        now += span;
        (void)decay_anchor(&once, now);
        double shown = ldexp((double)often.scale, (int)often.exponent - (int)once.exponent);
        ck_assert_double_le(fabs(shown / (double)once.scale - 1), 1e-6);
    }
}
END_TEST

// Short runs add up, whatever has been summed before.
START_TEST(no_run_is_too_short_to_count)
{
    struct decay_clock clock = {0};
    hal_ns now = 5000000000;
    (void)decay_anchor(&clock, now);
    decayed sum = decay_after(0, &clock, DECAY_TAU_NS, DECAY_WEIGHT_ONE);
    int64_t before = decay_ns(sum, &clock);
    ck_assert_double_le(fabs((double)before / tau - 1), 1e-6);
    uint64_t growth = decay_advance(&clock, now, now + 20);
    for (uint32_t i = 0; i < 100000; ++i) { // each time the same 20 ns
        decayed more = decay_add(sum, &clock, growth, DECAY_WEIGHT_ONE);
        ck_assert_uint_gt(more, sum);
        sum = more;
    }
    double ran = (double)(decay_ns(sum, &clock) - before);
    ck_assert_double_le(fabs(ran / 2e6 - 1), 0.01);
}
END_TEST

START_TEST(before_undoes_after)
{
    struct decay_clock clock = {0};
    (void)decay_anchor(&clock, 7000000000);
    decayed sum = decay_after(0, &clock, 50000000, DECAY_WEIGHT_ONE);
    decayed later = decay_after(sum, &clock, 10000000, DECAY_WEIGHT_ONE);
    ck_assert_uint_gt(later, sum);
    int64_t back = decay_ns(decay_before(later, &clock, 10000000, DECAY_WEIGHT_ONE), &clock);
    ck_assert_int_le(llabs(back - decay_ns(sum, &clock)), 100);
    ck_assert_uint_eq(decay_before(sum, &clock, 60000000, DECAY_WEIGHT_ONE), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decay");
    TCase *tests = tcase_create("unit");
    tcase_add_test(tests, it_is_the_formula_of_the_paper);
    tcase_add_test(tests, all_clocks_show_the_same);
    tcase_add_test(tests, no_run_is_too_short_to_count);
    tcase_add_test(tests, before_undoes_after);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
