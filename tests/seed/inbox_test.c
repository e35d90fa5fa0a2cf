// SPDX-License-Identifier: BSD-3-Clause
// inbox_test.c: the queues of core/sched between two CPUs: posts that follow one another while the
// owner takes them, and posts of two CPUs to one.
#include "core/lib/mark.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

// One wakes two on the other CPU, one of them twice.

static void wake_both(void)
{
    guest_tell(1);
    guest_tell(2);
    thread_wake(guest(1));
}

static void reset_two_sleepers(void)
{
    guests_reset();
    guest_reset(0, 0, wake_both);
    guest_reset(1, 1, guest_sleep_1);
    guest_reset(2, 1, guest_sleep_2);
}

// The same as one operation.

static void wake_both_at_once(void)
{
    uintptr_t irq = thread_batch_begin();
    guest_tell(1);
    guest_tell(2);
    thread_batch_end(irq);
}

static void reset_batch(void)
{
    guests_reset();
    guest_reset(0, 0, wake_both_at_once);
    guest_reset(1, 1, guest_sleep_1);
    guest_reset(2, 1, guest_sleep_2);
}

// One comes to the CPU that has just been given another by somebody else.

static const struct hal_cpu_set only_1 = {{2}};

static void migrate(void)
{
    seed_check(thread_affinity_set(thread_self(), &only_1) == 0, "no affinity");
    seed_check(thread_cpu_index() == 1, "not moved");
}

static void do_nothing(void)
{
}

static void reset_two_posters(void)
{
    guests_reset();
    guest_reset(0, 0, migrate);
    guest_reset(1, 1, do_nothing); // posted by CPU 1 itself
}

static const char *const sleepers_marks[] = {
    "inbox: a post rides on an earlier one",
    "wake: of one that is notified already",
    NULL,
};
static const char *const batch_marks[] = {
    "inbox: a post rides on an earlier one",
    "inbox: a kick is put off",
    NULL,
};
static const char *const posters_marks[] = {
    "inbox: a post rides on another CPU's kick",
    "switch: one that changes CPU is posted by the next",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "inbox, two posts",
        .reset = reset_two_sleepers,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = sleepers_marks,
        .preemption_max = 3,
    },
    {
        .name = "inbox, a batch",
        .reset = reset_batch,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 3,
        .marks = batch_marks,
        .preemption_max = 3,
    },
    {
        .name = "inbox, two posters",
        .reset = reset_two_posters,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = posters_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
