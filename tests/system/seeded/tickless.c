// SPDX-License-Identifier: BSD-3-Clause
// tickless.c: one busy thread on each CPU and no timer: how many interrupts come in a second, by
// /proc/interrupts?
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CPUS_MAX = 64, TEXT_SIZE = 65536 };

static _Atomic int busy_count, is_over;

static void pin(long cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        abort();
    }
}

static long now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void busy_until(long end_ms)
{
    while (now_ms() < end_ms) {
    }
}

static void *busy(void *argument)
{
    pin((long)argument);
    ++busy_count;
    while (!is_over) {
        now_ms();
    }
    return NULL;
}

// The sum of all figures of all lines that have a name, after the header.
static long interrupts(void)
{
    static char text[TEXT_SIZE];
    FILE *file = fopen("/proc/interrupts", "r");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (size == 0) {
        abort();
    }
    fclose(file);
    text[size] = 0;
    long sum = 0;
    for (char *line = strchr(text, ':'); line != NULL; line = strchr(line, ':')) {
        char *end = ++line;
        for (long value = strtol(line, &end, 10); end != line; value = strtol(line, &end, 10)) {
            sum += value;
            line = end;
        }
    }
    return sum;
}

int main(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[CPUS_MAX];
    for (long cpu = 1; cpu < cpus; ++cpu) {
        pthread_create(&threads[cpu], NULL, busy, (void *)cpu);
    }
    pin(0);
    while (busy_count < cpus - 1) {
        sched_yield();
    }
    busy_until(now_ms() + 50); // deadlines that were given up pass
    long before = interrupts();
    busy_until(now_ms() + 1000);
    long after = interrupts();
    is_over = 1;
    for (long cpu = 1; cpu < cpus; ++cpu) {
        pthread_join(threads[cpu], NULL);
    }
    printf("%ld before, %ld in a second\n", before, after - before);
    return before == 0;
}
