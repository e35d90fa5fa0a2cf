// SPDX-License-Identifier: BSD-3-Clause
// multitude.c: very many threads at once: all run, sleep, meet and end.
//
//     multitude COUNT            so many
//     multitude COUNT memory     and what they take while they live, and what is left of it
//     multitude COUNT memory KIB the same, where each also takes so much for a page table
//     multitude COUNT until-full fewer, where there is no memory for so many: the first that cannot
//                                be made says EAGAIN, and those that are there run on
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "show.h"

enum { KIB_EACH_MAX = 68, KIB_EACH_LEFT_MAX = 12, RESERVE = 8 << 20 };

static pthread_barrier_t barrier;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_open;
static _Atomic unsigned slept, last;

static long free_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "MemFree: %ld", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

static void *run(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    struct timespec span = {0, 1000000 + (long)(number * 7919 % 1000) * 5000};
    pthread_mutex_lock(&mutex);
    while (!is_open) {
        pthread_cond_wait(&opened, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    nanosleep(&span, NULL);
    ++slept;
    last += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    return argument;
}

// Answers how many could be made.
static unsigned make(pthread_t *threads, unsigned count, int *error)
{
    *error = 0;
    for (unsigned i = 0; i < count; ++i) {
        *error = pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
        if (*error != 0) {
            return i;
        }
    }
    return count;
}

static bool all_join(const pthread_t *threads, unsigned count)
{
    bool right = true;
    pthread_barrier_init(&barrier, NULL, count);
    pthread_mutex_lock(&mutex);
    is_open = true;
    pthread_cond_broadcast(&opened);
    pthread_mutex_unlock(&mutex);
    for (unsigned i = 0; i < count; ++i) {
        void *result = NULL;
        right = pthread_join(threads[i], &result) == 0 && result == (void *)(uintptr_t)i && right;
    }
    pthread_barrier_destroy(&barrier);
    return right;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
    const char *how = argc > 2 ? argv[2] : "";
    pthread_t *threads = calloc(count, sizeof *threads);
    int error;
    char *reserve = calloc(1, RESERVE); // what the threads need to run where there is nothing else
    memset(reserve, 1, RESERVE);
    long before = free_kib();
    unsigned made = make(threads, count, &error);
    long with = free_kib();
    free(reserve);
    bool right = all_join(threads, made);
    bool counted = slept == made && last == 1;
    if (strcmp(how, "until-full") == 0) {
        printf("some %d, %s, results %d, all slept and met %d\n", made > 0 && made < count,
               strerror(error), right, counted);
        slept = 0;
        made = make(threads, 1, &error);
        printf("one more %u %d\n", made, all_join(threads, made));
        return 0;
    }
    printf("%u of %u, results %d, all slept and met %d\n", made, count, right, counted);
    if (strcmp(how, "memory") == 0) {
        long each = (before - with) / (long)count, left = (before - free_kib()) / (long)count;
        long table = argc > 3 ? atol(argv[3]) : 0;
        printf("memory: at most %d KiB each %d, at most %d KiB kept %d\n", KIB_EACH_MAX,
               each - table <= KIB_EACH_MAX, KIB_EACH_LEFT_MAX, left - table <= KIB_EACH_LEFT_MAX);
        printf("# %ld KiB each, %ld KiB kept\n", each, left);
    }
    return 0;
}
