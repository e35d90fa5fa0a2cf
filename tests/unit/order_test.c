// SPDX-License-Identifier: BSD-3-Clause
// order_test.c: which orders of locks go round in a circle, told one by one
// (hal-linux/seed/order.h).
//
// There is one graph for all cases: each has places and locks of its own.
#include "hal-linux/seed/order.h"

#include <check.h>

enum { CASES = 16, PLACES = 4, LOCKS = 16 };

static char threads[2];
static char places[CASES][PLACES];
static char locks[CASES * LOCKS][64]; // on several pages

static unsigned found_count, steps_count;
static struct hal_lock_step found[ORDER_STEPS_MAX];

static unsigned this_case;

void order_found(const struct hal_lock_step *const *steps, uint32_t count)
{
    ++found_count;
    steps_count = count;
    for (uint32_t i = 0; i < count; ++i) {
        found[i] = *steps[i];
    }
}

void order_stack(const void *place, const void *stack[HAL_RACE_DEPTH])
{
    stack[0] = place;
    stack[1] = NULL;
}

static void begin(void)
{
    ++this_case;
    found_count = 0;
}

static const void *place(unsigned index)
{
    return &places[this_case][index];
}

static uintptr_t lock_of(unsigned index)
{
    return (uintptr_t)locks[this_case * LOCKS + index];
}

static void lock(unsigned thread, unsigned index, unsigned at)
{
    order_lock(&threads[thread], thread, lock_of(index), place(at));
}

static void unlock(unsigned thread, unsigned index)
{
    order_unlock(&threads[thread], lock_of(index));
}

// One after the other, by one thread.
static void both(unsigned thread, unsigned first, unsigned first_at, unsigned second,
                 unsigned second_at)
{
    lock(thread, first, first_at);
    lock(thread, second, second_at);
    unlock(thread, second);
    unlock(thread, first);
}

START_TEST(two_ways_round_are_a_circle)
{
    begin();
    both(0, 0, 0, 1, 1);
    ck_assert_uint_eq(found_count, 0);
    both(0, 0, 0, 1, 1);
    both(0, 1, 1, 2, 2);
    ck_assert_uint_eq(found_count, 0);
    both(1, 1, 1, 0, 0); // nobody waits for anybody: it is found all the same
    ck_assert_uint_eq(found_count, 1);
    ck_assert_uint_eq(steps_count, 2);
    ck_assert_ptr_eq(found[0].held, place(0));
    ck_assert_ptr_eq(found[0].stack[0], place(1));
    ck_assert_ptr_eq(found[1].held, place(1));
    ck_assert_ptr_eq(found[1].stack[0], place(0));
    ck_assert_ptr_eq(found[0].self, &threads[0]);
    ck_assert_ptr_eq(found[1].self, &threads[1]);
    both(1, 1, 1, 0, 0);
    ck_assert_uint_eq(found_count, 1); // once
}
END_TEST

START_TEST(three_make_a_circle)
{
    begin();
    both(0, 0, 0, 1, 1);
    both(0, 1, 1, 2, 2);
    ck_assert_uint_eq(found_count, 0);
    both(0, 2, 2, 0, 0);
    ck_assert_uint_eq(found_count, 1);
    ck_assert_uint_eq(steps_count, 3);
    for (int i = 0; i < 3; ++i) {
        ck_assert_ptr_eq(found[i].stack[0], found[(i + 1) % 3].held);
    }
}
END_TEST

