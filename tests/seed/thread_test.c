// SPDX-License-Identifier: BSD-3-Clause
// thread_test.c: the end of threads on the real core/sched: joined, detached, walked by, and the
// time that they have used.
#include "core/sched/thread.h"

#include "core/lib/mark.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

static const struct hal_cpu_set only_1 = {{2}};

// A thread ends and is joined.

static void join_1(void)
{
    (void)thread_join(guest(1), UINT64_MAX);
    seed_check(guests_freed() == 1, "joined and not freed");
}

static void exit_1(void)
{
    thread_exit();
}

static void reset_join(void)
{
    guests_reset();
    guest_reset(0, 0, join_1);
    guest_reset(1, 1, exit_1);
}

static void join_timed(void)
{
    if (!thread_join(guest(1), hal_clock_ns() + 5000)) {
        seed_check(guests_freed() == 0, "not joined, but freed");
        (void)thread_join(guest(1), UINT64_MAX);
    }
    seed_check(guests_freed() == 1, "joined and not freed");
}

static void reset_join_timed(void)
{
    guests_reset();
    guest_reset(0, 0, join_timed);
    guest_reset(1, 1, exit_1);
}

// A thread on the other CPU ends while it is detached.

static void live_briefly(void *argument)
{
}

static struct thread *start_on_1(void)
{
    struct thread *thread;
    const struct thread_config config = {.affinity = &only_1};
    seed_check(thread_create(&thread, &config, live_briefly, NULL) == 0, "no memory");
    thread_start(thread);
    return thread;
}

static void start_and_detach(void)
{
    thread_detach(start_on_1());
    while (guests_freed() == 0) {
        hal_cpu_relax();
    }
}

static void nothing(void)
{
}

static void reset_detach(void)
{
    guests_reset();
    guest_reset(0, 0, start_and_detach);
    guest_reset(1, 1, nothing);
}

// A thread is made, ends and is joined while another looks at all threads.

static void start_and_join(void)
{
    (void)thread_join(start_on_1(), UINT64_MAX);
}

static void visit(struct thread *thread, void *argument)
{
    unsigned *count = argument;
    ++*count;
    seed_check(guests_freed() == 0, "visited, and freed");
    seed_point();
    seed_check(guests_freed() == 0, "freed while it is visited");
}

static void walk(void)
{
    unsigned count = 0;
    thread_walk(visit, &count);
    seed_check(count <= 1, "visited twice");
}

static void check_freed(void)
{
    seed_check(guests_freed() == 1, "joined and not freed");
}

static void reset_walk(void)
{
    guests_reset();
    guest_reset(0, 0, walk);
    guest_reset(1, 1, start_and_join);
}

// The same with a thread that is never started.

static void make_and_discard(void)
{
    struct thread *thread;
    const struct thread_config config = {.affinity = &only_1};
    seed_check(thread_create(&thread, &config, live_briefly, NULL) == 0, "no memory");
    thread_discard(thread);
}

static void reset_discard(void)
{
    guests_reset();
    guest_reset(0, 0, walk);
    guest_reset(1, 1, make_and_discard);
}

// Two look at all threads. The second lets others run while it looks at one.

static void visit_slowly(struct thread *thread, void *argument)
{
    seed_check(guests_freed() == 0, "visited, and freed");
    thread_yield(); // to it, and to who joins it
    thread_yield();
    seed_check(guests_freed() == 0, "freed while it is visited");
}

static void walk_slowly(void)
{
    thread_walk(visit_slowly, NULL);
}

static void reset_two_walks(void)
{
    guests_reset();
    guest_reset(0, 0, walk);
    guest_reset(1, 1, start_and_join);
    guest_reset(2, 1, walk_slowly);
}

// The time that a thread has used is asked for while it uses more.

static void use_time(void)
{
    thread_yield();
    thread_yield();
}

static void look_at_time(void)
{
    hal_ns before = 0;
    for (int i = 0; i < 3; ++i) {
        hal_ns used = thread_runtime_ns(guest(0));
        seed_check(used >= before, "used time goes back");
        before = used;
    }
}

static void reset_time(void)
{
    guests_reset();
    guest_reset(0, 0, use_time);
    guest_reset(1, 1, look_at_time);
}

static const char *const join_marks[] = {
    "join: the joiner came first",
    "join: the thread ended first",
    NULL,
};
static const char *const detach_marks[] = {
    "detach: the thread ended first",
    "detach: before the thread ended",
    NULL,
};
static const char *const walk_marks[] = {"walk: has ended meanwhile", NULL};
static const char *const two_walks_marks[] = {"walk: two at once", NULL};
static const char *const time_marks[] = {"runtime: looked at while it changes", NULL};

static const struct seed_test tests[] = {
    {
        .name = "join",
        .reset = reset_join,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 1,
        .preemption_max = 3,
        .marks = join_marks,
    },
    {
        .name = "join, timed",
        .reset = reset_join_timed,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 1,
        .preemption_max = 3,
    },
    {
        .name = "detach",
        .reset = reset_detach,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = detach_marks,
        .preemption_max = 2,
    },
    {
        .name = "walk",
        .reset = reset_walk,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .check = check_freed,
        .marks = walk_marks,
        .preemption_max = 3,
    },
    {
        .name = "walk, discarded",
        .reset = reset_discard,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .check = check_freed,
        .marks = walk_marks,
        .preemption_max = 3,
    },
    {
        .name = "walk, two",
        .reset = reset_two_walks,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .check = check_freed,
        .marks = two_walks_marks,
        .preemption_max = 2,
    },
    {
        .name = "runtime",
        .reset = reset_time,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = time_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
