// SPDX-License-Identifier: BSD-3-Clause
// heap.h: memory by the byte, for core and (as malloc) for the application.
//
// Per-CPU caches of size classes; no lock. Blocks of more than 1 MiB come from core/vm through
// heap_large, which is registered once vm is up; all others, and before that all, are in the direct
// map. Every block is aligned to 16. Small blocks: any CPU, any context. Large blocks: thread
// context.
#ifndef CORE_MEM_HEAP_H
#define CORE_MEM_HEAP_H

#include <stddef.h>

#include "hal/hal.h"

enum { HEAP_SMALL_MAX = 32768, HEAP_ALIGNMENT = 16 };

// After frame_init, on the boot CPU. cpu_count as in hal_boot.
void heap_init(uint32_t cpu_count);

// NULL: no memory. size 0 answers a block of the smallest class.
void *heap_alloc(size_t size);
void *heap_alloc_zeroed(size_t size);

// alignment is a power of two.
void *heap_alloc_aligned(size_t alignment, size_t size);

// The same, for a program's malloc, with interrupts on: a memory checker reports those that are
// lost. Before they answer NULL they call heap_program_exhausted, so that who sets errno there need
// not look at each answer. (It is set before the program runs.)
void *heap_program_alloc(size_t size);
void *heap_program_alloc_zeroed(size_t size);
void *heap_program_alloc_aligned(size_t alignment, size_t size);
void heap_program_free(void *block);
extern void (*heap_program_exhausted)(void);

// What a program did to its heap. size: of the block, where that is known. It does not return;
// until it is set, and for core's own blocks, these are failed assertions.
enum heap_mistake {
    HEAP_FREED_TWICE,
    HEAP_NO_BLOCK,    // freed, or asked about
    HEAP_OVERWRITTEN, // a freed block was written to; block is nonsense that was read there
};
extern void (*heap_program_broken)(enum heap_mistake mistake, const void *block, size_t size);

// NULL: no memory, and block is as it was. block NULL is heap_alloc. In place where the class or
// the mapping allows.
void *heap_realloc(void *block, size_t size);

void heap_free(void *block); // NULL is nothing

// Usable bytes of a block, at least what was asked for.
size_t heap_size(const void *block);

struct heap_large {
    char *(*map)(
        size_t size,
        size_t alignment); // zeroed pages, or NULL; alignment is a multiple of the page size
    void (*unmap)(char *va, size_t size);
    char *(*remap)(char *va, size_t old_size,
                   size_t new_size); // NULL: not possible; contents move along
};

void heap_large_register(const struct heap_large *large);

#endif
