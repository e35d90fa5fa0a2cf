// SPDX-License-Identifier: BSD-3-Clause
// storm.c: threads begin and end, SECONDS long or for ROUNDS, and nothing grows: neither memory nor
// the number of mappings.
//
//     storm rounds ROUNDS | storm seconds SECONDS
//
// They end in all ways: joined, detached, by pthread_exit; with stacks of many sizes, of which some
// are used to a depth of a megabyte; with keys, thread_local and allocated memory. What there is
// after the first rounds must be enough for all that follow. Where there is no MemFree of one's own
// (on Linux) the process's own figure is taken.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "show.h"

enum {
    ALIVE = 90,
    WARM_ROUNDS = 12,
    TRIES = 50,       // until those that are detached are gone
    SLACK_KIB = 4096, // what comes and goes
    SLACK_MAPPINGS = 300,
    DEEP = 1 << 20,
    DEEP_THREADS = 40,
};

static pthread_key_t key;
static sem_t ended;
static _Atomic unsigned destroyed;
static unsigned made;
static pthread_barrier_t all_deep;
static _Thread_local char local[3000];

static void destroy(void *value)
{
    ++destroyed;
    free(value);
}

static unsigned deep(unsigned size)
{
    volatile char space[16384];
    space[0] = (char)size;
    space[sizeof space - 1] = 1;
    return size <= sizeof space ? (unsigned char)space[0]
                                : deep(size - (unsigned)sizeof space) + (unsigned char)space[1];
}

static void *run(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    char *block = malloc(100 + number % 5000);
    block[0] = local[number % sizeof local] = (char)number;
    pthread_setspecific(key, block);
    if (number % 16 == 5) {
        (void)deep(DEEP);
    }
    if (number % 3 == 0) {
        sched_yield();
    }
    sem_post(&ended);
    if (number % 7 == 3) {
        pthread_exit(argument);
    }
    return argument;
}

static bool one_round(unsigned round)
{
    pthread_t threads[ALIVE];
    bool right = true;
    for (uintptr_t i = 0; i < ALIVE; ++i) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes,
                                    i % 5 == 1 ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
        if (i % 16 != 5) {
            pthread_attr_setstacksize(&attributes, (size_t)(64 << (i + round) % 8) << 10);
        }
        right = pthread_create(&threads[i], &attributes, run, (void *)i) == 0 && right;
        ++made;
        pthread_attr_destroy(&attributes);
    }
    for (unsigned i = 0; i < ALIVE; ++i) {
        sem_wait(&ended);
    }
    for (uintptr_t i = 0; i < ALIVE; ++i) {
        void *result = NULL;
        if (i % 5 != 1) {
            right = pthread_join(threads[i], &result) == 0 && result == (void *)i && right;
        }
    }
    return right;
}

static long used_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

static long mapping_count(void)
{
    long count = 0;
    int byte;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file != NULL && (byte = getc(file)) != EOF) {
        count += byte == '\n';
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

static void *run_deep(void *argument)
{
    (void)deep(4 * DEEP);
    pthread_barrier_wait(&all_deep);
    return argument;
}

// Stacks that are kept for the next threads are kept without what was touched in their depth.
static bool deep_stacks_are_given_back(void)
{
    pthread_t threads[DEEP_THREADS];
    long before = used_kib();
    bool right = true;
    pthread_barrier_init(&all_deep, NULL, DEEP_THREADS + 1);
    for (int i = 0; i < DEEP_THREADS; ++i) {
        right = pthread_create(&threads[i], NULL, run_deep, NULL) == 0 && right;
    }
    pthread_barrier_wait(&all_deep);
    for (int i = 0; i < DEEP_THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
    long all = DEEP_THREADS * 4 * (DEEP / 1024);
    return right && used_kib() - before < all / 4;
}

static bool is_time(const char *what, unsigned limit, unsigned round, time_t start)
{
    return strcmp(what, "seconds") == 0 ? time(NULL) - start < (time_t)limit : round < limit;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "rounds";
    unsigned limit = argc > 2 ? (unsigned)atoi(argv[2]) : 30, round = 0;
    bool right = true;
    time_t start = time(NULL);
    pthread_key_create(&key, destroy);
    sem_init(&ended, 0, 0);
    for (; round < WARM_ROUNDS; ++round) {
        right = one_round(round) && right;
    }
    long used = used_kib() + SLACK_KIB, mappings = mapping_count() + SLACK_MAPPINGS;
    for (; is_time(what, limit, round, start); ++round) {
        right = one_round(round) && right;
    }
    for (int i = 0; i < TRIES && (used_kib() > used || mapping_count() > mappings); ++i) {
        right = one_round(round++) && right;
    }
    printf("all began and ended: %d\n", right);
    printf("no growth: %d of memory, %d of mappings\n", used_kib() <= used,
           mapping_count() <= mappings);
    printf("deep stacks are given back: %d\n", deep_stacks_are_given_back());
    if (strcmp(what, "seconds") == 0) {
        printf("# %u threads; %ld KiB of %ld, %ld mappings of %ld\n", made, used_kib(), used,
               mapping_count(), mappings);
    }
    while (destroyed < made) {
        sched_yield();
    }
    printf("all keys were destroyed\n");
    return 0;
}
