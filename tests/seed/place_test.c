// SPDX-License-Identifier: BSD-3-Clause
// place_test.c: where threads may run, and before whom, on the real core/sched, while others say
// something else.
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

static const struct hal_cpu_set only_0 = {{1}}, only_1 = {{2}};

// The caller is where it may be, or soon will be.
static void settle(void)
{
    struct hal_cpu_set mask;
    do {
        hal_cpu_relax();
        thread_affinity_get(thread_self(), &mask);
    } while ((mask.words[0] >> thread_cpu_index() & 1) == 0);
}

// One goes to the other CPU while another says that it must not.

static void go_to_1(void)
{
    seed_check(thread_affinity_set(thread_self(), &only_1) == 0, "no affinity");
    settle();
}

static void send_0_to_0(void)
{
    seed_check(thread_affinity_set(guest(0), &only_0) == 0, "no affinity");
}

static void reset_two_wishes(void)
{
    guests_reset();
    guest_reset(0, 0, go_to_1);
    guest_reset(1, 1, send_0_to_0);
}

// The same with one that parks, and is woken.

static void wait_and_settle(void)
{
    guest_wait(0);
    settle();
}

static void send_0_away_and_wake(void)
{
    seed_check(thread_affinity_set(guest(0), &only_1) == 0, "no affinity");
    guest_tell(0);
    seed_check(thread_affinity_set(guest(0), &only_0) == 0, "no affinity");
}

static void reset_parked(void)
{
    guests_reset();
    guest_reset(0, 0, wait_and_settle);
    guest_reset(1, 1, send_0_away_and_wake);
}

// The same, woken on its own CPU, on the short way, as the timer is set already.

static void wake_0(void)
{
    uintptr_t irq = hal_irq_save();
    sched_look_again(100000);
    hal_irq_restore(irq);
    guest_tell(0);
}

static void send_0_to_1(void)
{
    seed_check(thread_affinity_set(guest(0), &only_1) == 0, "no affinity");
}

static void reset_parked_here(void)
{
    guests_reset();
    guest_reset(0, 0, wait_and_settle);
    guest_reset(2, 0, wake_0);
    guest_reset(1, 1, send_0_to_1);
}

// One that computes.

static void run_until_1(void)
{
    while (thread_cpu_index() != 1) {
        hal_cpu_relax();
    }
}

static void reset_running(void)
{
    guests_reset();
    guest_reset(0, 0, run_until_1);
    guest_reset(1, 1, send_0_to_1);
}

// One that waits in line behind another, which computes on.

static _Atomic bool has_run;

static void compute(void)
{
    while (!has_run) {
        hal_cpu_relax();
    }
}

static void settle_in_line(void)
{
    settle();
    has_run = true;
}

static void send_2_to_1(void)
{
    seed_check(thread_affinity_set(guest(2), &only_1) == 0, "no affinity");
}

static void reset_in_line(void)
{
    guests_reset();
    has_run = false;
    guest_reset(0, 0, compute);
    guest_reset(2, 0, settle_in_line);
    guest_reset(1, 1, send_2_to_1);
}

// Two schedules, one after the other: the later one counts.

static void run_until_2(void)
{
    while (thread_self()->priority != 2) {
        hal_cpu_relax();
    }
}

static void raise_twice(void)
{
    thread_schedule_set(guest(0), (struct thread_schedule){.policy = THREAD_FIFO, .priority = 1});
    thread_schedule_set(guest(0), (struct thread_schedule){.policy = THREAD_FIFO, .priority = 2});
}

static void reset_schedule(void)
{
    guests_reset();
    guest_reset(0, 0, run_until_2);
    guest_reset(1, 1, raise_twice);
}

static void wait_until_2(void)
{
    guest_wait(0);
    run_until_2();
}

static void raise_and_wake(void)
{
    thread_schedule_set(guest(0), (struct thread_schedule){.policy = THREAD_FIFO, .priority = 1});
    guest_tell(0);
    thread_schedule_set(guest(0), (struct thread_schedule){.policy = THREAD_FIFO, .priority = 2});
}

static void reset_schedule_parked(void)
{
    guests_reset();
    guest_reset(0, 0, wait_until_2);
    guest_reset(1, 1, raise_and_wake);
}

// One hands over to another as often as it takes to go there, counted up to the last time.

static void hand_over_once_more(void)
{
    struct thread_pair *pair = &thread_self()->pair;
    pair->partner = guest(1);
    pair->handovers = UINT32_MAX - 1;
    guest_tell(1);
}

static void come_together(void)
{
    hand_over_once_more();
    guest_wait(0);
}

static void reset_pair(void)
{
    guests_reset();
    guest_reset(0, 0, come_together);
    guest_reset(1, 1, guest_pong);
    guest(1)->pair.waker = guest(0);
}

// The same with one that waits until a time.

static void come_together_timed(void)
{
    hand_over_once_more();
    thread_sleep_until(hal_clock_ns() + 6000);
}

static void reset_pair_timed(void)
{
    guests_reset();
    guest_reset(0, 0, come_together_timed);
    guest_reset(1, 1, guest_sleep_1);
    guest(1)->pair.waker = guest(0);
}

static const char *const pair_marks[] = {"pair: one goes to the other", NULL};
static const char *const wishes_marks[] = {
    "inbox: one that must not run here",
    "switch: one that changes CPU is posted by the next",
    NULL,
};
static const char *const here_marks[] = {"wake: of one that must not stay", NULL};
static const char *const line_marks[] = {"affinity: one leaves the line", NULL};
static const char *const schedule_marks[] = {"schedule: changed while it runs", NULL};
static const char *const line_schedule_marks[] = {"schedule: changed before it runs", NULL};

static const struct seed_test tests[] = {
    {
        .name = "affinity, running",
        .reset = reset_running,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .preemption_max = 3,
    },
    {
        .name = "pair",
        .reset = reset_pair,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = pair_marks,
        .preemption_max = 3,
    },
    {
        .name = "pair, timed",
        .reset = reset_pair_timed,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = pair_marks,
        .preemption_max = 3,
    },
    {
        .name = "schedule, running",
        .reset = reset_schedule,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = schedule_marks,
        .preemption_max = 3,
    },
    {
        .name = "schedule, parked",
        .reset = reset_schedule_parked,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = line_schedule_marks,
        .preemption_max = 3,
    },
    {
        .name = "affinity, two wishes",
        .reset = reset_two_wishes,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = wishes_marks,
        .preemption_max = 2,
    },
    {
        .name = "affinity, parked",
        .reset = reset_parked,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .preemption_max = 2,
    },
    {
        .name = "affinity, parked here",
        .reset = reset_parked_here,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = here_marks,
        .preemption_max = 2,
    },
    {
        .name = "affinity, in line",
        .reset = reset_in_line,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = line_marks,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
