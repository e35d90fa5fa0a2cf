// SPDX-License-Identifier: BSD-3-Clause
// sequence_test.c: a sequence lock around two words under every schedule with at most four
// preemptions: what holds was so at one time.
#include "core/lib/sequence.h"

#include "core/lib/mark.h"
#include "seed.h"
#include "seed_main.h"

static struct sequence sequence;
static _Atomic unsigned first, second; // equal, but while they are changed
static unsigned last;

static void reset(void)
{
    sequence = (struct sequence){0};
    first = second = last = 0;
}

static void change(void)
{
    sequence_change_begin(&sequence);
    atomic_store(&first, first + 1);
    atomic_store(&second, second + 1);
    sequence_change_end(&sequence);
}

static void change_twice(void)
{
    change();
    change();
}

static void read(void)
{
    uint32_t number;
    if (!sequence_begin(&sequence, &number)) {
        MARK("sequence: being changed");
        return;
    }
    unsigned a = first, b = second;
    if (!sequence_holds(&sequence, number)) {
        MARK("sequence: changed meanwhile");
        return;
    }
    seed_check(a == b, "one half is new, the other is old");
    seed_check(a >= last, "what was seen once is no longer so");
    last = a;
}

static void read_twice(void)
{
    read();
    read();
}

static void check(void)
{
    read();
    seed_check(last == 2, "it is not said that the changes are over");
}

static const char *const marks[] = {"sequence: being changed", "sequence: changed meanwhile", NULL};

static const struct seed_test tests[] = {
    {
        .name = "sequence",
        .reset = reset,
        .bodies = {read_twice, change_twice},
        .check = check,
        .marks = marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
