// SPDX-License-Identifier: BSD-3-Clause
// readers.c: readers count themselves, a writer says that it writes: each first says so and then
// looks whether the other does. Planted: each looks first.
#include <sched.h>
#include <stdatomic.h>

#include "tests/system/seeded/planted/planted.h"

enum { TURNS = 30 };

static atomic_int reader_count;
static atomic_bool is_writing;
static int pair[2];

static void read_begin(void)
{
    if (is_planted) {
        while (is_writing) {
            sched_yield();
        }
        ++reader_count;
        return;
    }
    for (;;) {
        ++reader_count;
        if (!is_writing) {
            return;
        }
        --reader_count;
        sched_yield();
    }
}

static void write_begin(void)
{
    if (!is_planted) {
        is_writing = true;
    }
    while (reader_count != 0) {
        sched_yield();
    }
    is_writing = true;
}

static void write_pair(void)
{
    for (int i = 0; i < TURNS; ++i) {
        write_begin();
        ++pair[0];
        ++pair[1];
        is_writing = false;
    }
}

static void read_pair(void)
{
    for (int i = 0; i < TURNS; ++i) {
        read_begin();
        check(pair[0] == pair[1], "no writer among readers");
        --reader_count;
    }
}

void play_round(void)
{
    run_beside(write_pair, read_pair);
}
