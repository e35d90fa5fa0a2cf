// SPDX-License-Identifier: BSD-3-Clause
// vector.c: system calls that read and write several buffers at once.
#include <limits.h>
#include <sys/uio.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/socketcalls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"

_Static_assert(sizeof(struct io_vector) == sizeof(struct iovec), "iovec");

enum direction { READING, WRITING };

void vectors_free(struct vectors *vectors)
{
    if (vectors->all != vectors->few) {
        heap_free(vectors->all);
    }
}

// What goes beyond one call's limit is cut off.
static int vectors_check(const struct vectors *vectors)
{
    size_t sum = 0;
    for (size_t i = 0; i < vectors->count; ++i) {
        struct io_vector *vector = &vectors->all[i];
        if (vector->size > SSIZE_MAX) {
            return -EINVAL;
        }
        vector->size = transfer_limit(sum + vector->size) - sum;
        sum += vector->size;
        int error = user_check(vector->data, vector->size);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int vectors_read(struct vectors *vectors, const struct iovec *user, int count)
{
    if (count < 0 || count > IOV_MAX) {
        return -EINVAL;
    }
    vectors->count = (size_t)count;
    vectors->all = vectors->few;
    if (count > VECTOR_FEW) {
        vectors->all = heap_alloc(vectors->count * sizeof(struct io_vector));
        if (vectors->all == NULL) {
            return -ENOMEM;
        }
    }
    int error = user_read(vectors->all, user, vectors->count * sizeof(struct io_vector));
    if (error == 0) {
        error = vectors_check(vectors);
    }
    if (error != 0) {
        vectors_free(vectors);
    }
    return error;
}

enum how { DSYNC = 2, SYNC = 4, APPEND = 16, HIGH_PRIORITY = 1 }; // RWF_*

// offset -1: the file's own.
static int vectors_move(struct file *file, const struct vectors *vectors, int64_t offset,
                        enum direction direction, size_t *done)
{
    const struct socket_calls *calls = offset == -1 ? socket_calls_of(file) : NULL;
    if (calls != NULL) {
        return direction == READING ? calls->read(file, vectors->all, vectors->count, done)
                                    : calls->write(file, vectors->all, vectors->count, done);
    }
    if (offset == -1) {
        return direction == READING ? file_read_vector(file, vectors->all, vectors->count, done)
                                    : file_write_vector(file, vectors->all, vectors->count, done);
    }
    for (size_t i = 0; i < vectors->count; ++i) {
        const struct io_vector *v = &vectors->all[i];
        size_t step = 0;
        uint64_t place = (uint64_t)offset + *done;
        int error = direction == READING ? file_read_at(file, place, v->data, v->size, &step)
                                         : file_write_at(file, place, v->data, v->size, &step);
        *done += step;
        if (error != 0 || step < v->size) {
            return error;
        }
    }
    return 0;
}

// At the end of the file, wherever that is; the file's own offset goes there, too, if it is used.
static int vectors_append(struct file *file, const struct vectors *vectors, int64_t offset,
                          size_t *done)
{
    int error = 0;
    bool is_full = true;
    for (size_t i = 0; i < vectors->count && error == 0 && is_full; ++i) {
        size_t step = 0;
        error = file_append(file, vectors->all[i].data, vectors->all[i].size, &step);
        *done += step;
        is_full = step == vectors->all[i].size;
    }
    uint64_t end;
    if (*done > 0 && offset == -1 && !file->is_stream) {
        error = file_seek(file, 0, SEEK_FROM_END, &end);
    }
    return error;
}

static long vector_call(int fd, const struct iovec *user, int count, int64_t offset,
                        enum direction direction, int how)
{
    struct file *file;
    struct vectors vectors;
    size_t done = 0;
    if (offset < -1) {
        return -EINVAL;
    }
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = vectors_read(&vectors, user, count);
    if (error == 0 && (how & ~(HIGH_PRIORITY | DSYNC | SYNC | APPEND)) != 0) {
        vectors_free(&vectors);
        error = -EOPNOTSUPP;
    } else if (error == 0) {
        error = direction == WRITING && (how & APPEND) != 0
                    ? vectors_append(file, &vectors, offset, &done)
                    : vectors_move(file, &vectors, offset, direction, &done);
        vectors_free(&vectors);
    }
    if (done > 0 && direction == WRITING && (how & (SYNC | DSYNC)) != 0) {
        int sync_error = file_sync(file, (how & SYNC) == 0);
        done = sync_error == 0 || sync_error == -EINVAL ? done : 0; // -EINVAL: it has no disk
        error = done > 0 ? error : sync_error;
    }
    return transfer_end(file, error, done);
}

long linux_readv(int fd, const struct iovec *vectors, int count)
{
    return vector_call(fd, vectors, count, -1, READING, 0);
}

long linux_writev(int fd, const struct iovec *vectors, int count)
{
    return vector_call(fd, vectors, count, -1, WRITING, 0);
}

long linux_preadv(int fd, const struct iovec *vectors, int count, int64_t offset)
{
    return offset < 0 ? -EINVAL : vector_call(fd, vectors, count, offset, READING, 0);
}

long linux_pwritev(int fd, const struct iovec *vectors, int count, int64_t offset)
{
    return offset < 0 ? -EINVAL : vector_call(fd, vectors, count, offset, WRITING, 0);
}

long linux_preadv2(int fd, const struct iovec *vectors, int count, int64_t offset, long high,
                   int flags)
{
    (void)high;
    return vector_call(fd, vectors, count, offset, READING, flags);
}

long linux_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, long high,
                    int flags)
{
    (void)high;
    return vector_call(fd, vectors, count, offset, WRITING, flags);
}
