// SPDX-License-Identifier: BSD-3-Clause
// splice.c: system calls that move bytes from one descriptor to another: sendfile, copy_file_range,
// splice, tee, vmsplice.
//
// What a pipe holds goes from and to its ring directly (core/vfs/pipe.h); between two files there
// is a buffer. Whatever the other side does not take stays where it was.
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"
#include "core/vfs/pipe.h"
#include "core/vfs/vnode.h"

enum { COPY_STEP = 65536 };

// One side of a transfer: a file, at a place given by the caller or at its own.
struct side {
    struct file *file; // counted
    int64_t *user;     // where the caller keeps the place; NULL: the file's own is used
    int64_t offset;
};

static void sides_put(struct side *in, struct side *out)
{
    file_put(in->file);
    file_put(out->file);
}

static int side_get(struct side *side, int fd, int64_t *user)
{
    *side = (struct side){.user = user};
    int error = fd_get(fd, &side->file);
    if (error == 0 && user != NULL && (error = user_read(&side->offset, user, 8)) != 0) {
        file_put(side->file);
    }
    return error;
}

static int sides_get(struct side *in, int in_fd, int64_t *in_user, struct side *out, int out_fd,
                     int64_t *out_user)
{
    int error = side_get(in, in_fd, in_user);
    if (error == 0 && (error = side_get(out, out_fd, out_user)) != 0) {
        file_put(in->file);
    }
    return error;
}

static uint32_t flags_of(struct file *file)
{
    return atomic_load_explicit(&file->flags, memory_order_relaxed);
}

static bool is_readable(struct file *file)
{
    return (flags_of(file) & OPEN_ACCESS) != OPEN_WRITE_ONLY && (flags_of(file) & OPEN_PATH) == 0;
}

static bool is_writable(struct file *file)
{
    return (flags_of(file) & OPEN_ACCESS) != OPEN_READ_ONLY && (flags_of(file) & OPEN_PATH) == 0;
}

// A file without a place has nothing to read at one.
static bool has_place(struct file *file)
{
    return !file->is_stream || file->ops->seek != NULL;
}

// struct pipe_peer's move, for both directions.
static int side_write(void *argument, char *data, size_t size, size_t *done)
{
    struct side *side = argument;
    int error = side->user == NULL
                    ? file_write(side->file, data, size, done)
                    : file_write_at(side->file, (uint64_t)side->offset, data, size, done);
    side->offset += (int64_t)*done;
    return error;
}

static int side_read(void *argument, char *data, size_t size, size_t *done)
{
    struct side *side = argument;
    int error = side->user == NULL
                    ? file_read(side->file, data, size, done)
                    : file_read_at(side->file, (uint64_t)side->offset, data, size, done);
    side->offset += (int64_t)*done;
    return error;
}

// Tells the caller the places after a transfer, and says what the call answers.
static long sides_end(const struct side *in, const struct side *out, int error, size_t done)
{
    if ((in->user != NULL && user_write(in->user, &in->offset, 8) != 0) ||
        (out->user != NULL && user_write(out->user, &out->offset, 8) != 0)) {
        return -EFAULT;
    }
    return transfer_result(error, done);
}

// ---- Between two files -----------------------------------------------------------

// What was read from the file's own place and not written is to be read again.
static int step_back(struct side *in, size_t size)
{
    uint64_t place;
    in->offset -= (int64_t)size;
    return size == 0 || in->user != NULL
               ? 0
               : file_seek(in->file, -(int64_t)size, SEEK_FROM_CURRENT, &place);
}

static int copy_all(struct side *in, struct side *out, size_t size, size_t *done)
{
    char *data = heap_alloc(COPY_STEP);
    int error = data == NULL ? -ENOMEM : 0;
    bool goes_on = true;
    while (error == 0 && goes_on && *done < size) {
        size_t got = 0;
        size_t put = 0;
        error = side_read(in, data, size - *done < COPY_STEP ? size - *done : COPY_STEP, &got);
        if (error == 0 && got > 0) {
            error = side_write(out, data, got, &put);
            int back_error = step_back(in, got - put);
            error = error != 0 ? error : back_error;
        }
        *done += put;
        goes_on = got > 0 && put == got;
    }
    heap_free(data);
    return error;
}

static int sendfile_check(const struct side *in, const struct side *out)
{
    if (!is_readable(in->file) || !is_writable(out->file)) {
        return -EBADF;
    }
    if (!has_place(in->file)) {
        return in->user != NULL ? -ESPIPE : -EINVAL;
    }
    if (in->offset < 0 || in->file->ops->read == NULL || (flags_of(out->file) & OPEN_APPEND) != 0) {
        return -EINVAL;
    }
    return 0;
}

