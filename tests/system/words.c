// SPDX-License-Identifier: BSD-3-Clause
// words.c: waits for any of several words, futex_waitv, and what wakes it.
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

enum { WORDS = 3, WAITV = 449, TOO_MANY = 129 };

// As the kernel has it; older headers do not.
struct word {
    uint64_t expected;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

enum { OF_32_BITS = 2, PRIVATE = 128 };

static _Atomic uint32_t words[WORDS], other;
static struct word all[WORDS];

static void all_reset(void)
{
    for (int i = 0; i < WORDS; ++i) {
        all[i] = (struct word){0, (uintptr_t)&words[i], OF_32_BITS | PRIVATE, 0};
    }
}

static long wait_until(const void *list, unsigned count, unsigned flags, const void *time,
                       int clock)
{
    return syscall(WAITV, list, count, flags, time, clock);
}

static long wait_any(unsigned count)
{
    return wait_until(all, count, 0, NULL, 0);
}

static long futex(_Atomic uint32_t *word, int operation, long value, long value2,
                  _Atomic uint32_t *word2, unsigned value3)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, value2, word2, value3);
}

static void errors(void)
{
    static struct word many[TOO_MANY];
    const struct timespec now = {0, 0}, wrong = {0, 1000000000};
    SHOW(wait_until(all, WORDS, 1, NULL, 0));
    SHOW(wait_until(all, 0, 0, NULL, 0));
    SHOW(wait_until(many, TOO_MANY, 0, NULL, 0));
    SHOW(wait_until(NULL, WORDS, 0, NULL, 0));
    SHOW(wait_until((void *)16, WORDS, 0, NULL, 0));
    SHOW(wait_until(all, WORDS, 0, &wrong, CLOCK_MONOTONIC));
    SHOW(wait_until(all, WORDS, 0, &now, CLOCK_PROCESS_CPUTIME_ID));
    SHOW(wait_until(all, WORDS, 0, (void *)16, CLOCK_MONOTONIC));
    SHOW(all[1].flags = PRIVATE | 8);
    SHOW(wait_any(WORDS));
    SHOW(all[1].flags = 0x1000 | OF_32_BITS);
    SHOW(wait_any(WORDS));
    all_reset();
    SHOW(all[2].reserved = 1);
    SHOW(wait_any(WORDS));
    all_reset();
    SHOW((int)(all[2].expected = 1ul << 40));
    SHOW(wait_any(WORDS));
    all_reset();
    all[1].address += 2;
    SHOW(wait_any(WORDS));
    all_reset();
    SHOW(all[1].address = 16);
    SHOW(wait_any(WORDS));
    all_reset();
}

static void no_wait(void)
{
    const struct timespec past = {1, 0};
    SHOW(all[2].expected = 1);
    SHOW(wait_any(WORDS));
    SHOW(futex(&words[0], FUTEX_WAKE, INT_MAX, 0, NULL, 0)); // none is left behind
    all_reset();
    SHOW(wait_until(all, WORDS, 0, &past, CLOCK_MONOTONIC));
    SHOW(wait_until(all, WORDS, 0, &past, CLOCK_REALTIME));
    SHOW(all[0].expected = 1);
    SHOW(wait_until(all, WORDS, 0, &past, CLOCK_MONOTONIC));
    all_reset();
    all[0].flags = OF_32_BITS; // not private
    SHOW(wait_until(all, 1, 0, &past, CLOCK_MONOTONIC));
    all_reset();
}

// ---- With a thread that waits -------------------------------------------------

static unsigned waits_for;

// Answers what it was told, for whoever joins it to print.
static void *answer_of(long result)
{
    return (void *)(result == -1 ? -(long)errno : result);
}

static void *waiter(void *unused)
{
    (void)unused;
    return answer_of(wait_any(waits_for));
}

static void join(pthread_t thread)
{
    void *answer;
    pthread_join(thread, &answer);
    errno = (long)answer < 0 ? (int)-(long)answer : 0;
    show("the thread's wait", (long)answer < 0 ? -1 : (long)answer);
}

static pthread_t start(unsigned count)
{
    pthread_t thread;
    waits_for = count;
    if (pthread_create(&thread, NULL, waiter, NULL) != 0) {
        abort();
    }
    return thread;
}

// Until it has done something to count waiters.
static void again(_Atomic uint32_t *word, int operation, long value, long value2, unsigned bits,
                  int count)
{
    int done = 0;
    while (done < count) {
        done += (int)futex(word, operation, value, value2, &other, bits);
        sched_yield();
    }
    printf("%d done\n", done);
}

