// SPDX-License-Identifier: BSD-3-Clause
// wall_test.c: who sleeps until a time on the wall, on the real core/sched, under every schedule
// with who sets that clock: it does not sleep on by the old one.
#include "core/lib/mark.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

static const hal_ns SPAN_NS = 3600000000000;
static const struct hal_cpu_set only_1 = {{2}};
static hal_ns wall_end;

static void sleep_on_wall(void *argument)
{
    hal_ns start = hal_clock_ns();
    thread_sleep_until(THREAD_WALL | wall_end);
    seed_check(hal_clock_wall_ns() >= wall_end, "too early");
    seed_check(hal_clock_ns() < start + SPAN_NS / 2, "it sleeps on by the old clock");
}

static void start_and_step(void)
{
    struct thread *thread;
    const struct thread_config config = {.affinity = &only_1};
    wall_end = hal_clock_wall_ns() + SPAN_NS;
    seed_check(thread_create(&thread, &config, sleep_on_wall, NULL) == 0, "no memory");
    thread_start(thread);
    seed_wall_step(SPAN_NS);
    thread_wall_changed();
    (void)thread_join(thread, UINT64_MAX);
}

static void nothing(void)
{
}

static void reset(void)
{
    guests_reset();
    guest_reset(0, 0, start_and_step);
    guest_reset(1, 1, nothing);
}

static const char *const marks[] = {
    "wall: set while it is slept by",
    "park: woken before",
    "timer: woken in time",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "wall",
        .reset = reset,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = marks,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
