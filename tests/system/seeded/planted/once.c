// SPDX-License-Identifier: BSD-3-Clause
// once.c: whoever comes first makes the table, checked again under a mutex. Planted: others can see
// it before it is filled.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/system/seeded/planted/planted.h"

enum { ENTRIES = 4 };

struct table {
    int squares[ENTRIES];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct table *) shared;

static struct table *table_make(void)
{
    struct table *table = calloc(1, sizeof *table);
    if (is_planted) {
        shared = table;
    }
    for (int i = 0; i < ENTRIES; ++i) {
        table->squares[i] = (i + 1) * (i + 1);
    }
    shared = table;
    return table;
}

static struct table *table_get(void)
{
    struct table *table = shared;
    if (table != NULL) {
        return table;
    }
    pthread_mutex_lock(&mutex);
    table = shared;
    if (table == NULL) {
        table = table_make();
    }
    pthread_mutex_unlock(&mutex);
    return table;
}

static void use(void)
{
    const struct table *table = table_get();
    check(table->squares[ENTRIES - 1] == ENTRIES * ENTRIES, "the table is filled");
}

void play_round(void)
{
    run_beside(use, use);
    free(shared);
    shared = NULL;
}
