// SPDX-License-Identifier: BSD-3-Clause
// vector.c: argz and envz, trees, the generators of drand48.
#include <argz.h>
#include <envz.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "same.h"

static void vector_show(const char *vector, size_t size)
{
    printf("%zu:", size);
    for (size_t i = 0; i < size; ++i) {
        putchar(vector[i] == 0 ? '|' : vector[i]);
    }
    puts(vector == NULL ? " none" : "");
}

static void separated(void)
{
    static const char *const texts[] = {"", ":", "a", "a:b", "a::b", ":a", "a:", "::a::b::", ":::"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        char *vector;
        size_t size;
        NUMBER(argz_create_sep(texts[i], ':', &vector, &size));
        vector_show(vector, size);
        NUMBER(argz_count(vector, size));
        NUMBER(argz_add_sep(&vector, &size, texts[8 - i], ':'));
        vector_show(vector, size);
        char *list[20];
        argz_extract(vector, size, list);
        argz_stringify(vector, size, ',');
        vector_show(vector, size);
        free(vector);
    }
}

static void edited(void)
{
    char *const texts[] = {"one", "two", "", "three", NULL}, *const none[] = {NULL};
    char *vector;
    size_t size;
    unsigned count = 3;
    NUMBER(argz_create(none, &vector, &size));
    vector_show(vector, size);
    NUMBER(argz_create(texts, &vector, &size));
    vector_show(vector, size);
    NUMBER(argz_insert(&vector, &size, vector + 5, "in"));
    vector_show(vector, size);
    NUMBER(argz_insert(&vector, &size, vector, "first"));
    NUMBER(argz_insert(&vector, &size, NULL, "last"));
    NUMBER(argz_insert(&vector, &size, vector + size, "bad"));
    vector_show(vector, size);
    NUMBER(argz_replace(&vector, &size, "t", "TT", &count));
    NUMBER(argz_replace(&vector, &size, "", "x", &count));
    NUMBER(argz_replace(&vector, &size, "none", "x", &count));
    vector_show(vector, size);
    NUMBER(count);
    for (char *entry = NULL; (entry = argz_next(vector, size, entry)) != NULL;) {
        TEXT(entry);
    }
    while (vector != NULL) {
        argz_delete(&vector, &size, vector);
        vector_show(vector, size);
    }
}

static void environment(void)
{
    char *vector = NULL, *other = NULL;
    size_t size = 0, other_size = 0;
    NUMBER(envz_add(&vector, &size, "NAME", "value"));
    NUMBER(envz_add(&vector, &size, "EMPTY", ""));
    NUMBER(envz_add(&vector, &size, "NULL", NULL));
    NUMBER(envz_add(&vector, &size, "NAM", "shorter"));
    vector_show(vector, size);
    TEXT(envz_get(vector, size, "NAME"));
    TEXT(envz_get(vector, size, "EMPTY"));
    TEXT(envz_get(vector, size, "NULL"));
    TEXT(envz_get(vector, size, "N"));
    TEXT(envz_entry(vector, size, "NULL"));
    TEXT(envz_entry(vector, size, "NAME=x"));
    NUMBER(argz_create_sep("NAME=other:NEW=1:EMPTY", ':', &other, &other_size));
    NUMBER(envz_merge(&vector, &size, other, other_size, 0));
    vector_show(vector, size);
    NUMBER(envz_merge(&vector, &size, other, other_size, 1));
    vector_show(vector, size);
    envz_strip(&vector, &size);
    vector_show(vector, size);
    envz_remove(&vector, &size, "NEW");
    envz_remove(&vector, &size, "NONE");
    NUMBER(envz_add(&vector, &size, "NAM", NULL));
    vector_show(vector, size);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void node_show(const void *node, VISIT visit, int depth)
{
    printf("%s %d %d;", *(char *const *)node, visit, depth);
}

static void node_show_r(const void *node, VISIT visit, void *argument)
{
    printf("%s %d %s;", *(char *const *)node, visit, (char *)argument);
}

static void trees(void)
{
    static char names[100][8];
    void *root = NULL;
    unsigned seed = 5;
    for (int i = 0; i < 100; ++i) {
        snprintf(names[i], sizeof names[i], "%03d", (i * 37 + i / 3) % 101);
        char *const *node = tsearch(names[i], &root, compare);
        TEXT(*node);
        if (i % 10 == 9) {
            twalk(root, node_show);
            puts("");
        }
    }
    twalk_r(root, node_show_r, "argument");
    NUMBER(tfind("nothing", &root, compare) == NULL);
    NUMBER(tdelete("nothing", &root, compare) == NULL);
    for (int i = 0; i < 90; ++i) {
        const char *key = names[(i * 61) % 100];
        char *const *parent = tdelete(key, &root, compare);
        printf("%s %s\n", key, parent == NULL ? "NULL" : "there");
        twalk(root, node_show);
        puts("");
    }
    tdestroy(root, (void (*)(void *))puts);
    tdestroy(NULL, (void (*)(void *))puts);
}

static void random48(void)
{
    unsigned short state[3] = {1, 2, 3}, constants[7] = {1, 2, 3, 4, 5, 6, 7};
    struct drand48_data data;
    double real;
    long whole;
    printf("%.17g %ld %ld\n", drand48(), lrand48(), mrand48());
    printf("%.17g %ld %ld\n", erand48(state), nrand48(state), jrand48(state));
    srand48(-5);
    printf("%.17g %ld %ld\n", drand48(), lrand48(), mrand48());
    unsigned short *old = seed48(state);
    printf("%d %d %d\n", old[0], old[1], old[2]);
    printf("%.17g %ld %ld\n", drand48(), lrand48(), mrand48());
    lcong48(constants);
    for (int i = 0; i < 5; ++i) {
        printf("%.17g %ld %ld\n", drand48(), lrand48(), mrand48());
        printf("%.17g %ld %ld\n", erand48(state), nrand48(state), jrand48(state));
    }
    memset(&data, 0, sizeof data);
    NUMBER(drand48_r(&data, &real));
    SHOW("%.17g", real);
    NUMBER(srand48_r(12345678901, &data));
    NUMBER(lrand48_r(&data, &whole));
    NUMBER(whole);
    NUMBER(mrand48_r(&data, &whole));
    NUMBER(whole);
    NUMBER(seed48_r(state, &data));
    NUMBER(erand48_r(state, &data, &real));
    SHOW("%.17g", real);
    NUMBER(lcong48_r(constants, &data));
    NUMBER(nrand48_r(state, &data, &whole));
    NUMBER(whole);
    NUMBER(jrand48_r(state, &data, &whole));
    NUMBER(whole);
}

void vector_section(void)
{
    separated();
    edited();
    environment();
    trees();
    random48();
    NUMBER(wcschrnul(L"abc", L'b') - L"abc" == 1);
    NUMBER(*wcschrnul(L"abc", L'x'));
}
