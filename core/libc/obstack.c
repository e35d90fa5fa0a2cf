// SPDX-License-Identifier: BSD-3-Clause
// obstack.c: GNU's object stacks: memory that is given back in the order opposite to that of
// asking.
//
// Programs use the fields inline: the layout is glibc's. Chunks are linked newest first; an object
// that grows lies whole in the newest one.
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/format.h"
#include "core/libc/memory.h"
#include "core/libc/print.h"

enum { CHUNK_SIZE = 4064, ALIGNMENT = 16 };

struct obstack_chunk {
    char *limit;
    struct obstack_chunk *previous;
    char contents[];
};

struct obstack {
    long chunk_size;
    struct obstack_chunk *chunk;
    char *object_base, *next_free, *chunk_limit;
    intptr_t temporary;
    int alignment_mask;
    void *chunk_get, *chunk_put; // functions, with or without extra as first argument
    void *extra;
    unsigned use_extra : 1;
    unsigned maybe_empty : 1;
    unsigned alloc_failed : 1;
};

static void alloc_failed(void)
{
    fputs("memory exhausted\n", stderr);
    exit(1);
}

void (*glibc_obstack_alloc_failed_handler)(void) = alloc_failed;
int glibc_obstack_exit_failure = 1;
void (**libc_obstack_handler)(void) = &glibc_obstack_alloc_failed_handler;

static struct obstack_chunk *chunk_get(struct obstack *stack, size_t size)
{
    struct obstack_chunk *chunk;
    if (stack->use_extra) {
        chunk = ((void *(*)(void *, size_t))stack->chunk_get)(stack->extra, size);
    } else {
        chunk = ((void *(*)(size_t))stack->chunk_get)(size);
    }
    if (chunk == NULL) {
        (*libc_obstack_handler)();
    }
    return chunk;
}

static void chunk_put(struct obstack *stack, struct obstack_chunk *chunk)
{
    if (stack->use_extra) {
        ((void (*)(void *, void *))stack->chunk_put)(stack->extra, chunk);
    } else {
        ((void (*)(void *))stack->chunk_put)(chunk);
    }
}

static char *align(const struct obstack *stack, char *place)
{
    uintptr_t mask = (uintptr_t)stack->alignment_mask;
    return (char *)(((uintptr_t)place + mask) & ~mask);
}

static int begin(struct obstack *stack, int size, int alignment)
{
    stack->chunk_size = size == 0 ? CHUNK_SIZE : size;
    stack->alignment_mask = (alignment == 0 ? ALIGNMENT : alignment) - 1;
    struct obstack_chunk *chunk = chunk_get(stack, (size_t)stack->chunk_size);
    stack->chunk = chunk;
    stack->object_base = stack->next_free = align(stack, chunk->contents);
    stack->chunk_limit = chunk->limit = (char *)chunk + stack->chunk_size;
    chunk->previous = NULL;
    stack->maybe_empty = 0;
    stack->alloc_failed = 0;
    return 1;
}

EXPORT(int, _obstack_begin, struct obstack *stack, int size, int alignment, void *(*get)(long),
       void (*put)(void *))
{
    stack->chunk_get = (void *)get;
    stack->chunk_put = (void *)put;
    stack->use_extra = 0;
    return begin(stack, size, alignment);
}

EXPORT(int, _obstack_begin_1, struct obstack *stack, int size, int alignment,
       void *(*get)(void *, long), void (*put)(void *, void *), void *extra)
{
    stack->chunk_get = (void *)get;
    stack->chunk_put = (void *)put;
    stack->extra = extra;
    stack->use_extra = 1;
    return begin(stack, size, alignment);
}

// Moves the object that is growing to a new chunk with room for length bytes more.
EXPORT(void, _obstack_newchunk, struct obstack *stack, int length)
{
    struct obstack_chunk *old = stack->chunk;
    size_t object_size = (size_t)(stack->next_free - stack->object_base);
    size_t size =
        object_size + (size_t)length + (object_size >> 3) + (size_t)stack->alignment_mask + 100;
    if (size < (size_t)stack->chunk_size) {
        size = (size_t)stack->chunk_size;
    }
    struct obstack_chunk *chunk = chunk_get(stack, size);
    stack->chunk = chunk;
    chunk->previous = old;
    stack->chunk_limit = chunk->limit = (char *)chunk + size;
    char *base = align(stack, chunk->contents);
    memcpy(base, stack->object_base, object_size);
    if (!stack->maybe_empty && stack->object_base == align(stack, old->contents)) {
        chunk->previous = old->previous;
        chunk_put(stack, old);
    }
    stack->object_base = base;
    stack->next_free = base + object_size;
    stack->maybe_empty = 0;
}

static bool holds(const struct obstack_chunk *chunk, const char *object)
{
    return (const char *)chunk < object && object <= chunk->limit;
}

EXPORT(int, _obstack_allocated_p, struct obstack *stack, void *object)
{
    struct obstack_chunk *chunk = stack->chunk;
    while (chunk != NULL && !holds(chunk, object)) {
        chunk = chunk->previous;
    }
    return chunk != NULL;
}

// Frees object and everything younger; NULL: everything.
EXPORT(void, _obstack_free, struct obstack *stack, void *object)
{
    struct obstack_chunk *chunk = stack->chunk;
    while (chunk != NULL && !holds(chunk, object)) {
        struct obstack_chunk *previous = chunk->previous;
        chunk_put(stack, chunk);
        chunk = previous;
        stack->maybe_empty = 1;
    }
    if (chunk != NULL) {
        stack->object_base = stack->next_free = object;
        stack->chunk_limit = chunk->limit;
        stack->chunk = chunk;
    } else if (object != NULL) {
        abort();
    }
}

EXPORT(void, obstack_free, struct obstack *stack, void *object)
{
    glibc__obstack_free(stack, object);
}

EXPORT(int, _obstack_memory_used, struct obstack *stack)
{
    long total = 0;
    for (struct obstack_chunk *chunk = stack->chunk; chunk != NULL; chunk = chunk->previous) {
        total += chunk->limit - (char *)chunk;
    }
    return (int)total;
}

static int text_grow(struct obstack *stack, const char *pattern, va_list arguments, int options)
{
    char *text;
    int length = libc_vasprintf(&text, pattern, arguments, options);
    if (length < 0) {
        return -1;
    }
    if (stack->chunk_limit - stack->next_free < length) {
        glibc__obstack_newchunk(stack, length);
    }
    memcpy(stack->next_free, text, (size_t)length);
    stack->next_free += length;
    libc_free(text);
    return length;
}

EXPORT(int, obstack_vprintf, struct obstack *stack, const char *pattern, va_list arguments)
{
    return text_grow(stack, pattern, arguments, 0);
}

EXPORT(int, obstack_printf, struct obstack *stack, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = text_grow(stack, pattern, arguments, 0);
    va_end(arguments);
    return length;
}

// flag: the level of -D_FORTIFY_SOURCE above 1.
EXPORT(int, __obstack_vprintf_chk, struct obstack *stack, int flag, const char *pattern,
       va_list arguments)
{
    return text_grow(stack, pattern, arguments, flag > 0 ? FORMAT_FORTIFIED : 0);
}

EXPORT(int, __obstack_printf_chk, struct obstack *stack, int flag, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = glibc___obstack_vprintf_chk(stack, flag, pattern, arguments);
    va_end(arguments);
    return length;
}
