// SPDX-License-Identifier: BSD-3-Clause
// random48.c: the family of drand48: x = (a x + c) mod 2^48, for the caller's state and a shared
// one.
//
// glibc's layout of the state, because the _r forms are handed it. The shared one is what
// drand48, srand48 and the others without _r mean.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/sync/mutex.h"

struct drand48_data { // glibc's
    uint16_t x[3], old_x[3];
    uint16_t c, is_set;
    uint64_t a;
};

_Static_assert(sizeof(struct drand48_data) == 24, "struct drand48_data");

static struct mutex guard;
static struct drand48_data shared; // guarded by guard

static void constants_set(struct drand48_data *data)
{
    data->a = 0x5deece66d;
    data->c = 0xb;
    data->is_set = 1;
}

// The next x, which is in state afterwards.
static uint64_t step(uint16_t state[3], struct drand48_data *data)
{
    if (data->is_set == 0) {
        constants_set(data);
    }
    uint64_t x = state[0] | (uint64_t)state[1] << 16 | (uint64_t)state[2] << 32;
    x = (x * data->a + data->c) & 0xffffffffffff;
    state[0] = (uint16_t)x;
    state[1] = (uint16_t)(x >> 16);
    state[2] = (uint16_t)(x >> 32);
    return x;
}

static uint64_t shared_step(uint16_t *state)
{
    mutex_lock(&guard);
    uint64_t x = step(state == NULL ? shared.x : state, &shared);
    mutex_unlock(&guard);
    return x;
}

static double fraction_of(uint64_t x)
{
    return (double)x / 281474976710656.0; // 2^48: exact
}

static long positive_of(uint64_t x)
{
    return (long)(x >> 17);
}

static long signed_of(uint64_t x)
{
    return (int32_t)(uint32_t)(x >> 16);
}

#define FAMILY(type, own, given, convert)                                                          \
    EXPORT(type, own, void)                                                                        \
    {                                                                                              \
        return convert(shared_step(NULL));                                                         \
    }                                                                                              \
    EXPORT(type, given, unsigned short state[3])                                                   \
    {                                                                                              \
        return convert(shared_step(state));                                                        \
    }                                                                                              \
    EXPORT(int, own##_r, struct drand48_data *data, type *result)                                  \
    {                                                                                              \
        *result = convert(step(data->x, data));                                                    \
        return 0;                                                                                  \
    }                                                                                              \
    EXPORT(int, given##_r, unsigned short state[3], struct drand48_data *data, type *result)       \
    {                                                                                              \
        *result = convert(step(state, data));                                                      \
        return 0;                                                                                  \
    }

FAMILY(double, drand48, erand48, fraction_of)
FAMILY(long, lrand48, nrand48, positive_of)
FAMILY(long, mrand48, jrand48, signed_of)

EXPORT(int, srand48_r, long seed, struct drand48_data *data)
{
    data->x[0] = 0x330e;
    data->x[1] = (uint16_t)seed;
    data->x[2] = (uint16_t)(seed >> 16);
    constants_set(data);
    return 0;
}

EXPORT(int, seed48_r, unsigned short seed[3], struct drand48_data *data)
{
    memcpy(data->old_x, data->x, sizeof data->x);
    memcpy(data->x, seed, sizeof data->x);
    constants_set(data);
    return 0;
}

EXPORT(int, lcong48_r, unsigned short values[7], struct drand48_data *data)
{
    memcpy(data->x, values, sizeof data->x);
    data->a = values[3] | (uint64_t)values[4] << 16 | (uint64_t)values[5] << 32;
    data->c = values[6];
    data->is_set = 1;
    return 0;
}

EXPORT(void, srand48, long seed)
{
    mutex_lock(&guard);
    glibc_srand48_r(seed, &shared);
    mutex_unlock(&guard);
}

EXPORT(unsigned short *, seed48, unsigned short seed[3])
{
    mutex_lock(&guard);
    glibc_seed48_r(seed, &shared);
    mutex_unlock(&guard);
    return shared.old_x;
}

EXPORT(void, lcong48, unsigned short values[7])
{
    mutex_lock(&guard);
    glibc_lcong48_r(values, &shared);
    mutex_unlock(&guard);
}
