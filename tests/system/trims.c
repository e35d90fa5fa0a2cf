// SPDX-License-Identifier: BSD-3-Clause
// trims.c: what malloc tells of itself is true, and what is free goes back.
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 60000, SIZE = 200, MIB = 1 << 20, NEAR = MIB };

static void *blocks[BLOCKS];

static void claim(const char *what, int is_so)
{
    printf("%s: %s\n", what, is_so ? "yes" : "no");
    fflush(stdout);
}

static int is_near(size_t one, size_t two)
{
    return one > two ? one - two < NEAR : two - one < NEAR;
}

// Every second one by another thread, which other CPUs run.
static void *fill_half(void *from)
{
    for (size_t i = (size_t)from; i < BLOCKS; i += 2) {
        blocks[i] = malloc(SIZE);
        if (blocks[i] == NULL) {
            exit(3);
        }
        memset(blocks[i], 1, SIZE);
    }
    return NULL;
}

// Of both kinds.
static void *free_half(void *from)
{
    for (size_t i = (size_t)from; i < BLOCKS; i += 3) {
        free(blocks[i]);
    }
    return NULL;
}

static void in_threads(void *(*run)(void *), size_t count)
{
    pthread_t threads[3];
    for (size_t i = 0; i < count; ++i) {
        if (pthread_create(&threads[i], NULL, run, (void *)i) != 0) {
            exit(3);
        }
    }
    for (size_t i = 0; i < count; ++i) {
        pthread_join(threads[i], NULL);
    }
}

static size_t resident(void)
{
    size_t size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%zu %zu", &size, &pages) != 2) {
        exit(3);
    }
    fclose(file);
    return pages * 4096;
}

static void small_blocks(void)
{
    (void)malloc_trim(0);
    struct mallinfo2 before = mallinfo2();
    size_t resident_before = resident();
    in_threads(fill_half, 2);
    struct mallinfo2 during = mallinfo2();
    size_t used = during.uordblks - before.uordblks;
    claim("in use: as much as was allocated",
          used >= (size_t)BLOCKS * SIZE && used < (size_t)BLOCKS * SIZE * 6 / 5);
    claim("in use and free: all of it", during.uordblks + during.fordblks == during.arena);
    claim("resident", resident() - resident_before > (size_t)BLOCKS * SIZE - NEAR);
    in_threads(free_half, 3);
    struct mallinfo2 after = mallinfo2();
    claim("in use again: as before", is_near(after.uordblks, before.uordblks));
    claim("malloc_trim gave back", malloc_trim(0) == 1);
    claim("and it is no more resident", resident() < resident_before + (size_t)BLOCKS * SIZE / 4);
}

static void large_blocks(void)
{
    struct mallinfo2 before = mallinfo2();
    char *volatile block = malloc(40 * MIB);
    block[0] = 1;
    struct mallinfo2 during = mallinfo2();
    printf("mappings: %zu more\n", during.hblks - before.hblks);
    claim("of its size", is_near(during.hblkhd - before.hblkhd, 40 * MIB));
    free(block);
    struct mallinfo2 after = mallinfo2();
    printf("mappings: %zu more\n", after.hblks - before.hblks);
    claim("none of its size", after.hblkhd == before.hblkhd);
}

static void options(void)
{
    static const int values[] = {0, 160, 161, -1};
    for (size_t i = 0; i < sizeof values / sizeof *values; ++i) {
        printf("M_MXFAST %d: %d\n", values[i], mallopt(M_MXFAST, values[i]));
    }
    printf("M_ARENA_MAX: %d\n", mallopt(M_ARENA_MAX, 1));
    printf("M_MMAP_MAX: %d\n", mallopt(M_MMAP_MAX, 65536));
}

// The lines of a text, without its numbers and what they are padded with.
static void text_show(char *text)
{
    for (char *c = text; *c != 0; ++c) {
        if ((*c < '0' || *c > '9') && (*c != ' ' || c[1] != ' ')) {
            putchar(*c);
        }
    }
    fflush(stdout);
}

static void texts(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        exit(3);
    }
    printf("malloc_info(1): %d\n", malloc_info(1, stream));
    printf("malloc_info(0): %d\n", malloc_info(0, stream));
    fclose(stream);
    char *sizes = strstr(text, "<sizes>"), *sizes_end = strstr(text, "</sizes>");
    memmove(sizes + strlen("<sizes>\n"), sizes_end, strlen(sizes_end) + 1);
    text_show(strstr(sizes, "<total"));
    free(text);
}

// On standard error.
static void stats(void)
{
    static char text[1000];
    int ends[2], before = dup(2);
    fflush(stdout);
    if (before < 0 || pipe(ends) != 0 || dup2(ends[1], 2) != 2) {
        exit(3);
    }
    malloc_stats();
    dup2(before, 2);
    if (read(ends[0], text, sizeof text - 1) < 0) {
        exit(3);
    }
    text_show(text);
}

int main(void)
{
    options();
    small_blocks();
    large_blocks();
    texts();
    stats();
    claim("usable", malloc_usable_size(blocks[0] = malloc(1000)) >= 1000);
    printf("usable of none: %zu\n", malloc_usable_size(NULL));
    return 0;
}
