// SPDX-License-Identifier: BSD-3-Clause
// slab.h: caches of equal objects. An object's memory stays an object of its cache for ever
// (type-stable), so a late reader of a freed object reads an object. Any context.
#ifndef CORE_MEM_SLAB_H
#define CORE_MEM_SLAB_H

#include <stddef.h>

#include "core/mem/stack.h"

// Any number of CPUs may use one cache. All-zero but for object_size is ready.
struct slab {
    size_t object_size; // bytes, a multiple of 16, less than HEAP_SMALL_MAX
    struct stack free;
};

void *slab_alloc(struct slab *slab); // contents: as freed, or zero the first time. NULL: no memory
void slab_free(struct slab *slab, void *object);

#endif
