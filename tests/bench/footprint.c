// SPDX-License-Identifier: BSD-3-Clause
// footprint.c: prints how much memory is free when main begins, and what each of THREADS threads
// takes that wait, with stacks of the default size. For footprint.py.
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 256 };

static sem_t come, go;

static size_t free_bytes(void)
{
    char line[128];
    size_t kilobytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "MemFree: %zu kB", &kilobytes) == 1) {
            break;
        }
    }
    if (kilobytes == 0) {
        fprintf(stderr, "footprint: /proc/meminfo has no MemFree\n");
        exit(1);
    }
    fclose(file);
    return kilobytes * 1024;
}

static void *wait_here(void *argument)
{
    sem_post(&come);
    sem_wait(&go);
    return argument;
}

static void check(int error)
{
    if (error != 0) {
        fprintf(stderr, "footprint: %s\n", strerror(error));
        exit(1);
    }
}

int main(void)
{
    static pthread_t threads[THREADS];
    size_t before = free_bytes();
    printf("free %zu\n", before);
    for (int i = 0; i < THREADS; ++i) {
        check(pthread_create(&threads[i], NULL, wait_here, NULL));
        sem_wait(&come);
    }
    printf("thread %zu\n", (before - free_bytes()) / THREADS);
    for (int i = 0; i < THREADS; ++i) {
        sem_post(&go);
    }
    for (int i = 0; i < THREADS; ++i) {
        check(pthread_join(threads[i], NULL));
    }
    return 0;
}