START_TEST(other_locks_of_the_classes_make_it_too)
{
    begin();
    both(0, 0, 0, 1, 1);
    both(0, 2, 1, 3, 0); // locks of the same places
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(places_of_one_lock_are_one_class)
{
    begin();
    both(0, 0, 0, 1, 1);
    both(0, 2, 2, 3, 3);
    ck_assert_uint_eq(found_count, 0);
    lock(0, 1, 2); // places 1 and 2 are one class: 0 before that, that before 3
    unlock(0, 1);
    ck_assert_uint_eq(found_count, 0);
    lock(0, 3, 0); // and 0 and 3
    unlock(0, 3);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(locks_of_a_class_have_an_order_of_their_own)
{
    begin();
    both(0, 0, 0, 1, 0);
    both(0, 1, 0, 2, 0);
    both(0, 0, 0, 2, 0);
    ck_assert_uint_eq(found_count, 0);
    both(1, 2, 0, 0, 0);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(memory_of_another_owner_is_another_lock)
{
    begin();
    both(0, 0, 0, 1, 0);
    order_forget(lock_of(0), sizeof locks[0]);
    both(0, 1, 0, 0, 0);
    ck_assert_uint_eq(found_count, 0);
    order_forget(lock_of(1), sizeof locks[0]);
    both(0, 1, 1, 2, 2); // and its class is another
    both(0, 2, 2, 0, 0);
    ck_assert_uint_eq(found_count, 0);
}
END_TEST

START_TEST(what_is_held_is_not_forgotten)
{
    begin();
    both(0, 0, 0, 1, 1);
    lock(0, 1, 1);
    order_forget(lock_of(0), 2 * sizeof locks[0]);
    lock(0, 0, 0);
    ck_assert_uint_eq(found_count, 1);
    unlock(0, 0);
    unlock(0, 1);
}
END_TEST

START_TEST(nothing_leads_to_who_tries)
{
    begin();
    lock(0, 0, 0);
    unlock(0, 0);
    lock(0, 1, 1);
    order_lock_tried(&threads[0], lock_of(0)); // with 1 held
    unlock(0, 0);
    unlock(0, 1);
    both(0, 0, 0, 1, 1);
    ck_assert_uint_eq(found_count, 0);
    lock(0, 2, 2);
    lock(0, 0, 0);
    unlock(0, 0);
    unlock(0, 2);
    order_lock_tried(&threads[0], lock_of(0));
    lock(0, 2, 2);
    ck_assert_uint_eq(found_count, 1);
    unlock(0, 2);
    unlock(0, 0);
}
END_TEST

START_TEST(who_waits_takes_it_again_after_the_others)
{
    begin();
    lock(0, 0, 0);
    lock(0, 1, 1);
    unlock(0, 0); // as a wait does
    order_lock_again(&threads[0], 0, lock_of(0));
    ck_assert_uint_eq(found_count, 1);
    unlock(0, 0);
    unlock(0, 1);
}
END_TEST

START_TEST(unlocked_in_any_order)
{
    begin();
    lock(0, 0, 0);
    lock(0, 1, 1);
    unlock(0, 0);
    lock(0, 2, 2); // only 1 is held
    unlock(0, 1);
    unlock(0, 2);
    unlock(0, 2); // of no account
    both(0, 2, 2, 0, 0);
    ck_assert_uint_eq(found_count, 1);
    ck_assert_uint_eq(steps_count, 3); // 0 did not lead to 2
}
END_TEST

START_TEST(threads_hold_their_own)
{
    begin();
    lock(0, 0, 0);
    lock(1, 1, 1);
    unlock(0, 0);
    lock(0, 2, 2);
    unlock(1, 1);
    unlock(0, 2);
    both(0, 1, 1, 0, 0);
    both(0, 2, 2, 1, 1);
    ck_assert_uint_eq(found_count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order");
    TCase *tcase = tcase_create("order");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, two_ways_round_are_a_circle);
    tcase_add_test(tcase, three_make_a_circle);
    tcase_add_test(tcase, other_locks_of_the_classes_make_it_too);
    tcase_add_test(tcase, places_of_one_lock_are_one_class);
    tcase_add_test(tcase, locks_of_a_class_have_an_order_of_their_own);
    tcase_add_test(tcase, memory_of_another_owner_is_another_lock);
    tcase_add_test(tcase, what_is_held_is_not_forgotten);
    tcase_add_test(tcase, nothing_leads_to_who_tries);
    tcase_add_test(tcase, who_waits_takes_it_again_after_the_others);
    tcase_add_test(tcase, unlocked_in_any_order);
    tcase_add_test(tcase, threads_hold_their_own);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
