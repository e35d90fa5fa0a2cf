// SPDX-License-Identifier: BSD-3-Clause
// leaks.c: blocks that are lost, and blocks that are not, each made by a function of its own name.
//
//     leaks [exit | _exit | killed | died | computing]     how it ends, or with what going on
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))

struct item {
    struct item *next;
    char text[40];
};

static struct item *volatile list;
static char *volatile inside;
static char **volatile table;
static __thread char *volatile own;
static pthread_barrier_t barrier;
static pthread_key_t key;

static APART void lose(void)
{
    char *volatile block = malloc(333);
    block[0] = 1;
    block = NULL;
}

static APART void lose_list(void)
{
    struct item *volatile head = NULL;
    for (int i = 0; i < 5; ++i) {
        struct item *volatile item = calloc(1, sizeof *item);
        item->next = head;
        head = item;
        item = NULL;
    }
    head = NULL;
}

static APART void lose_large(void)
{
    char *volatile block = malloc(3 << 20);
    memset(block, 1, 3 << 20);
    block = NULL;
}

static APART void keep_list(void)
{
    for (int i = 0; i < 4; ++i) {
        struct item *item = malloc(sizeof *item);
        item->next = list;
        list = item;
    }
}

static APART void keep_inside(void)
{
    inside = (char *)malloc(1000) + 10;
}

// Only another block, of more than a page and aligned, leads to it.
static APART void keep_in_table(void)
{
    table = aligned_alloc(64, 9000 / 64 * 64);
    memset(table, 0, 9000 / 64 * 64);
    table[700] = realloc(malloc(10), 444);
}

static APART void keep_variable(void)
{
    own = malloc(55);
}

static APART void keep_key(void)
{
    pthread_key_create(&key, NULL);
    pthread_setspecific(key, malloc(66));
}

static void nothing(int status, void *argument)
{
    (void)status;
    (void)argument;
}

static APART void keep_argument(void)
{
    on_exit(nothing, malloc(88));
}

static APART void free_all(void)
{
    for (int i = 0; i < 2000; ++i) {
        char *volatile block = malloc((size_t)i);
        block = realloc(block, (size_t)i * 3 + 1);
        free(block);
    }
}

// In its stack alone, while it waits.
static APART void *wait_with_block(void *unused)
{
    (void)unused;
    char *volatile mine = malloc(77);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    mine[0] = 1;
    return NULL;
}

static APART void *compute_with_block(void *unused)
{
    (void)unused;
    char *volatile mine = malloc(70);
    mine[0] = 0;
    pthread_barrier_wait(&barrier);
    for (;;) {
        mine[0]++;
    }
    return NULL;
}

static APART void *end_without_block(void *unused)
{
    (void)unused;
    char *volatile mine = malloc(99);
    mine[0] = 1;
    return NULL;
}

static void threads_run(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, end_without_block, NULL);
    pthread_join(thread, NULL);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, wait_with_block, NULL);
    pthread_barrier_wait(&barrier);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "return";
    lose();
    lose_list();
    lose_large();
    keep_list();
    keep_inside();
    keep_in_table();
    keep_variable();
    keep_key();
    keep_argument();
    free_all();
    threads_run();
    if (strcmp(how, "computing") == 0) {
        pthread_t thread;
        pthread_barrier_init(&barrier, NULL, 2);
        pthread_create(&thread, NULL, compute_with_block, NULL);
        pthread_barrier_wait(&barrier);
    } else if (strcmp(how, "exit") == 0) {
        exit(3);
    } else if (strcmp(how, "_exit") == 0) {
        _exit(4);
    } else if (strcmp(how, "killed") == 0) {
        kill(getpid(), SIGTERM);
        pause();
    } else if (strcmp(how, "died") == 0) {
        abort();
    }
    return 5;
}
