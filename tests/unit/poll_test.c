// SPDX-License-Identifier: BSD-3-Clause
// poll_test.c: an idle CPU finds out what makes it wait for less, and what that costs is bounded.
//
// The machine is played: how soon after a CPU has become idle work comes, where it looks and where
// it halts.
#include <check.h>
#include <stdlib.h>

#include "core/sched/cpu.h"

enum { US = 1000, MS = 1000 * US, WORK_NS = 2 * US, IDLES = 20000 };

struct machine {
    hal_ns looked; // until work comes while the CPU looks
    hal_ns halted; // and until it runs again where it halts
};

static const struct machine apart = {.looked = 25 * US, .halted = 45 * US}; // a CPU for each
static const struct machine shared = {.looked = UINT64_MAX / 2, .halted = 3 * US};
static const struct machine near = {.looked = 25 * US, .halted = 3 * US}; // another may have this
static const struct machine rare = {.looked = 900 * US, .halted = 920 * US};

static struct cpu cpu;
static hal_ns now, event, idle_ns;

hal_ns hal_clock_ns(void)
{
    return now;
}

bool inbox_poll(struct cpu *self, hal_ns until)
{
    (void)self;
    now = event <= until ? event : until;
    return event <= until;
}

struct totals {
    hal_ns begin, idle, vain;
    uint64_t polls;
};

static struct totals totals_now(void)
{
    return (struct totals){now, idle_ns, cpu.counts.polled_vain_ns, cpu.counts.polls};
}

static void idle_once(const struct machine *machine)
{
    const hal_ns began = now;
    cpu.now_ns = now;
    atomic_store(&cpu.idle_thread.runtime_ns, idle_ns);
    poll_begin(&cpu);
    event = began + machine->looked;
    if (!poll_run(&cpu)) {
        ck_assert(!poll_run(&cpu)); // once each time
        now += machine->halted;
    }
    idle_ns += now - began;
    now += WORK_NS;
}

static void idle_often(const struct machine *machine)
{
    for (int i = 0; i < IDLES; ++i) {
        idle_once(machine);
    }
}

// What the last idle_often was like.
static hal_ns wait_since(const struct totals *before)
{
    return (idle_ns - before->idle) / IDLES;
}

static void begin(void)
{
    cpu = (struct cpu){.index = 0};
    now = 1000 * MS;
    idle_ns = 0;
    poll_init(&cpu);
}

START_TEST(it_looks_where_that_is_quicker)
{
    idle_often(&apart);
    const struct totals before = totals_now();
    idle_often(&apart);
    ck_assert_uint_lt(wait_since(&before), apart.looked + US);
}
END_TEST

START_TEST(it_halts_where_that_is_quicker)
{
    idle_often(&shared);
    const struct totals before = totals_now();
    idle_often(&shared);
    ck_assert_uint_lt(cpu.counts.polled_vain_ns - before.vain, (now - before.begin) / 100);
    ck_assert_uint_gt(cpu.counts.polls, before.polls); // it may be otherwise by now
}
END_TEST

// Work is mostly there already, and for the rest who would bring it needs this CPU.
START_TEST(what_is_there_already_says_little)
{
    static const struct machine ready = {.looked = US / 2, .halted = US};
    static const struct machine behind = {.looked = UINT64_MAX / 2, .halted = 30 * US};
    struct totals before = totals_now();
    for (int i = 0; i < 2 * IDLES; ++i) {
        before = i == IDLES ? totals_now() : before;
        idle_once(i % 5 == 0 ? &behind : &ready);
    }
    ck_assert_uint_lt(cpu.counts.polled_vain_ns - before.vain, (now - before.begin) / 30);
}
END_TEST

START_TEST(it_learns_that_it_is_otherwise)
{
    static const struct machine *const machines[] = {&apart, &shared, &apart, &near};
    for (size_t i = 0; i < 4; ++i) {
        const hal_ns began = now;
        while (now - began < 200 * MS) {
            idle_once(machines[i]);
        }
        const struct totals before = totals_now();
        idle_often(machines[i]);
        ck_assert_uint_lt(wait_since(&before), (i % 2 == 0 ? apart.looked : shared.halted) + US);
    }
}
END_TEST

START_TEST(looking_in_vain_is_bounded)
{
    idle_often(&rare);
    ck_assert_uint_lt(cpu.counts.polled_vain_ns, (now - 1000 * MS) / 100);
}
END_TEST

// It is better to look as a rule, but not each time.
START_TEST(what_is_mostly_right_is_bounded)
{
    static const struct machine quick = {.looked = 10 * US, .halted = 60 * US};
    static const struct machine slow = {.looked = 300 * US, .halted = 320 * US};
    for (int i = 0; i < IDLES; ++i) {
        idle_once(i % 8 == 0 ? &slow : &quick);
    }
    ck_assert_uint_lt(cpu.counts.polled_vain_ns, (now - 1000 * MS) / 15);
    ck_assert_uint_gt(cpu.counts.polls, IDLES / 4);
}
END_TEST

START_TEST(it_looks_once_where_nothing_happens)
{
    static const struct machine never = {UINT64_MAX / 2, 3600000 * (hal_ns)MS};
    idle_once(&never);
    ck_assert_uint_eq(cpu.counts.polls, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("poll");
    TCase *cases = tcase_create("poll");
    tcase_add_checked_fixture(cases, begin, NULL);
    tcase_add_test(cases, it_looks_where_that_is_quicker);
    tcase_add_test(cases, it_halts_where_that_is_quicker);
    tcase_add_test(cases, what_is_there_already_says_little);
    tcase_add_test(cases, it_learns_that_it_is_otherwise);
    tcase_add_test(cases, looking_in_vain_is_bounded);
    tcase_add_test(cases, what_is_mostly_right_is_bounded);
    tcase_add_test(cases, it_looks_once_where_nothing_happens);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
