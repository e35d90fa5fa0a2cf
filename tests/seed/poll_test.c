// SPDX-License-Identifier: BSD-3-Clause
// poll_test.c: core/sched on two CPUs that look for work before they halt: no wake is lost between
// "I look no longer" and "I have posted".
#include "core/lib/mark.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

// Two threads wake each other.

static void reset_ping_pong(void)
{
    guests_reset();
    guests_poll();
    guest_reset(0, 0, guest_ping);
    guest_reset(1, 1, guest_pong);
}

// One wakes two on the other CPU.

static void wake_both(void)
{
    guest_tell(1);
    guest_tell(2);
}

static void reset_two_sleepers(void)
{
    guests_reset();
    guests_poll();
    guest_reset(0, 0, wake_both);
    guest_reset(1, 1, guest_sleep_1);
    guest_reset(2, 1, guest_sleep_2);
}

// The work that a CPU looks for comes from its own timer; or from the other one.

static void sleep_timed(void)
{
    hal_ns deadline = hal_clock_ns() + 1500;
    if (!thread_park_until(deadline)) {
        seed_check(hal_clock_ns() >= deadline, "too early");
        MARK("test: the timer came first");
    }
    guest_wait(0);
}

static void wake_0(void)
{
    guest_tell(0);
}

static void reset_timed(void)
{
    guests_reset();
    guests_poll();
    guest_reset(0, 0, sleep_timed);
    guest_reset(1, 1, wake_0);
}

static const char *const poll_marks[] = {
    "inbox: its owner looks",
    "poll: found work",
    "poll: in vain",
    NULL,
};
static const char *const sleepers_marks[] = {
    "inbox: its owner looks",
    "inbox: a post rides on an earlier one",
    "poll: found work",
    "poll: in vain",
    NULL,
};
static const char *const timed_marks[] = {
    "test: the timer came first",
    "poll: found work",
    "poll: in vain",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "polling",
        .reset = reset_ping_pong,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = poll_marks,
        .preemption_max = 3,
    },
    {
        .name = "polling, two sleepers",
        .reset = reset_two_sleepers,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = sleepers_marks,
        .preemption_max = 3,
    },
    {
        .name = "polling, timer",
        .reset = reset_timed,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = timed_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
