// SPDX-License-Identifier: BSD-3-Clause
// placed.c: where threads that wake each other run, in figures for scheduler.py:
//
//     placed CASE COUNT US [CPU CPU]
//
// Workers wait, compute for US microseconds and tell the next, COUNT times each; it prints how
// long the second half took, how many kicks there were in that and how often threads changed CPU,
// by /proc/interrupts.
//
//     hand-over  two, each tells the other; started on two CPUs, and free to go
//     bound      the same, not free; on the two CPUs, if they are given
//     pairs      two such pairs, all four started on one CPU
//     stages     two with two turns between them, so that both may compute; started on one CPU
//     served     three that each ask another one, started on different CPUs; that one takes no time
//     burst      the first one wakes 16, bound to another CPU, by one call; there somebody is busy
//     burst-lock, burst-pipe   the same by the end of a write lock, and of a pipe
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

enum { WORKERS_MAX = 4, CLIENTS = 3, STAGE_TURNS = 2, SLEEPERS = 16 };

struct figures {
    long us, kicks, moves;
};

struct worker {
    pthread_t thread;
    int cpu;              // it starts there
    sem_t *awaits, *next; // next: told
    _Atomic bool *asks;   // set before
};

static struct worker workers[WORKERS_MAX];
static int worker_count;
static long count, span_us;
static cpu_set_t all;
static bool is_bound;
static sem_t turns[WORKERS_MAX], asked;
static _Atomic bool asks[CLIENTS];
static pthread_barrier_t all_started;
static struct figures half, end;

static void allowed_set(const cpu_set_t *set)
{
    if (sched_setaffinity(0, sizeof *set, set) != 0) {
        abort();
    }
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    allowed_set(&set);
}

