// SPDX-License-Identifier: BSD-3-Clause
// slab_seed.c: see slab_seed.h.
#include "slab_seed.h"

#include <string.h>

#include "core/mem/slab.h"
#include "seed.h"

enum { OBJECT_COUNT = 64, OBJECT_SIZE = 256 };

static _Alignas(16) char objects[OBJECT_COUNT][OBJECT_SIZE];
static bool is_used[OBJECT_COUNT];
static unsigned taken;

void seed_slabs_reset(void)
{
    taken = 0;
    memset(is_used, 0, sizeof is_used);
}

unsigned seed_slabs_used(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < OBJECT_COUNT; ++i) {
        count += is_used[i];
    }
    return count;
}

void *slab_alloc(struct slab *slab)
{
    seed_check(taken < OBJECT_COUNT && slab->object_size <= OBJECT_SIZE, "too small");
    is_used[taken] = true;
    return objects[taken++];
}

void slab_free(struct slab *slab, void *object)
{
    (void)slab;
    size_t index = (size_t)((char *)object - objects[0]) / OBJECT_SIZE;
    seed_check(index < OBJECT_COUNT && is_used[index], "freed twice, or not from a slab");
    is_used[index] = false;
}
