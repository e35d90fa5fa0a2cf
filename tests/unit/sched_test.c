// SPDX-License-Identifier: BSD-3-Clause
// sched_test.c: core/sched on CPUs that are host threads: parking, timers, shares, affinity,
// balance, the ends of threads.
//
// What the threads tell each other is plain memory: a race checker says whether wakes, joins and
// migrations order what they promise to; Memcheck, whether a thread or a stack is used after its
// end.
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <valgrind/valgrind.h>

#include "core/mem/frame.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "cpu_host.h"

enum { CPUS = 4, US = 1000, MS = 1000 * US };

static uint32_t rounds(uint32_t count)
{
    return RUNNING_ON_VALGRIND ? count / 20 : count;
}

static struct thread *spawn(void (*entry)(void *), void *argument)
{
    struct thread *thread;
    const struct thread_config config = {.name = "test"};
    ck_assert_int_eq(thread_create(&thread, &config, entry, argument), 0);
    thread_start(thread);
    return thread;
}

static void join(struct thread *thread)
{
    ck_assert(thread_join(thread, UINT64_MAX));
}

// ---- One CPU: time is exact ----------------------------------------------

static uint32_t order[3];
static uint32_t order_count;

static void sleep_and_note(void *argument)
{
    uintptr_t turn = (uintptr_t)argument;
    thread_sleep_until(turn * 100 * US);
    ck_assert_uint_ge(hal_clock_ns(), turn * 100 * US);
    ck_assert_uint_lt(hal_clock_ns(), turn * 100 * US + US);
    order[order_count++] = (uint32_t)turn;
}

static void timers_first(void *argument)
{
    struct thread *threads[3];
    for (uintptr_t i = 0; i < 3; ++i) {
        threads[i] = spawn(sleep_and_note, (void *)(i == 0 ? 3 : i));
    }
    for (int i = 0; i < 3; ++i) {
        join(threads[i]);
    }
    // A wake ends a wait before its deadline, a wake before it, too; nobody's wake lets it pass.
    thread_wake(thread_self());
    ck_assert(thread_park_until(THREAD_WALL - 1));
    ck_assert(!thread_park_until(hal_clock_ns() + 5 * US));
    cpu_host_end();
}

START_TEST(sleepers_wake_at_their_time)
{
    cpu_host_run(1, timers_first);
    ck_assert_uint_eq(order_count, 3);
    for (uint32_t i = 0; i < 3; ++i) {
        ck_assert_uint_eq(order[i], i + 1);
    }
}
END_TEST

// ---- How often a CPU looks who waits -----------------------------------------

static struct thread *partner;

static void answer_thrice(void *argument)
{
    for (int i = 0; i < 3; ++i) {
        thread_park();
        thread_wake(argument);
    }
}

static uint64_t timers_count(void)
{
    struct sched_counts counts;
    sched_counts_sum(&counts);
    return counts.timers;
}

// The partner waits while the caller goes on for so long. Answers how often the CPU looked.
static uint64_t looks_while(hal_ns span)
{
    const uint64_t before = timers_count();
    thread_wake(partner);
    for (hal_ns passed = 0; passed < span; passed += 50 * US) {
        cpu_host_pass(50 * US);
    }
    const uint64_t looks = timers_count() - before;
    thread_park(); // it is answered
    return looks;
}

static void looks_first(void *argument)
{
    (void)argument;
    partner = spawn(answer_thrice, thread_self());
    thread_sleep_until(hal_clock_ns() + MS); // it is new
    thread_sleep_until(hal_clock_ns() + MS); // parks, and no look has found it: it is trusted
    ck_assert_uint_eq(looks_while(MS), 0);
    ck_assert_uint_eq(looks_while(3 * MS), 1); // and now no longer
    ck_assert_uint_ge(looks_while(MS), 1);
    join(partner);
    cpu_host_end();
}

START_TEST(who_parks_soon_is_rarely_looked_at)
{
    cpu_host_run(1, looks_first);
}
END_TEST

// ---- A clock that is set --------------------------------------------------

enum { HOUR_S = 3600 };

static hal_ns woken;

static void sleep_on_wall(void *argument)
{
    const hal_ns *time = argument;
    while (thread_park_until(*time | THREAD_WALL)) {
    }
    ck_assert_uint_ge(hal_clock_wall_ns(), *time);
    woken = hal_clock_ns();
}

