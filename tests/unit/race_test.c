// SPDX-License-Identifier: BSD-3-Clause
// race_test.c: which accesses race, told to the detector one by one (hal-linux/seed/race.h).
//
// An access is named by who makes it: vCPU and context. Core's accesses race between vCPUs, an
// application's between contexts.
#include "hal-linux/seed/race.h"

#include <check.h>

enum { READ = 0, WRITE = RACE_WRITES, APPLICATION = RACE_APPLICATION };

static const struct race_actor a = {0, 1}, b = {1, 2}; // on vCPUs of their own
static const struct race_actor c = {0, 3};             // another context on a's
static const struct race_actor a_moved = {1, 1};       // a on the other vCPU

static char place_a, place_b;
static uint64_t words[512], flag, other_flag;

static unsigned found_count;
static struct race_access found[2];

void race_found(const struct race_access *first, const struct race_access *second)
{
    ++found_count;
    found[0] = *first;
    found[1] = *second;
}

void race_full(void)
{
    ck_abort_msg("no memory");
}

static void forget(void)
{
    race_forget((uintptr_t)words, sizeof words);
    race_forget((uintptr_t)&flag, sizeof flag);
    race_forget((uintptr_t)&other_flag, sizeof other_flag);
    found_count = 0;
}

static void touch(struct race_actor by, const void *address, size_t size, unsigned kind)
{
    race_access(by, (uintptr_t)address, size, kind, by.context == 1 ? &place_a : &place_b);
}

static void store(struct race_actor by, uint64_t *word, int order)
{
    race_atomic(by, (uintptr_t)word, sizeof *word, WRITE, false, order, &place_a);
}

static void load(struct race_actor by, uint64_t *word, int order)
{
    race_atomic(by, (uintptr_t)word, sizeof *word, READ, true, order, &place_b);
}

static void change(struct race_actor by, uint64_t *word, int order)
{
    race_atomic(by, (uintptr_t)word, sizeof *word, WRITE, true, order, &place_b);
}

// One writes, hands over by what is between, the other writes.
#define EXPECT(count, between)                                                                     \
    do {                                                                                           \
        forget();                                                                                  \
        touch(a, &words[0], 8, WRITE);                                                             \
        between;                                                                                   \
        touch(b, &words[0], 8, WRITE);                                                             \
        ck_assert_uint_eq(found_count, count);                                                     \
    } while (false)

START_TEST(two_writes_race)
{
    EXPECT(1, (void)0);
    ck_assert_ptr_eq(found[0].place, &place_a);
    ck_assert_ptr_eq(found[1].place, &place_b);
    ck_assert_uint_eq(found[1].number, race_number());
    ck_assert_uint_eq(found[0].number, race_number() - 1);
    ck_assert(found[0].address == (uintptr_t)&words[0] && found[0].size == 8);
    ck_assert(found[0].by.cpu == 0 && found[0].by.context == 1 && found[0].kind == WRITE);
}
END_TEST

