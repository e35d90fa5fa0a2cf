// SPDX-License-Identifier: BSD-3-Clause
// mutex_test.c: the mutex under every schedule of two threads with at most four preemptions.
#include "core/sync/mutex.h"

#include <string.h>

#include "core/sync/waiter.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct mutex mutex;
static int inside, timed_out;

static void reset(void)
{
    memset(&mutex, 0, sizeof mutex);
    inside = timed_out = 0;
    seed_threads_reset();
    seed_slabs_reset();
}

static void check(void)
{
    seed_check(atomic_load(&mutex.claims) == 0, "a claim was left");
    seed_check(ranked_is_empty(&mutex.waiters), "a waiter was left");
    seed_check(atomic_load(&mutex.baton) == 0, "a baton was left");
    seed_check(seed_slabs_used() == 0, "a waiter was not freed");
}

static void critical_section(void)
{
    seed_check(mutex_is_mine(&mutex), "not the owner");
    seed_check(inside++ == 0, "two threads hold the mutex");
    seed_point();
    seed_check(--inside == 0, "two threads hold the mutex");
}

static void lock_twice(void)
{
    for (int i = 0; i < 2; ++i) {
        mutex_lock(&mutex);
        critical_section();
        mutex_unlock(&mutex);
    }
}

static void lock_once(void)
{
    mutex_lock(&mutex);
    critical_section();
    mutex_unlock(&mutex);
}

static void lock_timed(void)
{
    if (mutex_lock_until(&mutex, 1)) {
        critical_section();
        mutex_unlock(&mutex);
    } else {
        ++timed_out;
    }
}

static void lock_timed_twice(void)
{
    lock_timed();
    lock_timed();
}

static void lock_timed_and_plain(void)
{
    lock_timed();
    lock_once();
}

static void lock_recursive(void)
{
    mutex_lock_recursive(&mutex);
    mutex_lock_recursive(&mutex);
    seed_check(mutex_try_lock_recursive(&mutex), "the owner could not lock again");
    mutex_unlock_recursive(&mutex);
    mutex_unlock_recursive(&mutex);
    critical_section();
    mutex_unlock_recursive(&mutex);
}

static void try_lock(void)
{
    for (int i = 0; i < 3; ++i) {
        if (mutex_try_lock(&mutex)) {
            critical_section();
            mutex_unlock(&mutex);
        }
    }
}

static const char *const baton_marks[] = {
    "mutex: baton left to a late locker",
    "mutex: baton taken by the locker",
    "mutex: baton taken back by the unlocker",
    "mutex: baton taken before the unlocker took it back",
    NULL,
};
static const char *const timed_marks[] = {
    "mutex: timed out",
    "mutex: granted while timing out",
    "mutex: popper meets a waiter that has gone",
    "mutex: the last claim was of one that has gone",
    "mutex: one that has gone comes back",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "mutex",
        .reset = reset,
        .bodies = {lock_twice, lock_twice},
        .check = check,
        .marks = baton_marks,
    },
    {
        .name = "mutex, timed and plain",
        .reset = reset,
        .bodies = {lock_timed_and_plain, lock_once},
        .check = check,
    },
    {
        .name = "mutex, timed twice",
        .reset = reset,
        .bodies = {lock_timed_twice, lock_twice},
        .check = check,
        .marks = timed_marks,
    },
    {
        .name = "mutex, recursive",
        .reset = reset,
        .bodies = {lock_recursive, lock_recursive},
        .check = check,
    },
    {
        .name = "mutex, try",
        .reset = reset,
        .bodies = {try_lock, lock_once},
        .check = check,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
