// SPDX-License-Identifier: BSD-3-Clause
// barrier_test.c: core/libc/pthread_barrier.c under every schedule of two threads with at most four
// preemptions: barriers, one that is destroyed right after its last round, and spin locks that
// sleep.
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/lib/mark.h"
#include "core/linux/syscall.h"
#include "core/sched/thread.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

// As in pthread_barrier.c.
int glibc_pthread_barrier_init(void *barrier, const int *attribute, unsigned count);
int glibc_pthread_barrier_destroy(void *barrier);
int glibc_pthread_barrier_wait(void *barrier);
int glibc_pthread_spin_init(_Atomic int *lock, int shared);
int glibc_pthread_spin_lock(_Atomic int *lock);
int glibc_pthread_spin_unlock(_Atomic int *lock);

enum { SERIAL_THREAD = -1, FUTEX_WAKE_PRIVATE = 129, ROUNDS = 2 };

// ---- What they ask of others: a futex, of which each half is one step -------------------------

static const void *awaited[SEED_CPU_COUNT]; // the word on which each thread sleeps

MARK_GUESS static bool word_is(const void *word, uint32_t value)
{
    return *(const volatile uint32_t *)word == value;
}

static void word_wait(const void *word, uint32_t value)
{
    seed_point();
    unsigned index = seed_index();
    if (!word_is(word, value)) {
        MARK("futex: the word has changed");
        return;
    }
    awaited[index] = word;
    (void)seed_block(false);
}

MARK_GUESS static long word_wake(const void *word, long count)
{
    seed_point();
    long woken = 0;
    for (unsigned i = 0; i < SEED_CPU_COUNT && woken < count; ++i) {
        if (awaited[i] == word) {
            awaited[i] = NULL;
            seed_unblock(i);
            ++woken;
        }
    }
    return woken;
}

MARK_GUESS static long futex(long number, long word, long operation, long value, long d, long e,
                             long f)
{
    seed_check(number == SYS_futex, "another system call");
    if (operation == FUTEX_WAKE_PRIVATE) {
        return word_wake((const void *)word, value);
    }
    word_wait((const void *)word, (uint32_t)value);
    return 0;
}

long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f) = futex;

// ---- Barriers ---------------------------------------------------------------

static _Alignas(8) char barrier[32];
static unsigned arrived[SEED_CPU_COUNT]; // rounds that each thread has begun
static unsigned serials;

static void reset_barrier(void)
{
    seed_threads_reset();
    memset(awaited, 0, sizeof awaited);
    memset(arrived, 0, sizeof arrived);
    serials = 0;
    seed_check(glibc_pthread_barrier_init(barrier, NULL, SEED_CPU_COUNT) == 0, "no barrier");
}

MARK_GUESS static void round_run(void)
{
    unsigned round = ++arrived[seed_index()];
    serials += glibc_pthread_barrier_wait(barrier) == SERIAL_THREAD;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        seed_check(arrived[i] >= round, "let through before all have come");
        seed_check(arrived[i] <= round + 1, "one is a round ahead");
    }
}

static void rounds_run(void)
{
    for (unsigned i = 0; i < ROUNDS; ++i) {
        round_run();
    }
}

static void check_rounds(void)
{
    seed_check(serials == ROUNDS, "not one serial thread in each round");
}

// Its memory is another's at once.
static void round_run_and_destroy(void)
{
    round_run();
    seed_check(glibc_pthread_barrier_destroy(barrier) == 0, "busy");
    memset(barrier, 1, sizeof barrier);
}

static void check_destroyed(void)
{
    seed_check(serials == 1, "not one serial thread");
    for (size_t i = 0; i < sizeof barrier; ++i) {
        seed_check(barrier[i] == 1, "it was written to when it was destroyed");
    }
}

// ---- Spin locks ----------------------------------------------------------------

static _Atomic int spin;
static unsigned inside, entered;

static void reset_spin(void)
{
    seed_threads_reset();
    memset(awaited, 0, sizeof awaited);
    inside = entered = 0;
    seed_check(glibc_pthread_spin_init(&spin, 0) == 0, "no lock");
}

static void spin_twice(void)
{
    for (unsigned i = 0; i < 2; ++i) {
        seed_check(glibc_pthread_spin_lock(&spin) == 0, "not locked");
        seed_check(inside++ == 0, "two threads hold the lock");
        seed_point();
        ++entered;
        seed_check(--inside == 0, "two threads hold the lock");
        seed_check(glibc_pthread_spin_unlock(&spin) == 0, "not unlocked");
    }
}

static void check_spin(void)
{
    seed_check(entered == 4 && atomic_load(&spin) == 0, "a turn was lost");
}

static const char *const barrier_marks[] = {
    "barrier: another arrived meanwhile",
    "futex: the word has changed",
    NULL,
};
static const char *const destroy_marks[] = {"barrier: destroyed before all have left", NULL};
static const char *const spin_marks[] = {"spin: held", "futex: the word has changed", NULL};

static const struct seed_test tests[] = {
    {
        .name = "barrier",
        .reset = reset_barrier,
        .bodies = {rounds_run, rounds_run},
        .check = check_rounds,
        .marks = barrier_marks,
    },
    {
        .name = "barrier, destroyed",
        .reset = reset_barrier,
        .bodies = {round_run, round_run_and_destroy},
        .check = check_destroyed,
        .marks = destroy_marks,
    },
    {
        .name = "spin lock",
        .reset = reset_spin,
        .bodies = {spin_twice, spin_twice},
        .check = check_spin,
        .marks = spin_marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
