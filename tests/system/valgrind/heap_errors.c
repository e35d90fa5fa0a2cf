// SPDX-License-Identifier: BSD-3-Clause
// heap_errors.c: one function for each mistake with malloc, named by it. Valgrind finds the same on
// Linux and on osv-sim.
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile char sink;
static char *volatile lost;

static void write_past(void)
{
    char *block = malloc(10);
    block[10] = 1;
    free(block);
}

static void read_past(void)
{
    int *block = calloc(10, sizeof *block);
    sink = (char)block[11];
    free(block);
}

static void read_before(void)
{
    char *block = malloc(100);
    sink = block[-3];
    free(block);
}

static void read_freed(void)
{
    long *block = calloc(5, sizeof *block);
    free(block);
    sink = (char)block[3];
}

static void write_moved(void)
{
    char *block = malloc(50);
    char *moved = realloc(block, 60);
    block[4] = 1;
    free(moved);
}

static void free_twice(void)
{
    char *block = malloc(24);
    free(block);
    free(block);
}

static void free_inside(void)
{
    char *block = malloc(240);
    free(block + 32);
    free(block);
}

static void free_local(void)
{
    char local[64] = {0};
    char *volatile block = local;
    free(block);
}

static void decide_by_garbage(void)
{
    char *block = malloc(16);
    if (block[5] == 7) {
        sink = 1;
    }
    free(block);
}

static void string_without_end(void)
{
    char *text = malloc(8);
    memset(text, 'x', 8);
    sink = (char)strlen(text);
    free(text);
}

static void compare_too_much(void)
{
    char *text = malloc(3);
    memcpy(text, "abc", 3);
    sink = (char)strcmp(text, "abcdef");
    free(text);
}

static void write_past_aligned(void)
{
    char *block = memalign(4096, 33);
    block[34] = 1;
    free(block);
}

static void write_past_large(void)
{
    char *block = malloc(3 << 20);
    block[3 << 20] = 1;
    free(block);
}

static void *thread_reads_past(void *block)
{
    sink = ((char *)block)[20];
    return NULL;
}

static void another_thread(void)
{
    char *block = calloc(1, 20);
    pthread_t thread;
    pthread_create(&thread, NULL, thread_reads_past, block);
    pthread_join(thread, NULL);
    free(block);
}

static void lose(void)
{
    lost = malloc(333);
    lost[0] = 1;
    lost = NULL;
}

int main(void)
{
    write_past();
    read_past();
    read_before();
    read_freed();
    write_moved();
    free_twice();
    free_inside();
    free_local();
    decide_by_garbage();
    string_without_end();
    compare_too_much();
    write_past_aligned();
    write_past_large();
    another_thread();
    lose();
    puts("done");
    return 0;
}