static long now_us(void)
{
    struct timespec time;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time); // where others may run
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// The sum of all CPUs' figures in that line of /proc/interrupts.
static long interrupts(const char *name)
{
    char line[4096];
    long sum = 0;
    FILE *file = fopen("/proc/interrupts", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *last = strstr(line, name);
        for (char *at = last == NULL ? NULL : last + strlen(name); at != NULL; at = last) {
            long value = strtol(at, &last, 10);
            last = last == at ? NULL : last;
            sum += value;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return sum;
}

static struct figures figures_now(void)
{
    return (struct figures){now_us(), interrupts("RES:"), interrupts("MOV:")};
}

static void busy(void)
{
    for (long stop = now_us() + span_us; now_us() < stop;) {
    }
}

static void start_here(const struct worker *self)
{
    pin(self->cpu);
    pthread_barrier_wait(&all_started);
    if (!is_bound) {
        allowed_set(&all);
    }
}

static void *work(void *argument)
{
    struct worker *self = argument;
    start_here(self);
    for (long i = 0; i < count; ++i) {
        sem_wait(self->awaits);
        if (i == count / 2 && self == workers) {
            half = figures_now();
        }
        busy();
        if (i == count - 1 && self == workers) {
            end = figures_now();
        }
        if (self->asks != NULL) {
            *self->asks = true;
        }
        sem_post(self->next);
    }
    return NULL;
}

static void *serve(void *argument)
{
    start_here(argument);
    for (long left = CLIENTS * count; left > 0; --left) {
        sem_wait(&asked);
        int client = 0;
        while (!atomic_exchange(&asks[client], false)) {
            client = (client + 1) % CLIENTS;
        }
        sem_post(&turns[client]);
    }
    return NULL;
}

// ---- Many are woken by one call -------------------------------------------

static _Atomic int asleep, rounds;
static _Atomic bool is_over;

// The ways to be woken: how a sleeper waits in a round, and what wakes all who do.

static void futex_await(int round)
{
    while (rounds == round) {
        syscall(SYS_futex, &rounds, FUTEX_WAIT, round, NULL, NULL, 0);
    }
}

static void futex_open(int round)
{
    (void)round;
    syscall(SYS_futex, &rounds, FUTEX_WAKE, SLEEPERS, NULL, NULL, 0);
}

static pthread_rwlock_t gates[2] = {PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER};

static void lock_close(int round)
{
    pthread_rwlock_wrlock(&gates[round % 2]); // those of the round before the last have left it
}

static void lock_await(int round)
{
    pthread_rwlock_rdlock(&gates[round % 2]);
    pthread_rwlock_unlock(&gates[round % 2]);
}

static void lock_open(int round)
{
    pthread_rwlock_unlock(&gates[round % 2]);
}

static int pipes[2][2] = {{-1, -1}, {-1, -1}};

static void pipe_close(int round)
{
    close(pipes[round % 2][0]);
    if (pipe(pipes[round % 2]) != 0) {
        abort();
    }
}

static void pipe_await(int round)
{
    char byte;
    if (read(pipes[round % 2][0], &byte, 1) != 0) {
        abort();
    }
}

static void pipe_open(int round)
{
    close(pipes[round % 2][1]);
}

static const struct way {
    const char *name;
    void (*shut)(int round); // before any waits in that round
    void (*await)(int round);
    void (*open)(int round);
} ways[] = {
    {"burst", NULL, futex_await, futex_open},
    {"burst-lock", lock_close, lock_await, lock_open},
    {"burst-pipe", pipe_close, pipe_await, pipe_open},
};

static const struct way *way_find(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; ++i) {
        if (strcmp(ways[i].name, name) == 0) {
            return &ways[i];
        }
    }
    return NULL;
}

static void *be_woken(void *argument)
{
    const struct way *way = argument;
    pin(1);
    for (int round = 0; round < count; ++round) {
        ++asleep;
        way->await(round);
    }
    return NULL;
}

static void *be_busy(void *argument)
{
    (void)argument;
    pin(1);
    while (!is_over) {
        now_us();
    }
    return NULL;
}

static void burst(const struct way *way)
{
    pthread_t sleepers[SLEEPERS], hog;
    long kicks = 0;
    pin(0);
    if (way->shut != NULL) {
        way->shut(0);
    }
    pthread_create(&hog, NULL, be_busy, NULL);
    for (int i = 0; i < SLEEPERS; ++i) {
        pthread_create(&sleepers[i], NULL, be_woken, (void *)way);
    }
    for (int round = 0; round < count; ++round) {
        do {
            usleep((unsigned)span_us);
        } while (asleep < (round + 1) * SLEEPERS);
        usleep((unsigned)span_us); // the last has gone to sleep
        if (way->shut != NULL) {
            way->shut(round + 1);
        }
        long before = interrupts("RES:");
        ++rounds;
        way->open(round);
        kicks += interrupts("RES:") - before;
    }
    is_over = true;
    for (int i = 0; i < SLEEPERS; ++i) {
        pthread_join(sleepers[i], NULL);
    }
    pthread_join(hog, NULL);
    printf("burst: kicks %ld wakes %ld\n", kicks, SLEEPERS * count);
}

static void add(int cpu, sem_t *awaits, sem_t *next)
{
    workers[worker_count++] = (struct worker){.cpu = cpu, .awaits = awaits, .next = next};
}

static void pair_add(int cpu, int other, int tokens)
{
    sem_t *first = &turns[worker_count], *second = &turns[worker_count + 1];
    sem_init(first, 0, (unsigned)tokens);
    sem_init(second, 0, 0);
    add(cpu, first, second);
    add(other, second, first);
}

static void clients_add(void)
{
    sem_init(&asked, 0, 0);
    for (int i = 0; i < CLIENTS; ++i) {
        sem_init(&turns[i], 0, 1);
        add(i, &turns[i], &asked);
        workers[i].asks = &asks[i];
    }
}

static bool workers_add(const char *name)
{
    is_bound = strcmp(name, "bound") == 0;
    if (is_bound || strcmp(name, "hand-over") == 0) {
        pair_add(0, 1, 1);
    } else if (strcmp(name, "pairs") == 0) {
        pair_add(0, 0, 1);
        pair_add(0, 0, 1);
    } else if (strcmp(name, "stages") == 0) {
        pair_add(0, 0, STAGE_TURNS);
    } else if (strcmp(name, "served") == 0) {
        clients_add();
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        return 2;
    }
    count = atol(argv[2]);
    span_us = atol(argv[3]);
    const struct way *way = way_find(argv[1]);
    if (way != NULL) {
        burst(way);
        return 0;
    }
    if (!workers_add(argv[1])) {
        return 2;
    }
    for (int i = 4; i < argc && i - 4 < worker_count; ++i) {
        workers[i - 4].cpu = atoi(argv[i]);
    }
    sched_getaffinity(0, sizeof all, &all);
    struct worker server = {.cpu = 0};
    bool is_served = workers[0].asks != NULL;
    pthread_barrier_init(&all_started, NULL, (unsigned)worker_count + is_served);
    for (int i = 0; i < worker_count; ++i) {
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    if (is_served) {
        pthread_create(&server.thread, NULL, serve, &server);
        pthread_join(server.thread, NULL);
    }
    for (int i = 0; i < worker_count; ++i) {
        pthread_join(workers[i].thread, NULL);
    }
    printf("us %ld kicks %ld moves %ld\n", end.us - half.us, end.kicks - half.kicks,
           end.moves - half.moves);
    return 0;
}