long linux_sendfile(int out_fd, int in_fd, int64_t *user_offset, size_t size)
{
    struct side in, out;
    size_t done = 0;
    int error = sides_get(&in, in_fd, user_offset, &out, out_fd, NULL);
    if (error != 0) {
        return error;
    }
    size = transfer_limit(size);
    error = sendfile_check(&in, &out);
    if (error == 0 && file_is_pipe(out.file)) {
        const struct pipe_peer peer = {side_read, &in};
        error = size == 0 ? 0 : pipe_fill(out.file, size, true, &peer, &done);
    } else if (error == 0) {
        error = copy_all(&in, &out, size, &done);
    }
    long result = sides_end(&in, &out, error, done);
    sides_put(&in, &out);
    return result;
}

static int kind_check(struct file *file)
{
    if (file->vnode != NULL && vnode_is_directory(file->vnode)) {
        return -EISDIR;
    }
    return file->vnode == NULL || file->vnode->type != MODE_FILE ? -EINVAL : 0;
}

static int place_resolve(struct side *side)
{
    uint64_t place = (uint64_t)side->offset;
    int error = side->user != NULL ? 0 : file_seek(side->file, 0, SEEK_FROM_CURRENT, &place);
    side->offset = (int64_t)place;
    return error != 0 ? error : side->offset < 0 ? -EINVAL : 0;
}

static int range_check(struct side *in, struct side *out, size_t *size)
{
    struct file_status status;
    uint64_t end;
    if (__builtin_add_overflow((uint64_t)in->offset, *size, &end) ||
        __builtin_add_overflow((uint64_t)out->offset, *size, &end)) {
        return -EOVERFLOW;
    }
    int error = file_status(in->file, &status);
    if (error != 0) {
        return error;
    }
    uint64_t left = status.size > (uint64_t)in->offset ? status.size - (uint64_t)in->offset : 0;
    *size = *size < left ? *size : (size_t)left;
    bool is_same = in->file->vnode->mount == out->file->vnode->mount &&
                   in->file->vnode->inode == out->file->vnode->inode;
    bool overlaps = (uint64_t)in->offset < (uint64_t)out->offset + *size &&
                    (uint64_t)out->offset < (uint64_t)in->offset + *size;
    return is_same && overlaps ? -EINVAL : 0;
}

static int copy_range_check(struct side *in, struct side *out, size_t *size, unsigned flags)
{
    int error = flags != 0 ? -EINVAL : kind_check(in->file);
    error = error != 0 ? error : kind_check(out->file);
    if (error != 0) {
        return error;
    }
    if (!is_readable(in->file) || !is_writable(out->file) ||
        (flags_of(out->file) & OPEN_APPEND) != 0) {
        return -EBADF;
    }
    error = place_resolve(in);
    error = error != 0 ? error : place_resolve(out);
    return error != 0 ? error : range_check(in, out, size);
}

long linux_copy_file_range(int in_fd, int64_t *in_user, int out_fd, int64_t *out_user, size_t size,
                           unsigned flags)
{
    struct side in, out;
    size_t done = 0;
    int error = sides_get(&in, in_fd, in_user, &out, out_fd, out_user);
    if (error != 0) {
        return error;
    }
    error = copy_range_check(&in, &out, &size, flags);
    if (error == 0) {
        error = copy_all(&in, &out, transfer_limit(size), &done);
    }
    long result =
        error == 0 || done > 0 ? sides_end(&in, &out, error, done) : transfer_result(error, done);
    sides_put(&in, &out);
    return result;
}

// ---- With pipes ------------------------------------------------------------------

static bool waits_by(unsigned flags)
{
    return (flags & SPLICE_F_NONBLOCK) == 0;
}

enum { SPLICE_ALL = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT };

// The side of splice that is no pipe.
static int other_check(const struct side *side, bool is_out)
{
    if (side->user != NULL && (!has_place(side->file) || side->offset < 0)) {
        return -EINVAL;
    }
    if (is_out) {
        return (flags_of(side->file) & OPEN_APPEND) != 0 || side->file->ops->write == NULL ? -EINVAL
                                                                                           : 0;
    }
    return side->file->ops->read == NULL ? -EINVAL : 0;
}

