// SPDX-License-Identifier: BSD-3-Clause
// random.c: rand and random with the sequences of glibc: an additive feedback generator, r[i] =
// r[i-3] + r[i-31] for the default state, a linear congruential one for the smallest.
//
// A state of n words (31, 63, 15, 7) is preceded by one that says its kind and where the rear
// pointer stands, so that setstate can go on where it was.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/libc/export.h"
#include "core/sync/mutex.h"

enum { KIND_COUNT = 5, KIND_DEFAULT = 3, DEGREE_DEFAULT = 31 };

static const int degrees[KIND_COUNT] = {0, 7, 15, 31, 63};
static const int separations[KIND_COUNT] = {0, 3, 1, 3, 1};
static const size_t sizes[KIND_COUNT] = {8, 32, 64, 128, 256};

struct random_data { // glibc's
    int32_t *front, *rear, *state;
    int kind, degree, separation;
    int32_t *end;
};

static int32_t default_table[DEGREE_DEFAULT + 1];
static struct mutex random_mutex;
static struct random_data shared; // guarded by random_mutex

EXPORT(int, random_r, struct random_data *data, int32_t *result)
{
    if (data == NULL || result == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (data->kind == 0) {
        uint32_t value = ((uint32_t)data->state[0] * 1103515245u + 12345u) & 0x7fffffff;
        data->state[0] = (int32_t)value;
        *result = (int32_t)value;
        return 0;
    }
    uint32_t sum = (uint32_t)*data->front + (uint32_t)*data->rear;
    *data->front = (int32_t)sum;
    *result = (int32_t)(sum >> 1);
    data->front = data->front + 1 == data->end ? data->state : data->front + 1;
    data->rear = data->rear + 1 == data->end ? data->state : data->rear + 1;
    return 0;
}

EXPORT(int, srandom_r, unsigned seed, struct random_data *data)
{
    if (data == NULL || (unsigned)data->kind >= KIND_COUNT) {
        return -1;
    }
    int32_t word = seed == 0 ? 1 : (int32_t)seed;
    data->state[0] = word;
    if (data->kind == 0) {
        return 0;
    }
    for (int i = 1; i < data->degree; ++i) {
        // 16807 * word mod 2^31 - 1, without overflow
        int32_t high = word / 127773;
        int32_t low = word % 127773;
        word = 16807 * low - 2836 * high;
        word += word < 0 ? 2147483647 : 0;
        data->state[i] = word;
    }
    data->front = data->state + data->separation;
    data->rear = data->state;
    for (int i = 0; i < 10 * data->degree; ++i) {
        int32_t unused;
        glibc_random_r(data, &unused);
    }
    return 0;
}

static void position_save(struct random_data *data)
{
    if (data->state != NULL) {
        data->state[-1] =
            data->kind == 0 ? 0 : (int32_t)(KIND_COUNT * (data->rear - data->state) + data->kind);
    }
}

static void kind_set(struct random_data *data, int kind, int32_t *state)
{
    data->kind = kind;
    data->degree = degrees[kind];
    data->separation = separations[kind];
    data->state = state;
    data->end = state + data->degree;
}

EXPORT(int, initstate_r, unsigned seed, char *table, size_t size, struct random_data *data)
{
    if (data == NULL || size < sizes[0]) {
        errno = EINVAL;
        return -1;
    }
    position_save(data);
    int kind = KIND_COUNT - 1;
    while (size < sizes[kind]) {
        --kind;
    }
    kind_set(data, kind, (int32_t *)table + 1);
    glibc_srandom_r(seed, data);
    position_save(data);
    return 0;
}

EXPORT(int, setstate_r, char *table, struct random_data *data)
{
    int32_t *state = (int32_t *)table + 1;
    if (data == NULL || table == NULL || state[-1] < 0) {
        errno = EINVAL;
        return -1;
    }
    position_save(data);
    int kind = state[-1] % KIND_COUNT;
    kind_set(data, kind, state);
    if (kind != 0) {
        int rear = state[-1] / KIND_COUNT;
        data->rear = state + rear;
        data->front = state + (rear + data->separation) % data->degree;
    }
    return 0;
}

static void shared_prepare(void)
{
    if (shared.state == NULL) {
        kind_set(&shared, KIND_DEFAULT, default_table + 1);
        glibc_srandom_r(1, &shared);
        position_save(&shared);
    }
}

EXPORT(long, random, void)
{
    int32_t result;
    mutex_lock(&random_mutex);
    shared_prepare();
    glibc_random_r(&shared, &result);
    mutex_unlock(&random_mutex);
    return result;
}

EXPORT(void, srandom, unsigned seed)
{
    mutex_lock(&random_mutex);
    shared_prepare();
    glibc_srandom_r(seed, &shared);
    mutex_unlock(&random_mutex);
}

EXPORT(char *, initstate, unsigned seed, char *table, size_t size)
{
    mutex_lock(&random_mutex);
    shared_prepare();
    char *old = (char *)(shared.state - 1);
    int error = glibc_initstate_r(seed, table, size, &shared);
    mutex_unlock(&random_mutex);
    return error == 0 ? old : NULL;
}

EXPORT(char *, setstate, char *table)
{
    mutex_lock(&random_mutex);
    shared_prepare();
    char *old = (char *)(shared.state - 1);
    int error = glibc_setstate_r(table, &shared);
    mutex_unlock(&random_mutex);
    return error == 0 ? old : NULL;
}

EXPORT(int, rand, void)
{
    return (int)glibc_random();
}

EXPORT(void, srand, unsigned seed)
{
    glibc_srandom(seed);
}

EXPORT(int, rand_r, unsigned *seed)
{
    uint32_t next = *seed;
    uint32_t result = 0;
    const int bits[3] = {11, 10, 10};
    const uint32_t masks[3] = {2047, 1023, 1023};
    for (int i = 0; i < 3; ++i) {
        next = next * 1103515245u + 12345u;
        result = result << (i == 0 ? 0 : bits[i]) | ((next >> 16) & masks[i]);
    }
    *seed = next;
    return (int)result;
}
