// SPDX-License-Identifier: BSD-3-Clause
// idle.c: what idle CPUs do, in figures for scheduler.py: the kicks that the program's threads
// caused, by /proc/interrupts, and for how long it ran.
//
//   idle hand-over N US   two threads on two CPUs wake each other N times, each US microseconds
//   later idle wakes N US       one wakes another, on another CPU, N times, every US microseconds
//   idle sleeps N US      a thread sleeps N times for US microseconds
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sem_t turns[2];
static long count, span_us;

static void pin(size_t cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        abort();
    }
}

static long now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void busy(void)
{
    for (long end = now_us() + span_us; now_us() < end;) {
    }
}

static long kicks(void)
{
    char line[4096];
    long sum = 0;
    FILE *file = fopen("/proc/interrupts", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *end = strstr(line, "RES:");
        for (char *at = end == NULL ? NULL : end + 4; at != NULL; at = end) {
            long value = strtol(at, &end, 10);
            end = end == at ? NULL : end;
            sum += value;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return sum;
}

static void *answer(void *unused)
{
    (void)unused;
    pin(1);
    for (long i = 0; i < count; ++i) {
        sem_wait(&turns[1]);
        busy();
        sem_post(&turns[0]);
    }
    return NULL;
}

static void hand_over(void)
{
    for (long i = 0; i < count; ++i) {
        busy();
        sem_post(&turns[1]);
        sem_wait(&turns[0]);
    }
}

static void *listen(void *unused)
{
    (void)unused;
    pin(1);
    for (long i = 0; i < count; ++i) {
        sem_wait(&turns[1]);
    }
    return NULL;
}

static void wakes(void)
{
    for (long i = 0; i < count; ++i) {
        busy();
        sem_post(&turns[1]);
    }
}

static void sleeps(void)
{
    const struct timespec span = {span_us / 1000000, span_us % 1000000 * 1000};
    for (long i = 0; i < count; ++i) {
        nanosleep(&span, NULL);
    }
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc < 4) {
        return 2;
    }
    count = atol(argv[2]);
    span_us = atol(argv[3]);
    sem_init(&turns[0], 0, 0);
    sem_init(&turns[1], 0, 0);
    pin(0);
    long before = kicks(), began = now_us();
    if (strcmp(argv[1], "sleeps") == 0) {
        sleeps();
    } else {
        bool is_wakes = strcmp(argv[1], "wakes") == 0;
        pthread_create(&thread, NULL, is_wakes ? listen : answer, NULL);
        is_wakes ? wakes() : hand_over();
        pthread_join(thread, NULL);
    }
    printf("idle: kicks %ld us %ld\n", kicks() - before, now_us() - began);
    return 0;
}
