// SPDX-License-Identifier: BSD-3-Clause
// wheel_steps_test.c: what a wheel's operations cost with 10, 1 000 and 100 000 armed, in accesses
// to memory: the wheel is compiled as for the deterministic machine, so that each is a call.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/lib/assert.h"
#include "core/lib/wheel.h"
#include "hal-linux/seed/access.h"

enum { MOST = 100000 };

static uint64_t accesses;

void seed_access(const volatile void *address, size_t size, bool writes, const void *place)
{
    ++accesses;
}

void seed_atomic(const volatile void *address, size_t size, bool reads, bool writes, int order,
                 const void *place)
{
    abort(); // there is none
}

void seed_fence(int order)
{
    abort();
}

// core's own copying functions are linked here, too.
void seed_mark_access(const void *start, unsigned long size, int writes, const void *caller);

void seed_mark_access(const void *start, unsigned long size, int writes, const void *caller)
{
}

void assert_fail(const char *condition, const char *file, int line)
{
    ck_abort_msg("%s (%s:%d)", condition, file, line);
}

static struct wheel wheel;
static struct wheel_node nodes[MOST], one;

// From a microsecond to some hours, all as likely as ten times that.
static uint64_t random_distance(void)
{
    return ((uint64_t)random() & 1023) << (unsigned)random() % 34;
}

static uint64_t accesses_of_pair(uint64_t key)
{
    accesses = 0;
    wheel_insert(&wheel, &one, key);
    (void)wheel_first(&wheel);
    wheel_remove(&wheel, &one);
    (void)wheel_first(&wheel);
    return accesses;
}

struct cost {
    uint64_t pair_most;   // arming, cancelling, and the next deadline after each: the most of all
    double each_mean;     // arming and handing out, per element, a look for each included
    uint64_t early_looks; // that found nothing due
};

static struct cost cost_of(uint32_t count)
{
    struct cost cost = {0};
    uint64_t sum = 0, now = 1000000000;
    wheel = (struct wheel){.position = now};
    accesses = 0;
    for (uint32_t i = 0; i < count; ++i) {
        wheel_insert(&wheel, &nodes[i], now + random_distance());
    }
    sum += accesses;
    for (uint32_t i = 0; i < 10000; ++i) {
        uint64_t pair = accesses_of_pair(now + random_distance());
        cost.pair_most = pair > cost.pair_most ? pair : cost.pair_most;
    }
    accesses = 0;
    for (uint32_t left = count; left > 0;) {
        uint32_t before = left;
        now = wheel_first(&wheel);
        for (struct wheel_node *node; (node = wheel_take(&wheel, now)) != NULL; --left) {
            ck_assert_uint_le(node->key, now);
        }
        cost.early_looks += left == before;
    }
    cost.each_mean = (double)(sum + accesses) / count;
    return cost;
}

START_TEST(all_operations_cost_the_same_with_many_armed)
{
    static const uint32_t counts[] = {10, 1000, MOST};
    for (int i = 0; i < 3; ++i) {
        struct cost cost = cost_of(counts[i]);
        printf(
            "# %u armed: %lu accesses at most to arm and cancel one, %.0f to arm and expire one; "
            "%lu looks too early\n",
            counts[i], cost.pair_most, cost.each_mean, cost.early_looks);
        ck_assert_uint_le(cost.pair_most, 40);
        ck_assert_double_le(cost.each_mean, 130);
        // For ten thousand cancelled: each slot that remembers one is looked at too early, once.
        ck_assert_uint_le(cost.early_looks, WHEEL_LEVELS * WHEEL_SLOTS / 2);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wheel steps");
    TCase *tests = tcase_create("unit");
    tcase_add_test(tests, all_operations_cost_the_same_with_many_armed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
