// SPDX-License-Identifier: BSD-3-Clause
// large.h: blocks of more than HEAP_SMALL_MAX bytes, or of large alignment; for heap.c.
#ifndef CORE_MEM_LARGE_H
#define CORE_MEM_LARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_large;

void large_init(uint32_t cpu_count); // after unit_init
void large_register(const struct heap_large *large);

void *large_alloc(size_t size, size_t alignment, bool zeroed); // NULL: no memory
void large_free(void *block);
size_t large_size(const void *block);
void *large_realloc(void *block, size_t size); // NULL: not without copying; nothing has changed

#endif