START_TEST(a_read_and_a_write_race)
{
    forget();
    touch(a, &words[0], 8, READ);
    touch(b, &words[0], 8, READ);
    ck_assert_uint_eq(found_count, 0);
    touch(b, &words[0], 4, WRITE);
    ck_assert_uint_eq(found_count, 1);
    forget();
    touch(a, &words[0], 8, WRITE);
    touch(b, &words[0], 1, READ);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(only_the_same_bytes_race)
{
    forget();
    touch(a, (char *)words + 0, 3, WRITE);
    touch(b, (char *)words + 3, 5, WRITE);
    ck_assert_uint_eq(found_count, 0);
    touch(b, (char *)words + 2, 1, READ);
    ck_assert_uint_eq(found_count, 1);
    ck_assert(found[1].address == (uintptr_t)words + 2);
}
END_TEST

START_TEST(an_access_may_cross_words_and_pages)
{
    forget();
    touch(a, (char *)words + 6, 100, WRITE);
    touch(b, (char *)words + 105, 8, READ);
    ck_assert_uint_eq(found_count, 1);
    touch(b, (char *)words + 106, 64, WRITE);
    ck_assert_uint_eq(found_count, 1);
    forget();
    touch(a, words, sizeof words, READ);
    touch(b, &words[511], 8, WRITE);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(release_and_acquire_order)
{
    EXPECT(0, (store(a, &flag, __ATOMIC_RELEASE), load(b, &flag, __ATOMIC_ACQUIRE)));
    EXPECT(0, (change(a, &flag, __ATOMIC_ACQ_REL), change(b, &flag, __ATOMIC_SEQ_CST)));
    EXPECT(1, (store(a, &flag, __ATOMIC_RELAXED), load(b, &flag, __ATOMIC_ACQUIRE)));
    EXPECT(1, (store(a, &flag, __ATOMIC_RELEASE), load(b, &flag, __ATOMIC_RELAXED)));
    EXPECT(1, (store(a, &flag, __ATOMIC_SEQ_CST), load(b, &other_flag, __ATOMIC_SEQ_CST)));
    EXPECT(1, (load(b, &flag, __ATOMIC_ACQUIRE), store(a, &flag, __ATOMIC_RELEASE)));
}
END_TEST

START_TEST(what_is_done_after_a_release_is_not_ordered_by_it)
{
    forget();
    store(a, &flag, __ATOMIC_RELEASE);
    touch(a, &words[0], 8, WRITE);
    load(b, &flag, __ATOMIC_ACQUIRE);
    touch(b, &words[0], 8, READ);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(a_change_goes_on_with_a_release_and_a_store_ends_it)
{
    EXPECT(0, (store(a, &flag, __ATOMIC_RELEASE), change(c, &flag, __ATOMIC_RELAXED),
               load(b, &flag, __ATOMIC_ACQUIRE)));
    EXPECT(1, (store(a, &flag, __ATOMIC_RELEASE), store(b, &flag, __ATOMIC_RELAXED),
               load(b, &flag, __ATOMIC_ACQUIRE)));
}
END_TEST

START_TEST(order_goes_on_from_one_to_the_next)
{
    const struct race_actor third = {2, 4};
    EXPECT(0,
           (store(a, &flag, __ATOMIC_RELEASE), load(third, &flag, __ATOMIC_ACQUIRE),
            store(third, &other_flag, __ATOMIC_RELEASE), load(b, &other_flag, __ATOMIC_ACQUIRE)));
}
END_TEST

// In this order: a fence of the first case would still hold in the next.
START_TEST(fences_order_with_relaxed_accesses)
{
    EXPECT(1, (store(a, &flag, __ATOMIC_RELAXED), race_fence(b, __ATOMIC_ACQUIRE),
               load(b, &flag, __ATOMIC_RELAXED)));
    EXPECT(1, (store(a, &flag, __ATOMIC_RELEASE), race_fence(b, __ATOMIC_ACQUIRE),
               load(b, &flag, __ATOMIC_RELAXED)));
    EXPECT(0, (store(a, &flag, __ATOMIC_RELEASE), load(b, &flag, __ATOMIC_RELAXED),
               race_fence(b, __ATOMIC_ACQUIRE)));
    EXPECT(1, (race_fence(a, __ATOMIC_ACQUIRE), store(a, &flag, __ATOMIC_RELAXED),
               load(b, &flag, __ATOMIC_ACQUIRE)));
    EXPECT(0, (race_fence(a, __ATOMIC_RELEASE), store(a, &flag, __ATOMIC_RELAXED),
               load(b, &flag, __ATOMIC_ACQUIRE)));
    EXPECT(0, (race_fence(a, __ATOMIC_SEQ_CST), change(a, &flag, __ATOMIC_RELAXED),
               load(b, &flag, __ATOMIC_RELAXED), race_fence(b, __ATOMIC_SEQ_CST)));
}
END_TEST

START_TEST(atomic_accesses_race_with_plain_ones_only)
{
    forget();
    store(a, &flag, __ATOMIC_RELAXED);
    change(b, &flag, __ATOMIC_RELAXED);
    load(b, &flag, __ATOMIC_RELAXED);
    ck_assert_uint_eq(found_count, 0);
    touch(b, &flag, 8, READ);
    ck_assert_uint_eq(found_count, 1);
    ck_assert(found[0].kind & RACE_ATOMIC);
}
END_TEST

// An exchange takes it, a store gives it back.
START_TEST(a_lock_orders)
{
    forget();
    for (unsigned i = 0; i < 100; ++i) {
        const struct race_actor who = {i % 3, i % 3 + 1};
        change(who, &flag, __ATOMIC_ACQUIRE);
        touch(who, &words[i % 5], 8, READ);
        touch(who, &words[i % 5], 8, WRITE);
        store(who, &flag, __ATOMIC_RELEASE);
    }
    ck_assert_uint_eq(found_count, 0);
    touch(b, &words[3], 8, WRITE); // the third and a had the lock since
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(two_locks_in_one_word_are_two)
{
    uint32_t *halves = (uint32_t *)&flag;
    forget();
    touch(a, &words[0], 8, WRITE);
    race_atomic(a, (uintptr_t)&halves[0], 4, WRITE, false, __ATOMIC_RELEASE, &place_a);
    race_atomic(a, (uintptr_t)&halves[1], 4, WRITE, false, __ATOMIC_RELAXED, &place_a);
    race_atomic(b, (uintptr_t)&halves[1], 4, READ, true, __ATOMIC_ACQUIRE, &place_b);
    touch(b, &words[0], 8, READ);
    ck_assert_uint_eq(found_count, 1);
    race_atomic(b, (uintptr_t)&halves[0], 4, READ, true, __ATOMIC_ACQUIRE, &place_b);
    touch(b, &words[0], 8, WRITE);
    ck_assert_uint_eq(found_count, 1);
    touch(a, &words[1], 8, WRITE); // and one of both
    race_atomic(a, (uintptr_t)&halves[1], 4, WRITE, false, __ATOMIC_RELEASE, &place_a);
    load(b, &flag, __ATOMIC_ACQUIRE);
    touch(b, &words[1], 8, WRITE);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(core_on_one_cpu_is_in_order_whatever_the_context)
{
    forget();
    touch(a, &words[0], 8, WRITE);
    touch(c, &words[0], 8, WRITE);
    ck_assert_uint_eq(found_count, 0);
    touch(a_moved, &words[0], 8, WRITE); // whose move is somebody's business
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(contexts_of_an_application_race_on_one_cpu)
{
    forget();
    touch(a, &words[0], 8, WRITE | APPLICATION);
    touch(a_moved, &words[0], 8, WRITE | APPLICATION);
    ck_assert_uint_eq(found_count, 0);
    forget();
    touch(a, &words[0], 8, WRITE | APPLICATION);
    touch(c, &words[0], 8, READ | APPLICATION);
    ck_assert_uint_eq(found_count, 1);
    forget();
    touch(a, &words[0], 8, WRITE | APPLICATION);
    store(a, &flag, __ATOMIC_RELEASE);
    load(c, &flag, __ATOMIC_ACQUIRE);
    touch(c, &words[0], 8, READ | APPLICATION);
    ck_assert_uint_eq(found_count, 0);
    forget();
    touch(a, &words[0], 8, WRITE | APPLICATION);
    touch(c, &words[0], 8, WRITE); // core's, for c
    ck_assert_uint_eq(found_count, 0);
    touch(b, &words[0], 8, READ); // core's, on the other vCPU
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(a_cpu_begins_after_what_came_before)
{
    const struct race_actor late = {7, 8};
    forget();
    touch(a, &words[0], 8, WRITE);
    race_cpu_begin(a, late.cpu);
    touch(a, &words[1], 8, WRITE);
    touch(late, &words[0], 8, WRITE);
    ck_assert_uint_eq(found_count, 0);
    touch(late, &words[1], 8, WRITE);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(a_block_is_handed_on)
{
    forget();
    touch(a, &words[0], 8, WRITE);
    race_release(a, (uintptr_t)&words[9]);
    load(b, &words[9], __ATOMIC_ACQUIRE);
    touch(b, &words[0], 8, READ);
    ck_assert_uint_eq(found_count, 1); // an atomic access has no part in it
    race_acquire(b, (uintptr_t)&words[9]);
    touch(b, &words[0], 8, READ);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

START_TEST(what_is_forgotten_does_not_race)
{
    forget();
    touch(a, &words[0], 32, WRITE);
    race_forget((uintptr_t)&words[1], 16);
    touch(b, &words[1], 16, WRITE);
    ck_assert_uint_eq(found_count, 0);
    touch(b, &words[3], 8, WRITE);
    ck_assert_uint_eq(found_count, 1);
}
END_TEST

// More are in order than there are cells: the one that is not is still there.
START_TEST(accesses_in_order_make_room)
{
    const struct race_actor third = {2, 4};
    forget();
    touch(third, &words[0], 8, READ);
    for (unsigned i = 0; i < 100; ++i) {
        const struct race_actor who = {i % 2, i % 2 + 1};
        change(who, &flag, __ATOMIC_ACQ_REL);
        touch(who, &words[0], 8, READ);
    }
    change(b, &flag, __ATOMIC_ACQ_REL);
    change(a, &flag, __ATOMIC_ACQ_REL);
    touch(a, &words[0], 8, WRITE);
    ck_assert_uint_eq(found_count, 1);
    ck_assert_uint_eq(found[0].by.cpu, 2);
}
END_TEST

int main(void)
{
    if (race_init() != 0) {
        return 1;
    }
    Suite *suite = suite_create("race");
    TCase *tests = tcase_create("accesses");
    tcase_add_test(tests, two_writes_race);
    tcase_add_test(tests, a_read_and_a_write_race);
    tcase_add_test(tests, only_the_same_bytes_race);
    tcase_add_test(tests, an_access_may_cross_words_and_pages);
    tcase_add_test(tests, release_and_acquire_order);
    tcase_add_test(tests, what_is_done_after_a_release_is_not_ordered_by_it);
    tcase_add_test(tests, a_change_goes_on_with_a_release_and_a_store_ends_it);
    tcase_add_test(tests, order_goes_on_from_one_to_the_next);
    tcase_add_test(tests, fences_order_with_relaxed_accesses);
    tcase_add_test(tests, atomic_accesses_race_with_plain_ones_only);
    tcase_add_test(tests, a_lock_orders);
    tcase_add_test(tests, two_locks_in_one_word_are_two);
    tcase_add_test(tests, core_on_one_cpu_is_in_order_whatever_the_context);
    tcase_add_test(tests, contexts_of_an_application_race_on_one_cpu);
    tcase_add_test(tests, a_cpu_begins_after_what_came_before);
    tcase_add_test(tests, a_block_is_handed_on);
    tcase_add_test(tests, what_is_forgotten_does_not_race);
    tcase_add_test(tests, accesses_in_order_make_room);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
