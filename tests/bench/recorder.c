// SPDX-License-Identifier: BSD-3-Clause
// recorder.c: preloaded into a program on Linux, writes down what it asks of malloc, for replay.c:
// in the file that MALLOC_TRACE_FILE names, which begins with the number of calls.
//
// It stands before glibc's functions and calls them by their inner names. Programs of one thread.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CALLS_MAX = 32 << 20 };

struct call {
    uint64_t size;
    uint64_t before, after; // blocks: given, answered; 0: none
};

struct trace {
    uint64_t count, unused[2];
    struct call calls[CALLS_MAX];
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static struct trace *trace;
static int is_off;

static void begin(void)
{
    const char *name = getenv("MALLOC_TRACE_FILE");
    is_off = 1;
    int file = name == NULL ? -1 : open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof *trace) != 0) {
        return;
    }
    void *there = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    trace = there == MAP_FAILED ? NULL : there;
    is_off = trace == NULL;
}

static void note(size_t size, const void *before, const void *after)
{
    if (trace == NULL && !is_off) {
        begin();
    }
    if (trace != NULL && trace->count < CALLS_MAX) {
        trace->calls[trace->count++] =
            (struct call){size, (uint64_t)(uintptr_t)before, (uint64_t)(uintptr_t)after};
    }
}

void *malloc(size_t size)
{
    void *block = __libc_malloc(size);
    note(size, NULL, block);
    return block;
}

void *calloc(size_t count, size_t size)
{
    void *block = __libc_calloc(count, size);
    note(count * size, NULL, block);
    return block;
}

void *realloc(void *block, size_t size)
{
    uint64_t before = (uint64_t)(uintptr_t)block;
    void *moved = __libc_realloc(block, size);
    if (moved != NULL || size == 0) {
        note(size, (void *)(uintptr_t)before, moved);
    }
    return moved;
}

void *memalign(size_t alignment, size_t size)
{
    void *block = __libc_memalign(alignment, size);
    note(size, NULL, block);
    return block;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *found = memalign(alignment, size);
    *block = found == NULL ? *block : found;
    return found == NULL ? ENOMEM : 0;
}

void free(void *block)
{
    if (block != NULL) {
        note(0, block, NULL);
    }
    __libc_free(block);
}
