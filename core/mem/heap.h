// SPDX-License-Identifier: BSD-3-Clause
// heap.h: memory by the byte, for core and (as malloc) for the application.
//
// Per-CPU caches of size classes; no lock. Blocks of more than 1 MiB come from core/vm through
// heap_large, which is registered once vm is up; all others, and before that all, are in the direct
// map. Every block is aligned to 16. Small blocks: any CPU, any context. Large blocks: thread
// context.
#ifndef CORE_MEM_HEAP_H
#define CORE_MEM_HEAP_H

#include <stdbool.h>
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
// lost. Before they answer NULL they call heap_program_exhausted, on a thread, so that who sets
// errno there need not look at each answer; true: some memory may be there now, and they try again.
// (It is set before the program runs.)
void *heap_program_alloc(size_t size);
void *heap_program_alloc_zeroed(size_t size);
void *heap_program_alloc_aligned(size_t alignment, size_t size);
void heap_program_free(void *block);
void *heap_program_realloc(void *block, size_t size); // block is one; tells nobody of NULL
size_t heap_program_size(const void *block);
extern bool (*heap_program_exhausted)(size_t size);

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

// What the heap has, core's blocks and the program's: a moment's figures, for people. Bytes.
struct heap_counts {
    size_t taken;              // from the machine, but for mappings in use
    size_t used;               // of that: blocks in use, as large as they are
    size_t free_count;         // blocks that are not
    size_t ready, ready_count; // small ones that CPUs have for themselves, which are among these
    size_t idle; // pages that belong to no block in use, and could be given back as they are
    size_t mapped, mapped_count;           // blocks in use that are mappings
    size_t mapped_most, mapped_count_most; // at any time
};
void heap_counts_get(struct heap_counts *counts);

// This CPU keeps nothing for itself any more. Interrupts are off. Answers how many bytes of frames
// it gave back.
size_t heap_flush(void);

// Gives back the pages in which no block is in use, but for what CPUs keep for themselves, and
// answers how many bytes. One caller at a time, in thread context.
size_t heap_trim(void);

// Unmaps the mappings that are kept for the next large block, and answers how many bytes. Thread
// context; takes locks of core/vm.
size_t heap_unmap(void);

// Who takes a program's blocks in hand, all of them, to find its mistakes with them. It makes them of
// core's blocks or of pages. Functions as above; alignment is a power of two, at least HEAP_ALIGNMENT.
struct heap_watcher {
    void *(*alloc)(size_t size, size_t alignment, bool zeroed);
    void (*free)(void *block);
    void *(*realloc)(void *block, size_t size);
    size_t (*size)(const void *block);
};

// Before the program's first block, and not where a memory checker watches. It stays.
void heap_watch(const struct heap_watcher *watcher);

// Calls visit for the memory that blocks in the direct map may lie in, in ascending order. Nobody
// allocates or frees meanwhile.
void heap_walk(void (*visit)(char *start, size_t size, void *argument), void *argument);

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
