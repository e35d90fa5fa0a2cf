// SPDX-License-Identifier: BSD-3-Clause
// racers.c: two threads that share words in the way that the argument names; some ways are a data race.
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct way {
    const char *name;
    void (*first)(void), (*second)(void);
};

static int word;
static unsigned char bytes[2];
static _Atomic int ready, met;
static int *_Atomic block;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;

static void plain(void)
{
    ++word;
}

static void locked(void)
{
    pthread_mutex_lock(&mutex);
    ++word;
    pthread_mutex_unlock(&mutex);
}

static void byte_first(void)
{
    ++bytes[0];
}

static void byte_second(void)
{
    ++bytes[1];
}

static void publish(void)
{
    word = 1;
    atomic_store_explicit(&ready, 1, memory_order_release);
}

static void publish_relaxed(void)
{
    word = 1;
    atomic_store_explicit(&ready, 1, memory_order_relaxed);
}

static void look(void)
{
    while (atomic_load_explicit(&ready, memory_order_acquire) == 0) {
    }
    ++word;
}

static void block_give(void)
{
    int *mine = malloc(sizeof *mine);
    *mine = 1;
    atomic_store_explicit(&block, mine, memory_order_release);
}

static void block_take(void)
{
    free(atomic_exchange_explicit(&block, NULL, memory_order_acquire));
    int *mine = malloc(sizeof *mine); // perhaps the same memory
    *mine = 2;
    free(mine);
}

static void post(void)
{
    word = 1;
    sem_post(&semaphore);
}

static void await(void)
{
    sem_wait(&semaphore);
    ++word;
}

static const struct way ways[] = {
    {"plain", plain, plain},
    {"locked", locked, locked},
    {"half-locked", locked, plain},
    {"bytes", byte_first, byte_second},
    {"published", publish, look},
    {"published-relaxed", publish_relaxed, look},
    {"block", block_give, block_take},
    {"semaphore", post, await},
};

// Both are there: what one did at its start or end orders nothing.
static void meet(void)
{
    atomic_fetch_add_explicit(&met, 1, memory_order_relaxed);
    while (atomic_load_explicit(&met, memory_order_relaxed) < 2) {
    }
}

static void *run(void *argument)
{
    meet();
    ((const struct way *)argument)->first();
    return NULL;
}

static void *run_second(void *argument)
{
    meet();
    ((const struct way *)argument)->second();
    return NULL;
}

int main(int argc, char **argv)
{
    const struct way *way = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof ways[0]; ++i) {
        way = strcmp(argv[1], ways[i].name) == 0 ? &ways[i] : way;
    }
    if (way == NULL) {
        return 2;
    }
    pthread_t threads[2];
    sem_init(&semaphore, 0, 0);
    pthread_create(&threads[0], NULL, run, (void *)way);
    pthread_create(&threads[1], NULL, run_second, (void *)way);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    puts("done");
    return 0;
}
