// SPDX-License-Identifier: BSD-3-Clause
// file.c: open files: reference counts, offsets, and the errno of what a file type does not
// support.
//
// Files come from a slab, so that fdtable.c may look at one that has just been closed (see fd_get):
// the count of a free file is 0, and becomes 1 as the last act of file_create.
#include "core/vfs/file.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/vfs/borrow.h"
#include "core/vfs/entry.h"
#include "core/vfs/epoll.h"
#include "core/vfs/lock.h"
#include "core/vfs/mount.h"
#include "core/vfs/nameless.h"
#include "core/vfs/vnode.h"

// The longest transfer, as Linux has it (MAX_RW_COUNT).
enum { TRANSFER_MAX = 0x7ffff000 };

// Vectors of so many bytes are one transfer; of FEW, with a buffer on the stack.
enum { VECTOR_GATHER_MAX = HEAP_SMALL_MAX, VECTOR_GATHER_FEW = 256 };

static _Atomic uint64_t size_limit = UINT64_MAX; // of regular files
static struct slab files = {.object_size = (sizeof(struct file) + 15) & ~(size_t)15};

int file_create(struct file **result, const struct file_ops *ops, uint32_t flags, void *state)
{
    struct file *file = slab_alloc(&files);
    if (file == NULL) {
        return -ENFILE;
    }
    ASSERT(atomic_load_explicit(&file->reference_count, memory_order_relaxed) == 0);
    file->ops = ops;
    atomic_store_explicit(&file->flags, flags, memory_order_relaxed);
    file->is_stream = file->has_locks = file->is_over = false;
    file->sleeper_count = 0;
    memset(&file->offset_lock, 0, sizeof file->offset_lock);
    file->offset = 0;
    file->vnode = NULL;
    file->entry = NULL;
    file->state = state;
    file->path = NULL;
    file->watchers = (struct list){0};
    file->owner = NULL;
    // Release pairs with the acquire in file_get_unless_free: who gets a reference sees the fields.
    atomic_store_explicit(&file->reference_count, 1, memory_order_release);
    *result = file;
    return 0;
}

void file_get(struct file *file)
{
    atomic_fetch_add_explicit(&file->reference_count, 1, memory_order_relaxed);
}

