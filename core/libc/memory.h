// SPDX-License-Identifier: BSD-3-Clause
// memory.h: malloc for the C library itself: the program's where it has one, else ours.
#ifndef CORE_LIBC_MEMORY_H
#define CORE_LIBC_MEMORY_H

#include <stddef.h>

void *libc_malloc(size_t size);
void *libc_calloc(size_t count, size_t size);
void *libc_realloc(void *block, size_t size);
void libc_free(void *block);

// After the program is loaded: from here on its malloc, if it defines the family, serves the C
// library too.
void libc_malloc_choose(void);

#endif