static int splice_sides(struct side *in, struct side *out, size_t size, bool waits, size_t *done)
{
    bool from_pipe = file_is_pipe(in->file);
    bool to_pipe = file_is_pipe(out->file);
    if (!is_readable(in->file) || !is_writable(out->file)) {
        return -EBADF;
    }
    if ((from_pipe && in->user != NULL) || (to_pipe && out->user != NULL)) {
        return -ESPIPE;
    }
    if (from_pipe && to_pipe) {
        return pipe_copy(in->file, out->file, size, waits, false, done);
    }
    if (!from_pipe && !to_pipe) {
        return -EINVAL;
    }
    int error = other_check(from_pipe ? out : in, from_pipe);
    if (error != 0) {
        return error;
    }
    if (from_pipe) {
        const struct pipe_peer peer = {side_write, out};
        return pipe_drain(in->file, size, waits, &peer, done);
    }
    const struct pipe_peer peer = {side_read, in};
    return pipe_fill(out->file, size, waits, &peer, done);
}

long linux_splice(int in_fd, int64_t *in_user, int out_fd, int64_t *out_user, size_t size,
                  unsigned flags)
{
    struct side in, out;
    size_t done = 0;
    if (size == 0) {
        return 0;
    }
    if ((flags & ~(unsigned)SPLICE_ALL) != 0) {
        return -EINVAL;
    }
    int error = sides_get(&in, in_fd, in_user, &out, out_fd, out_user);
    if (error != 0) {
        return error;
    }
    error = splice_sides(&in, &out, transfer_limit(size), waits_by(flags), &done);
    long result =
        error == 0 || done > 0 ? sides_end(&in, &out, error, done) : transfer_result(error, done);
    sides_put(&in, &out);
    return result;
}

long linux_tee(int in_fd, int out_fd, size_t size, unsigned flags)
{
    struct side in, out;
    size_t done = 0;
    if ((flags & ~(unsigned)SPLICE_ALL) != 0) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    int error = sides_get(&in, in_fd, NULL, &out, out_fd, NULL);
    if (error != 0) {
        return error;
    }
    if (!is_readable(in.file) || !is_writable(out.file)) {
        error = -EBADF;
    } else if (!file_is_pipe(in.file) || !file_is_pipe(out.file)) {
        error = -EINVAL;
    } else {
        error = pipe_copy(in.file, out.file, transfer_limit(size), waits_by(flags), true, &done);
    }
    sides_put(&in, &out);
    return transfer_result(error, done);
}

// The caller's buffers as a side.
struct memory_side {
    const struct io_vector *vectors;
    size_t count, index, used; // of vectors, and of the one at index
};

static int memory_move(struct memory_side *side, char *data, size_t size, size_t *done,
                       bool to_memory)
{
    while (*done < size && side->index < side->count) {
        const struct io_vector *vector = &side->vectors[side->index];
        size_t part = vector->size - side->used;
        part = part < size - *done ? part : size - *done;
        char *user = vector->data + side->used;
        int error =
            to_memory ? user_write(user, data + *done, part) : user_read(data + *done, user, part);
        if (error != 0) {
            return error;
        }
        *done += part;
        side->used += part;
        if (side->used == vector->size) {
            ++side->index;
            side->used = 0;
        }
    }
    return 0;
}

static int memory_read(void *argument, char *data, size_t size, size_t *done)
{
    return memory_move(argument, data, size, done, false);
}

static int memory_write(void *argument, char *data, size_t size, size_t *done)
{
    return memory_move(argument, data, size, done, true);
}

static int vmsplice_vectors(struct file *file, const struct vectors *vectors, bool waits,
                            size_t *done)
{
    struct memory_side side = {.vectors = vectors->all, .count = vectors->count};
    size_t size = 0;
    for (size_t i = 0; i < vectors->count; ++i) {
        size += vectors->all[i].size;
    }
    if (size == 0) {
        return 0;
    }
    const struct pipe_peer peer = {is_writable(file) ? memory_read : memory_write, &side};
    return is_writable(file) ? pipe_fill(file, size, waits, &peer, done)
                             : pipe_drain(file, size, waits, &peer, done);
}

long linux_vmsplice(int fd, const struct iovec *user, size_t count, unsigned flags)
{
    struct file *file;
    struct vectors vectors;
    size_t done = 0;
    if ((flags & ~(unsigned)SPLICE_ALL) != 0 || count > IOV_MAX) {
        return -EINVAL;
    }
    int error = fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    error = file_is_pipe(file) ? vectors_read(&vectors, user, (int)count) : -EBADF;
    if (error == 0) {
        error = vmsplice_vectors(file, &vectors, waits_by(flags), &done);
        vectors_free(&vectors);
    }
    return transfer_end(file, error, done);
}
