// SPDX-License-Identifier: BSD-3-Clause
// fdtable.c: the descriptor table.
//
// Slots lie in chunks that are made when first needed and stay. Changes are made under one mutex;
// fd_get takes none: it reads the slot, gets a reference if the file is not free, and reads the
// slot again. Files are type-stable, so what it looked at is a file whatever happened, and the
// second look tells whether it is still the one meant. Linux does the same (__fget_files_rcu).
#include "core/vfs/fdtable.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/vfs/lock.h"

enum { CHUNK_SIZE = 512, CHUNK_COUNT = FD_MAX / CHUNK_SIZE, WORD_BITS = 64 };

struct chunk {
    _Atomic(struct file *) slots[CHUNK_SIZE];
    uint64_t used[CHUNK_SIZE / WORD_BITS];          // table_lock
    uint64_t close_on_exec[CHUNK_SIZE / WORD_BITS]; // table_lock
};

static struct mutex table_lock;
static _Atomic(struct chunk *) chunks[CHUNK_COUNT]; // set under table_lock, once
static int limit = 1024;                            // table_lock
static int free_hint;                               // table_lock: no free descriptor is below

static struct chunk *chunk_of(int fd)
{
    if (fd < 0 || fd >= FD_MAX) {
        return NULL;
    }
    // Acquire pairs with the release in chunk_make: the chunk is zeroed before it is seen.
    return atomic_load_explicit(&chunks[fd / CHUNK_SIZE], memory_order_acquire);
}

static _Atomic(struct file *) *slot_of(int fd)
{
    struct chunk *chunk = chunk_of(fd);
    return chunk != NULL ? &chunk->slots[fd % CHUNK_SIZE] : NULL;
}

static __attribute__((noinline)) int chunk_make(int fd, struct chunk **result)
{
    struct chunk *chunk = heap_alloc_zeroed(sizeof *chunk);
    if (chunk == NULL) {
        return -ENOMEM;
    }
    atomic_store_explicit(&chunks[fd / CHUNK_SIZE], chunk, memory_order_release);
    *result = chunk;
    return 0;
}

static inline int chunk_need(int fd, struct chunk **result)
{
    *result = chunk_of(fd);
    return *result != NULL ? 0 : chunk_make(fd, result);
}

static inline void bit_set(uint64_t *words, int fd, bool value)
{
    unsigned place = (unsigned)fd % CHUNK_SIZE;
    uint64_t bit = UINT64_C(1) << (place % WORD_BITS);
    uint64_t *word = &words[place / WORD_BITS];
    *word = value ? *word | bit : *word & ~bit;
}

static bool bit_get(const uint64_t *words, int fd)
{
    return (words[fd % CHUNK_SIZE / WORD_BITS] >> (fd % WORD_BITS) & 1) != 0;
}

// The lowest free descriptor at or above lowest; FD_MAX: none.
static int free_find(int lowest)
{
    int fd = lowest;
    while (fd < FD_MAX) {
        struct chunk *chunk = chunk_of(fd);
        if (chunk == NULL) {
            return fd;
        }
        uint64_t free = ~chunk->used[fd % CHUNK_SIZE / WORD_BITS] >> (fd % WORD_BITS);
        if (free != 0) {
            return fd + __builtin_ctzll(free);
        }
        fd = (fd / WORD_BITS + 1) * WORD_BITS;
    }
    return fd;
}

// Puts file there; the answer is what was there before, whose reference is the caller's now.
static inline struct file *slot_set(struct chunk *chunk, int fd, struct file *file,
                                    bool close_on_exec)
{
    bit_set(chunk->used, fd, file != NULL);
    bit_set(chunk->close_on_exec, fd, close_on_exec);
    _Atomic(struct file *) *slot = &chunk->slots[fd % CHUNK_SIZE];
    struct file *before = atomic_load_explicit(slot, memory_order_relaxed);
    // Release: the file is whole before a reader finds it; and the one before has left before its
    // count goes down, or is another's (file_create), which fd_get sees.
    atomic_store_explicit(slot, file, memory_order_release);
    return before;
}

int fd_install(struct file *file, int lowest, bool close_on_exec)
{
    ASSERT(file != NULL);
    if (lowest < 0) {
        return -EINVAL;
    }
    mutex_lock(&table_lock);
    int fd = free_find(lowest > free_hint ? lowest : free_hint);
    struct chunk *chunk = NULL;
    int error = lowest >= limit ? -EINVAL : fd >= limit ? -EMFILE : chunk_need(fd, &chunk);
    if (error == 0) {
        struct file *old = slot_set(chunk, fd, file, close_on_exec);
        ASSERT(old == NULL);
        if (lowest <= free_hint) {
            free_hint = fd + 1;
        }
    }
    mutex_unlock(&table_lock);
    return error != 0 ? error : fd;
}

