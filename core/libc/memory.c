// SPDX-License-Identifier: BSD-3-Clause
// memory.c: the malloc family over core/mem/heap, with glibc's error rules.
//
// A program that brings its own malloc (or a library such as jemalloc that comes before libc in its
// scope) frees what getline, strdup and the like have allocated: so musl allocates with whatever
// symbol look-up finds. Invariant: `chosen` names functions of one allocator, and changes once,
// before the program's first instruction.
#include "core/libc/memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "core/elf/program.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/libc/export.h"
#include "core/libc/libc.h"
#include "core/libc/message.h"
#include "core/linux/syscall.h"
#include "core/mem/heap.h"
#include "core/sync/shrinker.h"

enum { MINIMUM_ALIGNMENT = 16, PAGE = HAL_PAGE_SIZE };

// False: nothing has been given back.
static bool memory_exhausted(size_t size)
{
    if (shrinker_retry(size)) {
        return true;
    }
    errno = ENOMEM;
    return false;
}

static void memory_broken(enum heap_mistake mistake, const void *block, size_t size)
{
    char line[128];
    switch (mistake) {
    case HEAP_FREED_TWICE:
        format(line, sizeof line, "free(): %p, a block of %zu bytes, was freed before\n", block,
               size);
        break;
    case HEAP_NO_BLOCK:
        format(line, sizeof line, "free(): %p is not a block of malloc, or was freed before\n",
               block);
        break;
    case HEAP_OVERWRITTEN:
        format(line, sizeof line, "malloc(): a block of %zu bytes was written to after its free\n",
               size);
        break;
    }
    libc_fatal(line);
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

EXPORT(void *, malloc, size_t size)
{
    return heap_program_alloc(size);
}

EXPORT(void, free, void *block)
{
    heap_program_free(block);
}

EXPORT(void, cfree, void *block)
{
    heap_program_free(block);
}

EXPORT(void *, calloc, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return out_of_memory();
    }
    return heap_program_alloc_zeroed(total);
}

EXPORT(void *, realloc, void *block, size_t size)
{
    if (size == 0 && block != NULL) {
        heap_program_free(block);
        return NULL;
    }
    if (block == NULL) {
        return heap_program_alloc(size);
    }
    void *moved = heap_program_realloc(block, size);
    while (moved == NULL && memory_exhausted(size)) {
        moved = heap_program_realloc(block, size);
    }
    return moved;
}

EXPORT(void *, reallocarray, void *block, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return out_of_memory();
    }
    return glibc_realloc(block, total);
}

// musl refuses both, for its malloc's sake. glibc's brk(2) wrapper compares what the kernel
// answers.
EXPORT(int, brk, void *end)
{
    if ((void *)linux_dispatch(SYS_brk, (long)end, 0, 0, 0, 0, 0) != end) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

EXPORT(void *, sbrk, intptr_t increment)
{
    char *old = (char *)linux_dispatch(SYS_brk, 0, 0, 0, 0, 0, 0);
    return increment == 0 || glibc_brk(old + increment) == 0 ? old : (void *)-1;
}

static bool is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

// As glibc: an alignment that is no power of two is rounded up to one.
EXPORT(void *, memalign, size_t alignment, size_t size)
{
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    size_t power = MINIMUM_ALIGNMENT;
    while (power < alignment) {
        power *= 2;
    }
    if (size > PTRDIFF_MAX - power) {
        return out_of_memory();
    }
    return heap_program_alloc_aligned(power, size);
}

EXPORT(void *, aligned_alloc, size_t alignment, size_t size)
{
    return glibc_memalign(alignment, size);
}

EXPORT(int, posix_memalign, void **block, size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    int saved = errno;
    void *found = glibc_memalign(alignment, size);
    errno = saved;
    if (found == NULL) {
        return ENOMEM;
    }
    *block = found;
    return 0;
}

EXPORT(void *, valloc, size_t size)
{
    return glibc_memalign(PAGE, size);
}

EXPORT(void *, pvalloc, size_t size)
{
    if (size > PTRDIFF_MAX - PAGE) {
        return out_of_memory();
    }
    return glibc_memalign(PAGE, (size + PAGE - 1) / PAGE * PAGE);
}

EXPORT(size_t, malloc_usable_size, void *block)
{
    return block == NULL ? 0 : heap_program_size(block);
}

EXPORT(void, mtrace, void)
{
}

EXPORT(void, muntrace, void)
{
}

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
} chosen = {glibc_malloc, glibc_calloc, glibc_realloc, glibc_free};

void libc_malloc_choose(void)
{
    void *functions[4];
    static const char *const names[4] = {"malloc", "calloc", "realloc", "free"};
    heap_program_exhausted = memory_exhausted;
    heap_program_broken = memory_broken;
    for (int i = 0; i < 4; ++i) {
        if (elf_symbol_find(ELF_DEFAULT, names[i], NULL, NULL, &functions[i]) != 0) {
            return;
        }
    }
    memcpy(&chosen, functions, sizeof functions);
}

void *libc_malloc(size_t size)
{
    return chosen.malloc(size);
}

void *libc_calloc(size_t count, size_t size)
{
    return chosen.calloc(count, size);
}

void *libc_realloc(void *block, size_t size)
{
    return chosen.realloc(block, size);
}

void libc_free(void *block)
{
    chosen.free(block);
}

void *libc_aligned_alloc(size_t alignment, size_t size);
void *libc_aligned_alloc(size_t alignment, size_t size)
{
    return glibc_memalign(alignment, size);
}

// Files of musl that ask for its own allocator by its inner name.
void *__libc_malloc(size_t size);
void *__libc_malloc(size_t size)
{
    return chosen.malloc(size);
}

void *__libc_calloc(size_t count, size_t size);
void *__libc_calloc(size_t count, size_t size)
{
    return chosen.calloc(count, size);
}

void __libc_free(void *block);
void __libc_free(void *block)
{
    chosen.free(block);
}
