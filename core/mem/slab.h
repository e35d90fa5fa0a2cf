// SPDX-License-Identifier: BSD-3-Clause
// slab.h: caches of equal objects. An object's memory stays an object of its cache for ever (type-stable), so a late reader
// of a freed object reads an object.
#ifndef CORE_MEM_SLAB_H
#define CORE_MEM_SLAB_H

#include <stddef.h>

#include "hal/hal.h"

struct slab_free;

// Any number of CPUs may use one cache. All-zero but for object_size is ready.
struct slab {
    size_t object_size;                 // bytes, a multiple of 16
    _Atomic(struct slab_free *) free;   // pushed by anyone with interrupts off, popped with a version tag or all at once
    void *state[6];                     // slab.c's
};

void *slab_alloc(struct slab *slab); // contents: as freed, or zero the first time. NULL: no memory
void slab_free(struct slab *slab, void *object);

#endif