bool file_get_unless_free(struct file *file)
{
    uint32_t count = atomic_load_explicit(&file->reference_count, memory_order_relaxed);
    while (count != 0) {
        if (atomic_compare_exchange_weak_explicit(&file->reference_count, &count, count + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void file_put(struct file *file)
{
    // Release and acquire: all uses of the file come before its end.
    uint32_t before = atomic_fetch_sub_explicit(&file->reference_count, 1, memory_order_acq_rel);
    ASSERT(before != 0);
    if (before == 1 && file_recall(file)) {
        file_end(file);
    }
}

void file_end(struct file *file)
{
    if (file->watchers.next != NULL) {
        epoll_forget(file);
    }
    if (file->owner != NULL) {
        file->owner->end(file->owner);
    }
    if (file->has_locks) {
        lock_drop_file(file);
    }
    if (file->ops != NULL && file->ops->close != NULL) {
        file->ops->close(file);
    }
    vnode_put(file->vnode);
    entry_put(file->entry);
    if (file->path != file->path_short) {
        heap_free(file->path);
    }
    slab_free(&files, file);
}

static uint32_t flags_of(struct file *file)
{
    return atomic_load_explicit(&file->flags, memory_order_relaxed);
}

static bool is_readable(struct file *file)
{
    uint32_t flags = flags_of(file);
    return (flags & OPEN_ACCESS) != OPEN_WRITE_ONLY && (flags & OPEN_PATH) == 0;
}

static bool is_writable(struct file *file)
{
    uint32_t flags = flags_of(file);
    return (flags & OPEN_ACCESS) != OPEN_READ_ONLY && (flags & OPEN_PATH) == 0;
}

static bool is_directory(const struct file *file)
{
    return file->vnode != NULL && vnode_is_directory(file->vnode);
}

static int read_check(struct file *file)
{
    if (!is_readable(file)) {
        return -EBADF;
    }
    if (file->ops->read == NULL) {
        return is_directory(file) ? -EISDIR : -EINVAL;
    }
    return 0;
}

static int write_check(struct file *file)
{
    if (!is_writable(file)) {
        return -EBADF;
    }
    return file->ops->write == NULL ? -EINVAL : 0;
}

// After an append the offset is the end of the file, wherever that is by now.
static int offset_resolve(struct file *file)
{
    if (file->offset != FILE_OFFSET_NONE) {
        return 0;
    }
    struct file_status status;
    int error = file_status(file, &status);
    if (error == 0) {
        file->offset = status.size;
    }
    return error;
}

static int read_locked(struct file *file, char *data, size_t size, size_t *done)
{
    *done = 0;
    int error = offset_resolve(file);
    if (error == 0) {
        error = file->ops->read(file, file->offset, data, size, done);
        file->offset += *done;
    }
    return error;
}

void file_size_limit_set(uint64_t limit)
{
    atomic_store_explicit(&size_limit, limit, memory_order_relaxed);
}

// Cuts a write down to what the limit leaves.
static int limit_check(struct file *file, uint64_t offset, size_t *size)
{
    uint64_t limit = atomic_load_explicit(&size_limit, memory_order_relaxed);
    if (limit == UINT64_MAX || *size == 0 || file->vnode == NULL ||
        file->vnode->type != MODE_FILE) {
        return 0;
    }
    if (offset == FILE_OFFSET_NONE) {
        struct file_status status;
        int error = file_status(file, &status);
        if (error != 0) {
            return error;
        }
        offset = status.size;
    }
    if (offset >= limit) {
        return -EFBIG;
    }
    *size = *size < limit - offset ? *size : (size_t)(limit - offset);
    return 0;
}

// All writes of files with an offset come by here.
static int write_limited(struct file *file, uint64_t offset, const char *data, size_t size,
                         size_t *done)
{
    int error = limit_check(file, offset, &size);
    return error != 0 ? error : file->ops->write(file, offset, data, size, done);
}

static int write_locked(struct file *file, const char *data, size_t size, size_t *done)
{
    *done = 0;
    bool appends = (flags_of(file) & OPEN_APPEND) != 0;
    int error = appends ? 0 : offset_resolve(file);
    if (error != 0) {
        return error;
    }
    uint64_t offset = appends ? FILE_OFFSET_NONE : file->offset;
    error = write_limited(file, offset, data, size, done);
    if (!appends) {
        file->offset += *done;
    } else if (*done > 0) {
        file->offset = FILE_OFFSET_NONE;
    }
    return error;
}

int file_read(struct file *file, char *data, size_t size, size_t *done)
{
    *done = 0;
    int error = read_check(file);
    if (error != 0) {
        return error;
    }
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    if (file->is_stream) {
        return file->ops->read(file, FILE_OFFSET_NONE, data, size, done);
    }
    mutex_lock(&file->offset_lock);
    error = read_locked(file, data, size, done);
    mutex_unlock(&file->offset_lock);
    return error;
}

int file_write(struct file *file, const char *data, size_t size, size_t *done)
{
    *done = 0;
    int error = write_check(file);
    if (error != 0) {
        return error;
    }
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    if (file->is_stream) {
        return file->ops->write(file, FILE_OFFSET_NONE, data, size, done);
    }
    mutex_lock(&file->offset_lock);
    error = write_locked(file, data, size, done);
    mutex_unlock(&file->offset_lock);
    return error;
}

static int place_check(struct file *file, uint64_t offset)
{
    if ((int64_t)offset < 0) {
        return -EINVAL;
    }
    return file->is_stream && file->ops->seek == NULL ? -ESPIPE : 0;
}

int file_read_at(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    *done = 0;
    int error = place_check(file, offset);
    error = error != 0 ? error : read_check(file);
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    return error != 0 ? error : file->ops->read(file, offset, data, size, done);
}

int file_write_at(struct file *file, uint64_t offset, const char *data, size_t size, size_t *done)
{
    *done = 0;
    int error = place_check(file, offset);
    error = error != 0 ? error : write_check(file);
    if ((flags_of(file) & OPEN_APPEND) != 0) {
        offset = FILE_OFFSET_NONE; // pwrite(2), BUGS: Linux appends whatever the offset
    }
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    return error != 0 ? error : write_limited(file, offset, data, size, done);
}

int file_append(struct file *file, const char *data, size_t size, size_t *done)
{
    *done = 0;
    int error = write_check(file);
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    return error != 0 ? error : write_limited(file, FILE_OFFSET_NONE, data, size, done);
}

static size_t vectors_size(const struct io_vector *vectors, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) {
        size += vectors[i].size;
    }
    return size;
}

// Copies between a buffer and the vectors, as far as size goes.
static int vectors_copy(const struct io_vector *vectors, char *buffer, size_t size, bool to_vectors)
{
    int error = 0;
    for (size_t i = 0; size > 0 && error == 0; ++i) {
        size_t part = vectors[i].size < size ? vectors[i].size : size;
        error = to_vectors ? hal_copy_safe(vectors[i].data, buffer, part)
                           : hal_copy_safe(buffer, vectors[i].data, part);
        buffer += part;
        size -= part;
    }
    return error;
}

// One read for all vectors: several would block where one answers with what is there, and would not
// be one piece.
static int read_gathered(struct file *file, const struct io_vector *vectors, size_t size,
                         size_t *done)
{
    char few[VECTOR_GATHER_FEW];
    size = size < VECTOR_GATHER_MAX ? size : VECTOR_GATHER_MAX;
    char *buffer = size <= sizeof few ? few : heap_alloc(size);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    int error = file_read(file, buffer, size, done);
    if (*done > 0 && vectors_copy(vectors, buffer, *done, true) != 0) {
        error = -EFAULT;
    }
    heap_free(buffer != few ? buffer : NULL);
    return error;
}

int file_read_vector(struct file *file, const struct io_vector *vectors, size_t count, size_t *done)
{
    *done = 0;
    size_t size = vectors_size(vectors, count);
    if (count == 1) {
        return file_read(file, vectors[0].data, vectors[0].size, done);
    }
    int error = read_check(file);
    if (error != 0 || size == 0) {
        return error;
    }
    if (size <= VECTOR_GATHER_MAX || file->is_stream) {
        return read_gathered(file, vectors, size, done);
    }
    mutex_lock(&file->offset_lock);
    bool is_full = true;
    for (size_t i = 0; i < count && error == 0 && is_full; ++i) {
        size_t part = 0;
        error = read_locked(file, vectors[i].data, vectors[i].size, &part);
        is_full = part == vectors[i].size;
        *done += part;
    }
    mutex_unlock(&file->offset_lock);
    return *done > 0 ? 0 : error;
}

static int write_gathered(struct file *file, const struct io_vector *vectors, size_t size,
                          size_t *done)
{
    char few[VECTOR_GATHER_FEW];
    char *buffer = size <= sizeof few ? few : heap_alloc(size);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    int error = vectors_copy(vectors, buffer, size, false);
    if (error == 0) {
        error = file_write(file, buffer, size, done);
    }
    heap_free(buffer != few ? buffer : NULL);
    return error;
}

static int write_each(struct file *file, const struct io_vector *vectors, size_t count,
                      size_t *done)
{
    int error = 0;
    bool is_full = true;
    for (size_t i = 0; i < count && error == 0 && is_full; ++i) {
        size_t part = 0;
        error = file->is_stream ? file->ops->write(file, FILE_OFFSET_NONE, vectors[i].data,
                                                   vectors[i].size, &part)
                                : write_locked(file, vectors[i].data, vectors[i].size, &part);
        is_full = part == vectors[i].size;
        *done += part;
    }
    return *done > 0 ? 0 : error;
}

int file_write_vector(struct file *file, const struct io_vector *vectors, size_t count,
                      size_t *done)
{
    *done = 0;
    size_t size = vectors_size(vectors, count);
    if (count == 1) {
        return file_write(file, vectors[0].data, vectors[0].size, done);
    }
    int error = write_check(file);
    if (error != 0 || size == 0) {
        return error;
    }
    if (size <= VECTOR_GATHER_MAX) {
        return write_gathered(file, vectors, size, done);
    }
    mutex_lock(&file->offset_lock);
    error = write_each(file, vectors, count, done);
    mutex_unlock(&file->offset_lock);
    return error;
}

static int find_locked(struct file *file, int64_t offset, enum seek_from what, uint64_t *result)
{
    struct file_status status;
    if (is_directory(file)) {
        return -EINVAL;
    }
    int error = file_status(file, &status);
    if (error != 0) {
        return error;
    }
    if (offset < 0 || (uint64_t)offset >= status.size) {
        return -ENXIO;
    }
    *result = what == SEEK_TO_DATA ? (uint64_t)offset : status.size;
    if (file->ops->find != NULL) {
        error = file->ops->find(file, (uint64_t)offset, what, result);
    }
    if (error == 0) {
        file->offset = *result;
    }
    return error;
}

static int seek_locked(struct file *file, int64_t offset, enum seek_from from, uint64_t *result)
{
    int64_t base = 0;
    if (from == SEEK_TO_DATA || from == SEEK_TO_HOLE) {
        return find_locked(file, offset, from, result);
    }
    if (from == SEEK_FROM_CURRENT) {
        int error = offset_resolve(file);
        if (error != 0) {
            return error;
        }
        base = (int64_t)file->offset;
    } else if (from == SEEK_FROM_END) {
        struct file_status status;
        int error = file_status(file, &status);
        if (error != 0) {
            return error;
        }
        base = (int64_t)status.size;
    } else if (from != SEEK_FROM_START) {
        return -EINVAL;
    }
    int64_t target;
    if (__builtin_add_overflow(base, offset, &target)) {
        return -EOVERFLOW;
    }
    if (target < 0) {
        return -EINVAL;
    }
    file->offset = (uint64_t)target;
    *result = file->offset;
    return 0;
}

int file_seek(struct file *file, int64_t offset, enum seek_from from, uint64_t *result)
{
    if ((flags_of(file) & OPEN_PATH) != 0) {
        return -EBADF;
    }
    if (file->ops->seek != NULL) {
        return file->ops->seek(file, offset, from, result);
    }
    if (file->is_stream) {
        return -ESPIPE;
    }
    mutex_lock(&file->offset_lock);
    int error = seek_locked(file, offset, from, result);
    mutex_unlock(&file->offset_lock);
    return error;
}

int file_seek_nowhere(struct file *file, int64_t offset, enum seek_from from, uint64_t *result)
{
    (void)file;
    (void)offset;
    (void)from;
    *result = 0;
    return 0;
}

int file_status(struct file *file, struct file_status *status)
{
    memset(status, 0, sizeof *status);
    if (file->ops != NULL && file->ops->status != NULL) {
        return file->ops->status(file, status);
    }
    if (file->ops != NULL && file->ops->nameless != NULL) {
        nameless_status(file->ops->nameless(file), status);
        return 0;
    }
    return file->vnode != NULL ? vnode_status(file->vnode, status) : -EBADF;
}

int file_control(struct file *file, unsigned long request, void *argument)
{
    if ((flags_of(file) & OPEN_PATH) != 0) {
        return -EBADF;
    }
    return file->ops->control != NULL ? file->ops->control(file, request, argument) : -ENOTTY;
}

int file_size_check(struct vnode *vnode, uint64_t size)
{
    struct file_status status;
    if (size <= atomic_load_explicit(&size_limit, memory_order_relaxed) || vnode == NULL) {
        return 0;
    }
    int error = vnode_status(vnode, &status);
    return error != 0 ? error : size > status.size ? -EFBIG : 0;
}

int file_truncate(struct file *file, uint64_t size)
{
    if ((flags_of(file) & OPEN_PATH) != 0) {
        return -EBADF;
    }
    if (!is_writable(file) || file->ops->truncate == NULL || (int64_t)size < 0) {
        return -EINVAL;
    }
    int error = file_size_check(file->vnode, size);
    return error != 0 ? error : file->ops->truncate(file, size);
}

static int allocate_check(struct file *file)
{
    if (!is_writable(file)) {
        return -EBADF;
    }
    if (file->vnode == NULL || file->vnode->type != MODE_FILE) {
        bool is_fifo = file->vnode == NULL || file->vnode->type == MODE_FIFO;
        return is_fifo ? -ESPIPE : -ENODEV;
    }
    return file->ops->allocate == NULL ? -EOPNOTSUPP : 0;
}

int file_allocate(struct file *file, unsigned how, uint64_t offset, uint64_t size)
{
    if ((flags_of(file) & OPEN_PATH) != 0) {
        return -EBADF;
    }
    if (size == 0 || (int64_t)size < 0 || (int64_t)offset < 0) {
        return -EINVAL;
    }
    bool punches = (how & ALLOCATE_PUNCH_HOLE) != 0;
    if ((how & ~(unsigned)ALLOCATE_ALL) != 0 || (punches && (how & ALLOCATE_KEEP_SIZE) == 0)) {
        return -EOPNOTSUPP;
    }
    int error = allocate_check(file);
    if (error != 0) {
        return error;
    }
    if (size > INT64_MAX - offset) {
        return -EFBIG;
    }
    error = (how & ALLOCATE_KEEP_SIZE) != 0 ? 0 : file_size_check(file->vnode, offset + size);
    return error != 0 ? error : file->ops->allocate(file, how, offset, size);
}

int file_sync(struct file *file, bool data_only)
{
    if ((flags_of(file) & OPEN_PATH) != 0) {
        return -EBADF;
    }
    return file->ops->sync != NULL ? file->ops->sync(file, data_only) : -EINVAL;
}

int file_pager(struct file *file, struct vm_pager **pager)
{
    if (!is_readable(file)) {
        return (flags_of(file) & OPEN_PATH) != 0 ? -EBADF : -EACCES;
    }
    return file->ops->pager != NULL ? file->ops->pager(file, pager) : -ENODEV;
}

struct directory_reader {
    bool (*visit)(const struct dir_entry *entry, void *argument);
    void *argument;
    uint64_t position;
};

static bool directory_visit(const struct dir_entry *entry, void *argument)
{
    struct directory_reader *reader = argument;
    if (!reader->visit(entry, reader->argument)) {
        return false;
    }
    reader->position = entry->next;
    return true;
}

int file_read_directory(struct file *file,
                        bool (*visit)(const struct dir_entry *entry, void *argument),
                        void *argument)
{
    if (!is_readable(file)) {
        return -EBADF;
    }
    if (file->ops->read_directory == NULL) {
        return -ENOTDIR;
    }
    mutex_lock(&file->offset_lock);
    struct directory_reader reader = {visit, argument, file->offset};
    int error = file->ops->read_directory(file, reader.position, directory_visit, &reader);
    file->offset = reader.position;
    mutex_unlock(&file->offset_lock);
    return error;
}

unsigned file_poll(struct file *file, struct poll_entry *entry)
{
    if ((flags_of(file) & OPEN_PATH) != 0) {
        return POLL_INVALID;
    }
    return file->ops->poll != NULL ? file->ops->poll(file, entry) : POLL_IN_ANY | POLL_OUT_ANY;
}
