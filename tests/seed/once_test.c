// SPDX-License-Identifier: BSD-3-Clause
// once_test.c: what is done once, under every schedule of two threads with at most four
// preemptions: also where the first that does it gives up.
#include "core/sync/once.h"

#include <string.h>

#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct once once, other;
static unsigned runs, done;
static bool gives_up;

static void reset(void)
{
    memset(&once, 0, sizeof once);
    memset(&other, 0, sizeof other);
    runs = done = 0;
    gives_up = false;
    seed_threads_reset();
    seed_slabs_reset();
}

static void reset_given_up(void)
{
    reset();
    gives_up = true;
}

// Whoever gives up comes again later: to be called is not to be done.
static void call(void)
{
    while (once_begin(&once)) {
        ++runs;
        seed_point();
        if (gives_up) {
            gives_up = false;
            once_end(&once, false);
        } else {
            ++done;
            once_end(&once, true);
        }
    }
    seed_check(once_is_done(&once), "it is not done");
    seed_check(done == 1, "it comes back before it is done");
}

static void call_other(void)
{
    if (once_begin(&other)) {
        once_end(&other, true);
    }
    call();
}

static void check(void)
{
    seed_check(runs == 1, "not done once");
}

static void check_given_up(void)
{
    seed_check(runs == 2 && done == 1, "not done until it was not given up");
}

static const char *const marks[] = {
    "once: somebody waits",
    "once: it ended meanwhile",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "once",
        .reset = reset,
        .bodies = {call, call},
        .check = check,
        .marks = marks,
    },
    {
        .name = "once, given up",
        .reset = reset_given_up,
        .bodies = {call, call},
        .check = check_given_up,
        .marks = marks,
    },
    {
        .name = "once, two of them",
        .reset = reset,
        .bodies = {call_other, call_other},
        .check = check,
        .marks = marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