static void woken(void)
{
    for (int i = 0; i < WORDS; ++i) {
        pthread_t thread = start(WORDS);
        again(&words[i], FUTEX_WAKE, 1, 0, 0, 1);
        join(thread);
        for (int j = 0; j < WORDS; ++j) {
            SHOW(futex(&words[j], FUTEX_WAKE, 1, 0, NULL, 0));
        }
    }
    pthread_t thread = start(2);
    again(&words[1], FUTEX_WAKE_BITSET, 1, 0, 4, 1);
    join(thread);
}

static void same_word(void)
{
    all[1] = all[0];
    pthread_t thread = start(2);
    again(&words[0], FUTEX_WAKE, 1, 0, 0, 1);
    join(thread);
    all_reset();
}

static void moved(void)
{
    pthread_t thread = start(2);
    again(&words[1], FUTEX_REQUEUE, 0, 1, 0, 1);
    SHOW(futex(&words[1], FUTEX_WAKE, 1, 0, NULL, 0));
    SHOW(futex(&other, FUTEX_WAKE, 1, 0, NULL, 0));
    join(thread);
    thread = start(2);
    again(&words[1], FUTEX_REQUEUE, 0, 1, 0, 1);
    SHOW(futex(&words[0], FUTEX_WAKE, 1, 0, NULL, 0));
    join(thread);
    SHOW(futex(&other, FUTEX_WAKE, 1, 0, NULL, 0)); // it has left there, too
}

static void *plain(void *unused)
{
    (void)unused;
    return answer_of(futex(&words[2], FUTEX_WAIT, 0, 0, NULL, 0));
}

static void with_plain(void)
{
    pthread_t one = start(WORDS), two;
    again(&words[0], FUTEX_WAKE, 1, 0, 0, 1);
    join(one);
    if (pthread_create(&two, NULL, plain, NULL) != 0) {
        abort();
    }
    again(&words[2], FUTEX_WAKE, 2, 0, 0, 1);
    join(two);
}

static void on_signal(int number)
{
    (void)number;
}

static _Atomic int has_ended;

static void *interrupted(void *unused)
{
    (void)unused;
    void *answer = answer_of(wait_any(WORDS));
    has_ended = 1;
    return answer;
}

static void by_signal(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    pthread_t thread;
    sigaction(SIGUSR1, &action, NULL);
    if (pthread_create(&thread, NULL, interrupted, NULL) != 0) {
        abort();
    }
    while (!has_ended) {
        pthread_kill(thread, SIGUSR1);
        sched_yield();
    }
    join(thread);
    SHOW(futex(&words[0], FUTEX_WAKE, 1, 0, NULL, 0));
}

// Several threads give each other turns by words of their own, and wait for any.
enum { PLAYERS = 3, ROUNDS = 200 };
static _Atomic uint32_t turns[PLAYERS];
static _Atomic uint32_t rounds;

static void *player(void *argument)
{
    const uint32_t me = (uint32_t)(uintptr_t)argument;
    struct word two[] = {
        {0, (uintptr_t)&other, OF_32_BITS | PRIVATE, 0},
        {0, (uintptr_t)&turns[me], OF_32_BITS | PRIVATE, 0},
    };
    while (other == 0) {
        if (atomic_exchange(&turns[me], 0) == 0) {
            (void)!wait_until(two, 2, 0, NULL, 0);
            continue;
        }
        if (++rounds == ROUNDS) {
            other = 1;
            futex(&other, FUTEX_WAKE, INT_MAX, 0, NULL, 0);
        }
        turns[(me + 1) % PLAYERS] = 1;
        futex(&turns[(me + 1) % PLAYERS], FUTEX_WAKE, 1, 0, NULL, 0);
    }
    return NULL;
}

static void in_turns(void)
{
    pthread_t threads[PLAYERS];
    turns[0] = 1;
    for (uintptr_t i = 0; i < PLAYERS; ++i) {
        if (pthread_create(&threads[i], NULL, player, (void *)i) != 0) {
            abort();
        }
    }
    for (int i = 0; i < PLAYERS; ++i) {
        pthread_join(threads[i], NULL);
    }
    SHOW(rounds);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    all_reset();
    errors();
    no_wait();
    woken();
    same_word();
    moved();
    with_plain();
    by_signal();
    in_turns();
    return 0;
}
