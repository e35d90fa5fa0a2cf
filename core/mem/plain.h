// SPDX-License-Identifier: BSD-3-Clause
// plain.h: blocks of the heap that no checker is told of: what slabs are made of, which keep their
// objects for ever, and what checked.c makes checked blocks of.
#ifndef CORE_MEM_PLAIN_H
#define CORE_MEM_PLAIN_H

#include <stddef.h>

// As heap_alloc, heap_alloc_zeroed, heap_free and heap_size. Not for blocks of those.
void *plain_alloc(size_t size);
void *plain_alloc_zeroed(size_t size);
void plain_free(void *block);
size_t plain_size(const void *block);

#endif