static void wall_first(void *argument)
{
    const hal_ns hour = (hal_ns)HOUR_S * 1000 * MS;
    static hal_ns time;
    // Set forward: it wakes at once.
    time = hal_clock_wall_ns() + 2 * hour;
    struct thread *thread = spawn(sleep_on_wall, &time);
    thread_sleep_until(hal_clock_ns() + MS);
    ck_assert_uint_eq(woken, 0);
    cpu_host_wall += 3 * hour;
    thread_wall_changed();
    hal_ns set = hal_clock_ns();
    join(thread);
    ck_assert_uint_lt(woken, set + MS);
    // Set back: it sleeps longer.
    time = hal_clock_wall_ns() + hour;
    thread = spawn(sleep_on_wall, &time);
    thread_sleep_until(hal_clock_ns() + MS);
    cpu_host_wall -= hour;
    thread_wall_changed();
    set = hal_clock_ns();
    join(thread);
    ck_assert_uint_ge(woken, set + 2 * hour - MS);
    ck_assert_uint_lt(woken, set + 2 * hour + MS);
    cpu_host_end();
}

START_TEST(who_sleeps_on_the_wall_notices_that_it_is_set)
{
    cpu_host_run(1, wall_first);
}
END_TEST

static hal_ns hogs_end;

static void hog(void *argument)
{
    while (hal_clock_ns() < hogs_end) {
        cpu_host_pass(50 * US);
    }
    *(hal_ns *)argument = thread_runtime_ns(thread_self());
}

static void hogs_first(void *argument)
{
    static hal_ns used[2];
    struct thread *threads[2];
    hogs_end = hal_clock_ns() + 2000 * MS;
    for (int i = 0; i < 2; ++i) {
        threads[i] = spawn(hog, &used[i]);
    }
    for (int i = 0; i < 2; ++i) {
        join(threads[i]);
    }
    ck_assert_uint_ge(used[0] + used[1], 1999 * MS);
    ck_assert_uint_ge(used[0], 980 * MS);
    ck_assert_uint_ge(used[1], 980 * MS);
    cpu_host_end();
}

START_TEST(two_hogs_have_half_the_time_each)
{
    cpu_host_run(1, hogs_first);
}
END_TEST

// ---- CPUs at once --------------------------------------------------------

static struct thread *ring[CPUS * 2];
static _Atomic uint32_t turn;
static uint64_t passed; // plain: ordered by turn, which is stored released

// Plain memory at both sides of a park: only who has the turn touches it.
static void ring_run(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument, size = sizeof ring / sizeof ring[0];
    const struct hal_cpu_set here = {{1ul << self % CPUS}};
    ck_assert_int_eq(thread_affinity_set(thread_self(), &here), 0);
    ck_assert_uint_eq(thread_cpu_index(), self % CPUS);
    for (uint32_t i = 0; i < rounds(4000); ++i) {
        while (atomic_load_explicit(&turn, memory_order_acquire) % size != self) {
            thread_park();
        }
        ++passed;
        atomic_fetch_add_explicit(&turn, 1, memory_order_release);
        thread_wake(ring[(self + 1) % size]);
        cpu_host_pass(US);
    }
    ck_assert_uint_eq(thread_cpu_index(), self % CPUS);
}

static void ring_first(void *argument)
{
    uint32_t size = sizeof ring / sizeof ring[0];
    for (uintptr_t i = 0; i < size; ++i) {
        const struct thread_config config = {.name = "ring"};
        ck_assert_int_eq(thread_create(&ring[i], &config, ring_run, (void *)i), 0);
    }
    for (uint32_t i = 0; i < size; ++i) {
        thread_start(ring[i]);
    }
    for (uint32_t i = 0; i < size; ++i) {
        join(ring[i]);
    }
    ck_assert_uint_eq(passed, (uint64_t)size * rounds(4000));
    cpu_host_end();
}

START_TEST(no_wake_between_cpus_is_lost)
{
    cpu_host_run(CPUS, ring_first);
}
END_TEST

static _Atomic uint32_t seen_cpus;

// Computes until each CPU has computed: idle ones have to get some of the hogs.
static void spread(void *argument)
{
    uint32_t *work = argument;
    while (atomic_load_explicit(&seen_cpus, memory_order_relaxed) != (1u << CPUS) - 1) {
        atomic_fetch_or_explicit(&seen_cpus, 1u << thread_cpu_index(), memory_order_relaxed);
        ++*work;
        cpu_host_pass(20 * US);
    }
}

