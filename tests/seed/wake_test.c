// SPDX-License-Identifier: BSD-3-Clause
// wake_test.c: core/sched itself on two CPUs, under every schedule with at most four preemptions:
// parking and waking across CPUs, timers, migration.
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
    guest_reset(0, 0, guest_ping);
    guest_reset(1, 1, guest_pong);
}

// One changes CPU while the other wakes it.

static const struct hal_cpu_set only_1 = {{2}};

static void migrate(void)
{
    seed_check(thread_affinity_set(thread_self(), &only_1) == 0, "no affinity");
    seed_check(thread_cpu_index() == 1, "not moved");
    guest_wait(0);
    seed_check(thread_cpu_index() == 1, "moved back");
}

static void wake_0(void)
{
    guest_tell(0);
}

static void reset_migrate(void)
{
    guests_reset();
    guest_reset(0, 0, migrate);
    guest_reset(1, 1, wake_0);
}

// One is told by the other to change CPU while it parks.

static void be_moved(void)
{
    guest_wait(0);
    while (thread_cpu_index() != 1) {
        hal_cpu_relax();
    }
}

static void move_and_wake(void)
{
    seed_check(thread_affinity_set(guest(0), &only_1) == 0, "no affinity");
    guest_tell(0);
}

static void reset_move(void)
{
    guests_reset();
    guest_reset(0, 0, be_moved);
    guest_reset(1, 1, move_and_wake);
}

// A timer and a waker.

static void sleep_timed(void)
{
    hal_ns deadline = hal_clock_ns() + 6000;
    if (!thread_park_until(deadline)) {
        seed_check(hal_clock_ns() >= deadline, "too early");
    }
    guest_wait(0);
}

static void reset_timed(void)
{
    guests_reset();
    guest_reset(0, 0, sleep_timed);
    guest_reset(1, 1, wake_0);
}

// One is to be interrupted wherever it is: the hook sees what was set before the kick, at once or
// when it is called again; in masked code, where there is no frame, it asks to be called again.

static _Atomic bool is_sent, is_seen;
static hal_ns look_ns;

static void hook(struct hal_frame *frame)
{
    if (thread_self() != guest(0) || !atomic_load(&is_sent)) {
        return;
    }
    if (frame == NULL) {
        MARK("hook: nothing to change");
        look_ns += 100; // the same time in each turn could always meet masked code
        sched_look_again(look_ns);
    } else {
        MARK("hook: application code");
        atomic_store(&is_seen, true);
    }
}

static void be_interrupted(void)
{
    thread_yield();
    while (!atomic_load(&is_seen)) {
        uintptr_t irq = hal_irq_save();
        (void)atomic_load(&is_sent); // masked, and here the other CPU may go on
        hal_irq_restore(irq);
        hal_cpu_relax();
    }
}

static void send(void)
{
    atomic_store(&is_sent, true);
    thread_wake(guest(0));
    thread_kick(guest(0));
}

static void reset_kick(void)
{
    guests_reset();
    sched_frame_hook_set(hook);
    is_sent = is_seen = false;
    look_ns = 500;
    guest_reset(0, 0, be_interrupted);
    guest_reset(1, 1, send);
}

static const char *const ping_marks[] = {
    "park: woken before",
    "inbox: one that is still parking",
    "switch: the parking thread is chosen again",
    NULL,
};
static const char *const migrate_marks[] = {
    "switch: one that changes CPU is posted by the next",
    NULL,
};
static const char *const timed_marks[] = {"timer: passed", "timer: woken in time", NULL};
static const char *const kick_marks[] = {
    "hook: nothing to change",
    "hook: application code",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "kick",
        .reset = reset_kick,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = kick_marks,
        .preemption_max = 3,
    },
    {
        .name = "wake queue",
        .reset = reset_ping_pong,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = ping_marks,
    },
    {
        .name = "migration",
        .reset = reset_migrate,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = migrate_marks,
    },
    {
        .name = "migration of another",
        .reset = reset_move,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = migrate_marks,
        .preemption_max = 3,
    },
    {
        .name = "timer",
        .reset = reset_timed,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .marks = timed_marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
