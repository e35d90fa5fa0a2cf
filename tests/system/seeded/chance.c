// SPDX-License-Identifier: BSD-3-Clause
// chance.c: prints all that chance decides on other machines: times, addresses, random bytes, the
// processor, files' numbers and times, and in what order threads come.
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { THREADS = 4, TURNS = 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char order[THREADS * TURNS + 1];
static int order_size;

static void *take_turns(void *argument)
{
    for (int i = 0; i < TURNS; ++i) {
        pthread_mutex_lock(&mutex);
        order[order_size++] = *(char *)argument;
        pthread_mutex_unlock(&mutex);
        usleep(10);
    }
    return NULL;
}

static void show_threads(void)
{
    static char names[THREADS] = {'a', 'b', 'c', 'd'};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        pthread_create(&threads[i], NULL, take_turns, &names[i]);
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("%s\n", order);
}

static void show_clocks(void)
{
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID};
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; ++i) {
        struct timespec time;
        clock_gettime(clocks[i], &time);
        printf("%ld.%09ld\n", time.tv_sec, time.tv_nsec);
    }
    printf("tsc %llu\n", __rdtsc());
}

static void show_bytes(void)
{
    unsigned long words[2];
    if (getrandom(words, sizeof words, 0) == sizeof words) {
        printf("random %lx %lx\n", words[0], words[1]);
    }
    const unsigned long *at_random = (const unsigned long *)getauxval(AT_RANDOM);
    int local;
    printf("%lx %p %p %p %d\n", at_random[0], (void *)&local, malloc(100), (void *)printf,
           getpid());
    printf("%p %p %p\n", (void *)program_invocation_name, (void *)environ[0],
           (void *)getauxval(AT_EXECFN));
}

static void show_files(void)
{
    struct stat status;
    struct statfs system;
    int file = open("made", O_CREAT | O_WRONLY, 0644);
    if (write(file, "x", 1) == 1 && fstat(file, &status) == 0 && fstatfs(file, &system) == 0) {
        printf("%lu %ld %ld %ld %lu\n", status.st_ino, status.st_mtime, status.st_atime,
               status.st_blocks, system.f_bfree);
    }
    close(file);
    if (stat("/etc/passwd", &status) == 0) {
        printf("%lu %ld\n", status.st_ino, status.st_atime);
    }
}

int main(void)
{
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    printf("%x %x %x %x\n", a, b, c, d);
    show_threads();
    show_clocks();
    show_bytes();
    show_files();
    return 0;
}
