// SPDX-License-Identifier: BSD-3-Clause
// mistakes.c: one function for each mistake with malloc; the argument names it.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

static volatile char sink;
static char *volatile made; // so that the compiler keeps what is written there

static APART char *make(size_t size)
{
    made = malloc(size);
    return made;
}

static APART void drop(void *block)
{
    free(block);
}

static APART void write_far_behind(void)
{
    char *block = make(16);
    block[20] = 1;
}

static APART void read_behind(void)
{
    char *block = make(4096);
    sink = block[4096];
}

static APART void write_behind(void)
{
    char *block = make(13);
    block[14] = 1;
    drop(block);
}

static APART void write_before(void)
{
    char *block = make(100);
    block[-3] = 1;
    drop(block);
}

static APART void write_before_exit(void)
{
    make(100)[-1] = 1;
}

static APART void copy_behind(void)
{
    char *block = make(32);
    static const char text[64] = "a text";
    memcpy(block, text, sizeof text);
}

static APART void write_freed(void)
{
    char *block = make(48);
    drop(block);
    block[7] = 1;
}

static APART void read_freed_large(void)
{
    char *block = make(3 << 20);
    drop(block);
    sink = block[1 << 20];
}

static APART void read_moved(void)
{
    char *block = make(48);
    char *moved = realloc(block, 4000);
    sink = block[5];
    drop(moved);
}

static APART void free_twice(void)
{
    char *block = make(24);
    drop(block);
    drop(block);
}

static APART void free_inside(void)
{
    drop(make(240) + 32);
}

static APART void free_local(void)
{
    char local[64] = {0};
    char *volatile block = local;
    drop(block);
}

static APART void ask_freed(void)
{
    char *block = make(24);
    drop(block);
    sink = (char)malloc_usable_size(block);
}

// More blocks than have pages of their own, so that the last ones have none.
static APART char *make_many(void)
{
    char *last = NULL;
    for (int i = 0; i < 20000; ++i) {
        last = make(40);
        memset(last, 0, 40);
    }
    return last;
}

static APART void write_behind_many(void)
{
    char *block = make_many();
    block[41] = 1;
    drop(block);
}

static APART void write_freed_many(void)
{
    char *block = make_many();
    drop(block);
    block[3] = 1;
    for (int i = 0; i < 5000; ++i) {
        drop(make(40));
    }
}

// All that is allowed.
static APART void none(void)
{
    char *blocks[300] = {0};
    unsigned random = 1;
    for (int i = 0; i < 20000; ++i) {
        random = random * 1103515245 + 12345;
        char **block = &blocks[random / 65536 % 300];
        size_t size = random % 7 == 0 ? random / 512 % 100000 : random / 512 % 300;
        if (*block == NULL) {
            *block = random % 5 == 0 ? memalign(256, size) : calloc(1, size);
        } else if (random % 3 == 0) {
            *block = realloc(*block, size + 1);
        } else {
            drop(*block);
            *block = NULL;
            continue;
        }
        memset(*block, 5, malloc_usable_size(*block));
    }
    for (int i = 0; i < 300; ++i) {
        free(blocks[i]);
    }
}

static const struct {
    const char *name;
    void (*make)(void);
} mistakes[] = {
    {"write_far_behind", write_far_behind},
    {"read_behind", read_behind},
    {"write_behind", write_behind},
    {"write_before", write_before},
    {"write_before_exit", write_before_exit},
    {"copy_behind", copy_behind},
    {"write_freed", write_freed},
    {"read_freed_large", read_freed_large},
    {"read_moved", read_moved},
    {"free_twice", free_twice},
    {"free_inside", free_inside},
    {"free_local", free_local},
    {"ask_freed", ask_freed},
    {"write_behind_many", write_behind_many},
    {"write_freed_many", write_freed_many},
    {"none", none},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof mistakes / sizeof mistakes[0]; ++i) {
        if (strcmp(argv[1], mistakes[i].name) == 0) {
            mistakes[i].make();
        }
    }
    puts("done");
    return 0;
}
