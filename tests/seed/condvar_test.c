// SPDX-License-Identifier: BSD-3-Clause
// condvar_test.c: condition variable under every schedule of two threads with at most four
// preemptions.
#include "core/sync/condvar.h"

#include <string.h>

#include "core/sched/thread.h"
#include "core/sync/waiter.h"
#include "section.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct condvar condvar;
static int turn, wake_count;

static void reset(void)
{
    section_reset();
    memset(&condvar, 0, sizeof condvar);
    turn = wake_count = 0;
    seed_threads_reset();
    seed_slabs_reset();
}

static void check(void)
{
    section_check();
    seed_check(atomic_load(&condvar.guard.claims) == 0, "a claim on the guard was left");
    seed_check(atomic_load(&condvar.sleepers) == 0, "a sleeper was left in the condvar");
}

static void wait(void)
{
    section_leave();
    condvar_wait(&condvar, &section_mutex);
    section_enter();
}

// The shape of most programs: hand the turn over, and wake while or after holding the mutex.
static void hand_over(int self, bool wake_inside)
{
    section_lock();
    while (turn != self) {
        wait();
    }
    turn = !self;
    if (wake_inside) {
        condvar_wake_one(&condvar);
    }
    section_unlock();
    if (!wake_inside) {
        condvar_wake_one(&condvar);
    }
}

static void first_outside(void)
{
    hand_over(0, false);
    hand_over(0, false);
}

static void second_outside(void)
{
    hand_over(1, false);
}

static void first_inside(void)
{
    hand_over(0, true);
    hand_over(0, true);
}

static void second_inside(void)
{
    hand_over(1, true);
}

static void wait_for_turn(void)
{
    section_lock();
    while (turn == 0) {
        wait();
    }
    section_unlock();
}

static void wake_all(void)
{
    section_lock();
    turn = 1;
    section_unlock();
    condvar_wake_all(&condvar);
}

// A wake-up goes to one who still waits, or to nobody: it is not lost in one who gives up.
static void wait_timed(void)
{
    section_lock();
    if (turn == 0) {
        section_leave();
        bool woken = condvar_wait_until(&condvar, &section_mutex, 1);
        section_enter();
        seed_check(!woken || turn == 1, "woken by nobody");
    }
    section_unlock();
}

static void wait_timed_twice(void)
{
    wait_timed();
    wait_timed();
}

static void wake_one(void)
{
    section_lock();
    turn = 1;
    condvar_wake_one(&condvar);
    section_unlock();
}

static void wait_recursive(void)
{
    mutex_lock_recursive(&section_mutex);
    mutex_lock_recursive(&section_mutex);
    while (turn == 0) {
        condvar_wait(&condvar, &section_mutex);
    }
    mutex_unlock_recursive(&section_mutex);
    seed_check(mutex_is_mine(&section_mutex), "released too early");
    mutex_unlock_recursive(&section_mutex);
}

// One that cannot give up is alone; one that can makes a ring of both, goes, and wakes the first.
static void wait_timed_and_wake(void)
{
    wait_timed();
    section_lock();
    turn = 1;
    section_unlock();
    condvar_wake_one(&condvar);
}

// ---- One sleeps already, with a mutex of its own ------------------------------------------------

static struct sleeper early;
static struct mutex early_mutex;

static void reset_early(void)
{
    reset();
    early_mutex = (struct mutex){0};
    early = (struct sleeper){.mutex = &early_mutex};
    early.waiter.thread = seed_thread(0);
    early.waiter.state = WAITER_SLEEPING;
    list_init(&early.node.list);
    atomic_store(&condvar.sleepers, (uintptr_t)&early | 1);
}

static void check_early(void)
{
    check();
    seed_check(early.waiter.state == WAITER_FREE, "the first is not woken");
}

static void wake_without(void)
{
    condvar_wake_one(&condvar);
}

static void wake_all_without(void)
{
    condvar_wake_all(&condvar);
}

static void join_for_a_while(void)
{
    section_lock();
    section_leave();
    (void)condvar_wait_until(&condvar, &section_mutex, 1);
    section_enter();
    section_unlock();
}

static const char *const outside_marks[] = {"sleeper: woken because the mutex is free", NULL};
static const char *const inside_marks[] = {
    "mutex: a sleeper queued by its waker",
    "sleeper: wakes with the mutex",
    NULL,
};
static const char *const timed_marks[] = {
    "condvar: timed out",
    "sleeper: woken while giving up",
    "sleeper: waker meets one that has gone",
    NULL,
};
static const char *const ring_marks[] = {"condvar: one is alone no more", NULL};
static const char *const twice_marks[] = {"condvar: it is alone no more, or woken", NULL};
static const char *const join_marks[] = {
    "condvar: it is alone no more, or woken",
    "condvar: changed while it becomes a ring",
    NULL,
};
static const struct seed_test tests[] = {
    {
        .name = "condvar, wake outside",
        .reset = reset,
        .bodies = {first_outside, second_outside},
        .check = check,
        .marks = outside_marks,
    },
    {
        .name = "condvar, wake inside",
        .reset = reset,
        .bodies = {first_inside, second_inside},
        .check = check,
        .marks = inside_marks,
    },
    {
        .name = "condvar, wake all",
        .reset = reset,
        .bodies = {wait_for_turn, wake_all},
        .check = check,
    },
    {
        .name = "condvar, timed",
        .reset = reset,
        .bodies = {wait_timed_twice, wake_one},
        .check = check,
        .marks = timed_marks,
    },
    {
        .name = "condvar, recursive",
        .reset = reset,
        .bodies = {wait_recursive, wake_one},
        .check = check,
    },
    {
        .name = "condvar, alone and timed",
        .reset = reset,
        .bodies = {wait_for_turn, wait_timed_and_wake},
        .check = check,
        .marks = ring_marks,
    },
    {
        .name = "condvar, alone: woken twice",
        .reset = reset_early,
        .bodies = {wake_without, wake_all_without},
        .check = check_early,
        .marks = twice_marks,
    },
    {
        .name = "condvar, alone: one comes and one wakes",
        .reset = reset_early,
        .bodies = {join_for_a_while, wake_without},
        .check = check_early,
        .marks = join_marks,
        .preemption_max = 3,
    },
    {
        .name = "condvar, alone: one comes and all are woken",
        .reset = reset_early,
        .bodies = {join_for_a_while, wake_all_without},
        .check = check_early,
        .marks = join_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
