// SPDX-License-Identifier: BSD-3-Clause
// wheel_test.c: a wheel hands out what is due, in order and never early, whatever comes and goes.
//
// The model is a list sorted by key, and by age where keys are equal.
#include "core/lib/wheel.h"

#include <check.h>
#include <stdlib.h>

#include "core/lib/list.h"

enum { ITEMS = 300 };

struct item {
    struct wheel_node node;
    uint64_t key;
    uint64_t serial; // of its insertion
    bool is_in;
};

static struct item items[ITEMS];
static struct wheel wheel;
static uint64_t now, serial;

static uint64_t random_bits(unsigned bits)
{
    uint64_t value = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
    return bits == 0 ? 0 : value >> (64 - bits);
}

// A key that counts as due already is due since then.
static bool comes_before(const struct item *a, const struct item *b)
{
    return a->key < b->key || (a->key == b->key && a->serial < b->serial);
}

static struct item *model_first(void)
{
    struct item *first = NULL;
    for (unsigned i = 0; i < ITEMS; ++i) {
        if (items[i].is_in && (first == NULL || comes_before(&items[i], first))) {
            first = &items[i];
        }
    }
    return first;
}

static void item_insert(struct item *item, uint64_t key)
{
    item->key = key;
    item->serial = ++serial;
    item->is_in = true;
    wheel_insert(&wheel, &item->node, key);
}

static void item_remove(struct item *item)
{
    item->is_in = false;
    wheel_remove(&wheel, &item->node);
}

// All that is due, as wheel and model have it.
static void take_all(void)
{
    for (;;) {
        struct item *expected = model_first();
        struct wheel_node *node = wheel_take(&wheel, now);
        if (expected == NULL || expected->key > now) {
            ck_assert_ptr_null(node);
            uint64_t first = wheel_first(&wheel);
            ck_assert(expected == NULL ? first == UINT64_MAX
                                       : first > now && first <= expected->key);
            return;
        }
        ck_assert_ptr_eq(node, &expected->node);
        expected->is_in = false;
    }
}

static void reset(uint64_t start)
{
    wheel = (struct wheel){0};
    now = start;
    for (unsigned i = 0; i < ITEMS; ++i) {
        items[i] = (struct item){0};
    }
}

// Steps of time and distances of keys of all sizes, up to the end of the keys.
static void random_turns(unsigned turns, unsigned bits_max)
{
    for (unsigned turn = 0; turn < turns; ++turn) {
        struct item *item = &items[random() % ITEMS];
        uint64_t distance = random_bits((unsigned)random() % bits_max);
        if (item->is_in) {
            item_remove(item);
        } else {
            item_insert(item, distance >= UINT64_MAX - now ? UINT64_MAX - 1 : now + distance);
        }
        if (random() % 4 == 0) {
            distance = random_bits((unsigned)random() % bits_max);
            now = distance >= UINT64_MAX - now ? UINT64_MAX - 1 : now + distance;
            take_all();
        }
    }
}

START_TEST(random_changes_agree_with_a_sorted_list)
{
    static const unsigned bits_max[] = {5, 9, 20, 40, 60};
    srandom(1);
    for (unsigned i = 0; i < sizeof bits_max / sizeof bits_max[0]; ++i) {
        reset(i % 2 == 0 ? 0 : random_bits(50));
        random_turns(5000, bits_max[i]);
    }
}
END_TEST

// From wheel_first to wheel_first, as a timer that fires once is used: no key is handed out late.
START_TEST(who_looks_when_told_misses_nothing)
{
    srandom(2);
    reset(0);
    for (unsigned turn = 0; turn < 3000; ++turn) {
        struct item *item = &items[random() % ITEMS];
        if (item->is_in) {
            item_remove(item);
        } else {
            item_insert(item, now + 1 + random_bits((unsigned)random() % 50));
        }
        struct item *first = model_first();
        if (random() % 3 != 0 || first == NULL) {
            continue;
        }
        ck_assert_uint_le(wheel_first(&wheel), first->key);
        unsigned looks = 0;
        for (; first->is_in; ++looks) {
            now = wheel_first(&wheel);
            take_all();
        }
        ck_assert_uint_eq(now, first->key);
        ck_assert_uint_le(looks, WHEEL_LEVELS); // too early, because of keys that were removed
    }
}
END_TEST

START_TEST(without_removals_the_first_is_exact)
{
    srandom(3);
    reset(0);
    for (unsigned i = 0; i < ITEMS; ++i) {
        item_insert(&items[i], random_bits(1 + i % 60));
        ck_assert_uint_eq(wheel_first(&wheel), model_first()->key);
    }
    for (struct item *first; (first = model_first()) != NULL;) {
        ck_assert_uint_eq(wheel_first(&wheel), first->key);
        now = first->key;
        take_all();
    }
}
END_TEST

START_TEST(what_is_past_is_due_at_once_and_comes_first)
{
    reset(0);
    item_insert(&items[0], 1000);
    now = 1000;
    take_all();
    wheel_insert(&wheel, &items[0].node, 900);
    wheel_insert(&wheel, &items[1].node, 1001);
    wheel_insert(&wheel, &items[2].node, 7);
    ck_assert_ptr_eq(wheel_take(&wheel, 1000), &items[0].node);
    ck_assert_ptr_eq(wheel_take(&wheel, 1000), &items[2].node);
    ck_assert_ptr_null(wheel_take(&wheel, 1000));
    ck_assert_ptr_eq(wheel_take(&wheel, 1001), &items[1].node);
    ck_assert_uint_eq(wheel_first(&wheel), UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wheel");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, random_changes_agree_with_a_sorted_list);
    tcase_add_test(tests, who_looks_when_told_misses_nothing);
    tcase_add_test(tests, without_removals_the_first_is_exact);
    tcase_add_test(tests, what_is_past_is_due_at_once_and_comes_first);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
