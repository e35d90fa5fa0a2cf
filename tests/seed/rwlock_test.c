// SPDX-License-Identifier: BSD-3-Clause
// rwlock_test.c: the reader-writer lock under every schedule of two threads with at most four
// preemptions.
#include "core/sync/rwlock.h"

#include <string.h>

#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct rwlock lock;
static _Atomic int readers, writers;

static void reset(void)
{
    memset(&lock, 0, sizeof lock);
    readers = writers = 0;
    seed_threads_reset();
    seed_slabs_reset();
}

static void check(void)
{
    seed_check(lock.state == 0 && lock.first == NULL && lock.guard.kind == 0, "not free");
    seed_check(atomic_load(&lock.guard.claims) == 0, "a claim on the guard was left");
}

static void read_section(void)
{
    ++readers;
    seed_check(writers == 0, "a reader beside a writer");
    seed_point();
    seed_check(writers == 0, "a reader beside a writer");
    --readers;
    rwlock_read_unlock(&lock);
}

static void write_section(void)
{
    seed_check(rwlock_is_write_locked_by_me(&lock), "not the writer");
    seed_check(writers++ == 0 && readers == 0, "a writer beside others");
    seed_point();
    seed_check(--writers == 0 && readers == 0, "a writer beside others");
    rwlock_write_unlock(&lock);
}

static void reader(void)
{
    rwlock_read_lock(&lock);
    read_section();
}

static void writer(void)
{
    rwlock_write_lock(&lock);
    write_section();
}

static void read_and_write(void)
{
    reader();
    writer();
}

static void timed(void)
{
    if (rwlock_write_lock_until(&lock, 1)) {
        write_section();
    }
    if (rwlock_read_lock_until(&lock, 1)) {
        read_section();
    }
}

// Has a read lock, and takes another whoever waits.
static void read_twice(void)
{
    rwlock_read_lock(&lock);
    ++readers;
    seed_point();
    seed_check(rwlock_read_join(&lock), "a reader may not join itself");
    seed_check(writers == 0, "a reader beside a writer");
    rwlock_read_unlock(&lock);
    seed_check(writers == 0, "a reader beside a writer");
    --readers;
    rwlock_read_unlock(&lock);
    if (rwlock_read_join(&lock)) {
        read_section();
    }
}

static const char *const marks[] = {
    "rwlock: the last reader lets others in",
    "rwlock: a writer lets others in",
    NULL,
};
static const char *const joined_marks[] = {
    "rwlock: a reader joins others",
    "rwlock: the last reader lets others in",
    NULL,
};
static const char *const timed_marks[] = {"rwlock: timed out", NULL};

static const struct seed_test tests[] = {
    {
        .name = "rwlock",
        .reset = reset,
        .bodies = {read_and_write, read_and_write},
        .check = check,
        .marks = marks,
    },
    {
        .name = "rwlock, timed",
        .reset = reset,
        .bodies = {timed, read_and_write},
        .check = check,
        .marks = timed_marks,
    },
    {
        .name = "rwlock, joined",
        .reset = reset,
        .bodies = {read_twice, read_and_write},
        .check = check,
        .marks = joined_marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
