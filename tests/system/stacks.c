// SPDX-License-Identifier: BSD-3-Clause
// stacks.c: what /proc/self/maps calls the places where threads keep their local variables.
//
//     stacks        the first thread's
//     stacks all    those of others, too, which Linux has not named since 4.5
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "show.h"

enum { THREADS = 20 };

static pthread_barrier_t barrier;

// The name of the area that holds place in a file of /proc; "none": no area does.
static void name_find(const char *file_name, const void *place, char name[200])
{
    char line[400];
    FILE *file = fopen(file_name, "r");
    strcpy(name, "none");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx %*4s", &start, &end) == 2 && (unsigned long)place >= start &&
            (unsigned long)place < end) {
            name[0] = 0;
            sscanf(line, "%*s %*s %*s %*s %*s %199[^\n]", name);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static int is_mine(const void *place)
{
    char name[200], smaps_name[200], wanted[40];
    snprintf(wanted, sizeof wanted, "[stack:%d]", gettid());
    name_find("/proc/self/maps", place, name);
    name_find("/proc/self/smaps", place, smaps_name);
    return strcmp(name, wanted) == 0 && strcmp(smaps_name, wanted) == 0;
}

static void *run(void *unused)
{
    (void)unused;
    char low[100 << 10]; // below what a stack begins with
    memset(low, 1, sizeof low);
    pthread_barrier_wait(&barrier);
    long found = is_mine(low) + is_mine(low + sizeof low - 1);
    pthread_barrier_wait(&barrier);
    return (void *)found;
}

static void threads_show(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    long sum = 0;
    char name[200];
    char *own = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, own, 1 << 20);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; ++i) {
        pthread_create(&threads[i], i == 0 ? &attributes : NULL, run, NULL);
    }
    for (int i = 0; i < THREADS; ++i) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("stacks that have their thread's name: %ld of %d\n", sum, 2 * THREADS);
    name_find("/proc/self/maps", own, name);
    printf("after the thread: '%s'\n", name);
}

int main(int argc, char **argv)
{
    int local = 0;
    char name[200];
    name_find("/proc/self/maps", &local, name);
    puts(name);
    name_find("/proc/self/maps", mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
              name);
    printf("of nobody: '%s'\n", name);
    if (argc > 1 && strcmp(argv[1], "all") == 0) {
        threads_show();
    }
    return 0;
}
