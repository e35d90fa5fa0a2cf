// SPDX-License-Identifier: BSD-3-Clause
// semaphore_test.c: the semaphore under every schedule of two threads with at most four
// preemptions.
#include "core/sync/semaphore.h"

#include <string.h>

#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct semaphore semaphore;
static int got;

static void reset(void)
{
    semaphore_init(&semaphore, 0);
    got = 0;
    seed_threads_reset();
    seed_slabs_reset();
}

static void check(void)
{
    seed_check(semaphore.count == 2 - got, "a post was lost");
    seed_check(semaphore.owed == 0 && semaphore.calls == 0, "something was left to be done");
    seed_check(ranked_is_empty(&semaphore.waiters), "a waiter was left");
    seed_check(seed_slabs_used() == 0, "a waiter was not freed");
}

static void post(void)
{
    seed_check(semaphore_post(&semaphore) == 0, "no post");
}

static void post_twice(void)
{
    post();
    post();
}

static void wait_twice(void)
{
    semaphore_wait(&semaphore);
    semaphore_wait(&semaphore);
    got = 2;
}

static void wait_timed_twice(void)
{
    got += semaphore_wait_until(&semaphore, 1);
    got += semaphore_wait_until(&semaphore, 1);
}

static void wait_timed_and_plain(void)
{
    got += semaphore_wait_until(&semaphore, 1);
    semaphore_wait(&semaphore);
    ++got;
}

static void post_and_wait(void)
{
    post();
    semaphore_wait(&semaphore);
    __atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
}

// A parent's semaphore lies on its stack, and goes when the child has posted.
static struct semaphore *of_parent;

static void reset_parent(void)
{
    reset();
    of_parent = NULL;
}

static void parent(void)
{
    struct semaphore mine;
    semaphore_init(&mine, 0);
    __atomic_store_n(&of_parent, &mine, __ATOMIC_SEQ_CST);
    semaphore_wait(&mine);
    memset(&mine, 0x55, sizeof mine);
    seed_point();
    for (size_t i = 0; i < sizeof mine; ++i) {
        seed_check(((volatile char *)&mine)[i] == 0x55, "a post touched a semaphore that is gone");
    }
}

static void child(void)
{
    struct semaphore *theirs = __atomic_load_n(&of_parent, __ATOMIC_SEQ_CST);
    while (theirs == NULL) {
        hal_cpu_relax();
        theirs = __atomic_load_n(&of_parent, __ATOMIC_SEQ_CST);
    }
    seed_check(semaphore_post(theirs) == 0, "no post");
}

static const char *const marks[] = {"semaphore: left to the server", NULL};
static const char *const timed_marks[] = {
    "semaphore: timed out",
    "semaphore: granted while timing out",
    "semaphore: a post meets one that has gone",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "semaphore",
        .reset = reset,
        .bodies = {wait_twice, post_twice},
        .check = check,
        .marks = marks,
    },
    {
        .name = "semaphore, both ways",
        .reset = reset,
        .bodies = {post_and_wait, post_and_wait},
        .check = check,
    },
    {
        .name = "semaphore, timed",
        .reset = reset,
        .bodies = {wait_timed_twice, post_twice},
        .check = check,
        .marks = timed_marks,
    },
    {
        .name = "semaphore, timed and plain",
        .reset = reset,
        .bodies = {wait_timed_and_plain, post_twice},
        .check = check,
    },
    {
        .name = "semaphore of a stack",
        .reset = reset_parent,
        .bodies = {parent, child},
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