int fd_install_at(int fd, struct file *file, bool close_on_exec)
{
    ASSERT(file != NULL);
    mutex_lock(&table_lock);
    struct chunk *chunk = NULL;
    struct file *old = NULL;
    int error = fd < 0 || fd >= limit ? -EBADF : chunk_need(fd, &chunk);
    if (error == 0) {
        old = slot_set(chunk, fd, file, close_on_exec);
    }
    mutex_unlock(&table_lock);
    if (old != NULL) {
        lock_drop_process(old);
        file_put(old);
    }
    return error != 0 ? error : fd;
}

int fd_get(int fd, struct file **result)
{
    _Atomic(struct file *) *slot = slot_of(fd);
    if (slot == NULL) {
        return -EBADF;
    }
    for (;;) {
        // Acquire pairs with slot_set: the file is whole.
        struct file *file = atomic_load_explicit(slot, memory_order_acquire);
        if (file == NULL) {
            return -EBADF;
        }
        if (!file_get_unless_free(file)) {
            MARK("fd: closed while it is looked up");
            continue; // closed in between; the slot has changed by now
        }
        // The reference was taken by an atomic read-modify-write that acquires: this look comes
        // after it. If the slot still holds the file, the file was open at this moment.
        if (atomic_load_explicit(slot, memory_order_acquire) == file) {
            *result = file;
            return 0;
        }
        MARK("fd: the memory is another file's");
        file_put(file);
    }
}

struct file *fd_borrow(int fd)
{
    _Atomic(struct file *) *slot = slot_of(fd);
    struct file *file = slot == NULL ? NULL : atomic_load_explicit(slot, memory_order_acquire);
    if (file == NULL) {
        return NULL;
    }
    // Acquire pairs with file_lend. Why this is enough: borrow.c.
    struct mutex *lock = atomic_load_explicit(&file->lock, memory_order_acquire);
    if (lock == NULL) {
        return NULL;
    }
    mutex_lock(lock);
    bool is_lent = atomic_load_explicit(&file->lock, memory_order_acquire) == lock;
    if (is_lent && atomic_load_explicit(slot, memory_order_acquire) == file) {
        return file;
    }
    MARK("fd: closed while it is borrowed");
    mutex_unlock(lock);
    return NULL;
}

int fd_close(int fd)
{
    struct chunk *chunk = chunk_of(fd);
    if (chunk == NULL) {
        return -EBADF;
    }
    mutex_lock(&table_lock);
    struct file *file = slot_set(chunk, fd, NULL, false);
    if (file != NULL && fd < free_hint) {
        free_hint = fd;
    }
    mutex_unlock(&table_lock);
    if (file == NULL) {
        return -EBADF;
    }
    lock_drop_process(file);
    file_put(file);
    return 0;
}

int fd_flag_get(int fd)
{
    struct chunk *chunk = chunk_of(fd);
    if (chunk == NULL) {
        return -EBADF;
    }
    mutex_lock(&table_lock);
    int result = bit_get(chunk->used, fd) ? bit_get(chunk->close_on_exec, fd) : -EBADF;
    mutex_unlock(&table_lock);
    return result;
}

int fd_flag_set(int fd, bool close_on_exec)
{
    struct chunk *chunk = chunk_of(fd);
    if (chunk == NULL) {
        return -EBADF;
    }
    mutex_lock(&table_lock);
    bool is_open = bit_get(chunk->used, fd);
    if (is_open) {
        bit_set(chunk->close_on_exec, fd, close_on_exec);
    }
    mutex_unlock(&table_lock);
    return is_open ? 0 : -EBADF;
}

void fd_limit_set(int new_limit)
{
    mutex_lock(&table_lock);
    limit = new_limit < 0 ? 0 : new_limit > FD_MAX ? FD_MAX : new_limit;
    mutex_unlock(&table_lock);
}

int fd_walk(bool (*visit)(int fd, struct file *file, void *argument), void *argument)
{
    for (int fd = 0; fd < FD_MAX; ++fd) {
        struct chunk *chunk = chunk_of(fd);
        if (chunk == NULL) {
            fd += CHUNK_SIZE - 1 - fd % CHUNK_SIZE;
            continue;
        }
        struct file *file;
        if (fd_get(fd, &file) != 0) {
            continue;
        }
        bool goes_on = visit(fd, file, argument);
        file_put(file);
        if (!goes_on) {
            break;
        }
    }
    return 0;
}