static void spread_first(void *argument)
{
    struct thread *threads[CPUS * 2];
    for (uint32_t i = 0; i < rounds(100); ++i) {
        static uint32_t work[CPUS * 2]; // plain: the joiner reads what another CPU wrote
        uint32_t before = 0, after = 0;
        for (uint32_t n = 0; n < CPUS * 2; ++n) {
            before += work[n];
        }
        atomic_store(&seen_cpus, 0);
        for (uint32_t n = 0; n < CPUS * 2; ++n) {
            threads[n] = spawn(spread, &work[n]);
        }
        for (uint32_t n = 0; n < CPUS * 2; ++n) {
            join(threads[n]);
            after += work[n];
        }
        ck_assert_uint_ge(after, before + CPUS);
    }
    cpu_host_end();
}

START_TEST(idle_cpus_get_work)
{
    cpu_host_run(CPUS, spread_first);
}
END_TEST

// Goes to each CPU in turn, by its own wish or by that of the one that made it.
static void wander(void *argument)
{
    uint64_t *sum = argument;
    for (uint32_t i = 0; i < 3 * CPUS; ++i) {
        const struct hal_cpu_set only = {{1ul << i % CPUS}};
        ck_assert_int_eq(thread_affinity_set(thread_self(), &only), 0);
        *sum += thread_cpu_index();
        if (i % 4 == 3) {
            (void)thread_park_until(hal_clock_ns() + US);
        } else {
            thread_yield();
        }
    }
}

static void storm_first(void *argument)
{
    static uint64_t sums[CPUS];
    size_t free_frames = 0;
    for (uint32_t i = 0; i < rounds(400); ++i) {
        struct thread *threads[CPUS];
        for (uint32_t n = 0; n < CPUS; ++n) {
            threads[n] = spawn(wander, &sums[n]);
        }
        const struct hal_cpu_set last = {{1ul << (CPUS - 1)}};
        ck_assert_int_eq(thread_affinity_set(threads[i % CPUS], &last), 0);
        thread_kick(threads[i % CPUS]);
        for (uint32_t n = 0; n < CPUS; ++n) {
            join(threads[n]);
        }
        if (i == 4) {
            free_frames = frame_free_count();
        }
    }
    ck_assert_uint_eq(frame_free_count(), free_frames);
    for (uint32_t n = 0; n < CPUS; ++n) {
        ck_assert_uint_ge(sums[n], (uint64_t)rounds(400));
    }
    cpu_host_end();
}

START_TEST(threads_come_wander_and_go_without_a_trace)
{
    cpu_host_run(CPUS, storm_first);
}
END_TEST

static void be_short(void *argument)
{
    thread_yield();
}

static void crowd_first(void *argument)
{
    enum { CROWD = 400, KEPT_MAX = 200 }; // thread.c keeps the stacks of 128
    const size_t stack_frames = (THREAD_STACK_SIZE + HAL_ENTRY_STACK) / HAL_PAGE_SIZE;
    static struct thread *threads[CROWD];
    size_t free_before = frame_free_count();
    for (uint32_t i = 0; i < CROWD; ++i) {
        threads[i] = spawn(be_short, NULL);
    }
    ck_assert_uint_ge(free_before - frame_free_count(), CROWD * stack_frames);
    for (uint32_t i = 0; i < CROWD; ++i) {
        join(threads[i]);
    }
    ck_assert_uint_le(free_before - frame_free_count(), KEPT_MAX * stack_frames);
    cpu_host_end();
}

START_TEST(few_stacks_of_many_threads_are_kept)
{
    cpu_host_run(1, crowd_first);
}
END_TEST

// Each in a process of its own: a scheduler is not stopped.
int main(void)
{
    Suite *suite = suite_create("sched");
    TCase *one = tcase_create("one CPU");
    tcase_set_timeout(one, 30);
    tcase_add_test(one, sleepers_wake_at_their_time);
    tcase_add_test(one, who_sleeps_on_the_wall_notices_that_it_is_set);
    tcase_add_test(one, who_parks_soon_is_rarely_looked_at);
    tcase_add_test(one, two_hogs_have_half_the_time_each);
    tcase_add_test(one, few_stacks_of_many_threads_are_kept);
    suite_add_tcase(suite, one);
    TCase *threads = tcase_create("threads");
    tcase_set_tags(threads, "threads");
    tcase_set_timeout(threads, 30);
    tcase_add_test(threads, no_wake_between_cpus_is_lost);
    tcase_add_test(threads, idle_cpus_get_work);
    tcase_add_test(threads, threads_come_wander_and_go_without_a_trace);
    suite_add_tcase(suite, threads);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
