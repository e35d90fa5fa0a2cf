// SPDX-License-Identifier: BSD-3-Clause
// pipe.c: pipes, as pipe(7) has them: a ring of 64 KiB, writes of at most 4096 bytes in one piece.
#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"
#include "hal/hal.h"

enum { PIPE_SIZE = 65536, PIPE_ATOMIC = 4096, FIONREAD = 0x541b, PIPE_DEVICE = 13 };

struct pipe {
    struct mutex lock; // guards all but poll
    struct waitqueue readers, writers;
    bool has_reader, has_writer;
    _Atomic uint32_t file_count; // ends that are not closed
    uint64_t taken, put;         // bytes since the beginning; put - taken <= PIPE_SIZE
    uint64_t inode;
    struct file_time changed;
    struct poll_list poll; // of both ends
    char *ring;            // PIPE_SIZE bytes
};

static _Atomic uint64_t inode_next = 10000;

static size_t available(const struct pipe *pipe)
{
    return (size_t)(pipe->put - pipe->taken);
}

static size_t room(const struct pipe *pipe)
{
    return PIPE_SIZE - available(pipe);
}

// Copies out of the ring; the part up to its end, then the part from its start.
static int ring_take(struct pipe *pipe, char *data, size_t size)
{
    size_t start = pipe->taken % PIPE_SIZE;
    size_t first = PIPE_SIZE - start < size ? PIPE_SIZE - start : size;
    int error = hal_copy_safe(data, pipe->ring + start, first);
    if (error == 0 && size > first) {
        error = hal_copy_safe(data + first, pipe->ring, size - first);
    }
    if (error == 0) {
        pipe->taken += size;
    }
    return error;
}

static int ring_put(struct pipe *pipe, const char *data, size_t size)
{
    size_t start = pipe->put % PIPE_SIZE;
    size_t first = PIPE_SIZE - start < size ? PIPE_SIZE - start : size;
    int error = hal_copy_safe(pipe->ring + start, data, first);
    if (error == 0 && size > first) {
        error = hal_copy_safe(pipe->ring, data + first, size - first);
    }
    if (error == 0) {
        pipe->put += size;
    }
    return error;
}

static bool is_nonblocking(struct file *file)
{
    return (atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_NONBLOCK) != 0;
}

static int wait_locked(struct file *file, struct pipe *pipe, struct waitqueue *queue)
{
    if (is_nonblocking(file)) {
        return -EAGAIN;
    }
    enum wait_result result = waitqueue_wait_until(queue, &pipe->lock, UINT64_MAX, true);
    return result == WAIT_INTERRUPTED ? -EINTR : 0;
}

static int pipe_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    struct pipe *pipe = file->state;
    int error = 0;
    bool is_writable = false; // for those who poll, from now on
    if (size == 0) {
        return 0;
    }
    mutex_lock(&pipe->lock);
    while (available(pipe) == 0 && pipe->has_writer && error == 0) {
        error = wait_locked(file, pipe, &pipe->readers);
    }
    size_t part = available(pipe) < size ? available(pipe) : size;
    if (part > 0) {
        bool was_writable = room(pipe) >= PIPE_ATOMIC;
        error = ring_take(pipe, data, part);
        *done = error == 0 ? part : 0;
        is_writable = !was_writable && room(pipe) >= PIPE_ATOMIC;
        waitqueue_wake_all(&pipe->writers);
    }
    mutex_unlock(&pipe->lock);
    if (is_writable) {
        poll_list_wake(&pipe->poll, POLL_OUT_ANY);
    }
    return error;
}

// How much of size may be put now: all of it or nothing up to PIPE_ATOMIC, any part of more.
static size_t room_for(const struct pipe *pipe, size_t size)
{
    size_t free = room(pipe);
    if (size <= PIPE_ATOMIC) {
        return free >= size ? size : 0;
    }
    return free < size ? free : size;
}

static int pipe_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)offset;
    struct pipe *pipe = file->state;
    int error = 0;
    if (size == 0) {
        return 0;
    }
    bool is_atomic = size <= PIPE_ATOMIC;
    mutex_lock(&pipe->lock);
    while (*done < size && error == 0) {
        size_t part = room_for(pipe, is_atomic ? size : size - *done);
        if (!pipe->has_reader) {
            error = -EPIPE;
        } else if (part == 0) {
            error = wait_locked(file, pipe, &pipe->writers);
        } else {
            error = ring_put(pipe, data + *done, part);
            *done += error == 0 ? part : 0;
            waitqueue_wake_all(&pipe->readers);
            poll_list_wake(&pipe->poll, POLL_IN_ANY);
        }
    }
    mutex_unlock(&pipe->lock);
    // What went in counts; only a broken pipe is told at once (core/linux raises SIGPIPE).
    return *done > 0 ? 0 : error;
}

static unsigned pipe_poll(struct file *file, struct poll_entry *entry)
{
    struct pipe *pipe = file->state;
    if (entry != NULL) {
        poll_list_add(&pipe->poll, entry);
    }
    uint32_t access = atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS;
    unsigned events = 0;
    mutex_lock(&pipe->lock);
    if (access != OPEN_WRITE_ONLY) {
        events |= available(pipe) > 0 ? POLL_IN_ANY : 0;
        events |= !pipe->has_writer ? POLL_HANG_UP : 0;
    }
    if (access != OPEN_READ_ONLY) {
        events |= room(pipe) >= PIPE_ATOMIC ? POLL_OUT_ANY : 0;
        events |= !pipe->has_reader ? POLL_ERROR : 0;
    }
    mutex_unlock(&pipe->lock);
    return events;
}

static int pipe_control(struct file *file, unsigned long request, void *argument)
{
    struct pipe *pipe = file->state;
    if (request != FIONREAD) {
        return -ENOTTY;
    }
    mutex_lock(&pipe->lock);
    int count = (int)available(pipe);
    mutex_unlock(&pipe->lock);
    return hal_copy_safe(argument, &count, sizeof count);
}

static int pipe_status(struct file *file, struct file_status *status)
{
    struct pipe *pipe = file->state;
    *status = (struct file_status){
        .device = PIPE_DEVICE,
        .inode = pipe->inode,
        .link_count = 1,
        .block_size = 4096,
        .mode = MODE_FIFO | 0600,
        .uid = vnode_owner_uid,
        .gid = vnode_owner_gid,
        .accessed = pipe->changed,
        .modified = pipe->changed,
        .changed = pipe->changed,
    };
    return 0;
}

static void pipe_free(struct pipe *pipe)
{
    heap_free(pipe->ring);
    heap_free(pipe);
}

static void pipe_close(struct file *file)
{
    struct pipe *pipe = file->state;
    bool was_reader = (atomic_load(&file->flags) & OPEN_ACCESS) == OPEN_READ_ONLY;
    mutex_lock(&pipe->lock);
    pipe->has_reader &= !was_reader;
    pipe->has_writer &= was_reader;
    waitqueue_wake_all(&pipe->readers);
    waitqueue_wake_all(&pipe->writers);
    mutex_unlock(&pipe->lock);
    poll_list_wake(&pipe->poll, was_reader ? POLL_ERROR : POLL_HANG_UP);
    // Counted outside the mutex: the other end may still be on its way out of mutex_unlock.
    if (atomic_fetch_sub(&pipe->file_count, 1) == 1) {
        pipe_free(pipe);
    }
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .control = pipe_control,
    .status = pipe_status,
    .close = pipe_close,
};

static int end_create(struct file **file, struct pipe *pipe, uint32_t flags)
{
    int error = file_create(file, &pipe_ops, flags, pipe);
    if (error == 0) {
        (*file)->is_stream = true;
        atomic_fetch_add(&pipe->file_count, 1);
    }
    return error;
}

int pipe_create(struct file **reader, struct file **writer, uint32_t flags)
{
    struct pipe *pipe = heap_alloc_zeroed(sizeof *pipe);
    if (pipe == NULL) {
        return -ENOMEM;
    }
    pipe->ring = heap_alloc(PIPE_SIZE);
    if (pipe->ring == NULL) {
        heap_free(pipe);
        return -ENOMEM;
    }
    pipe->has_reader = pipe->has_writer = true;
    pipe->inode = atomic_fetch_add_explicit(&inode_next, 1, memory_order_relaxed);
    pipe->changed = file_time_now();
    flags &= OPEN_NONBLOCK;
    int error = end_create(reader, pipe, flags | OPEN_READ_ONLY);
    if (error != 0) {
        pipe_free(pipe);
        return error;
    }
    error = end_create(writer, pipe, flags | OPEN_WRITE_ONLY);
    if (error != 0) {
        file_put(*reader); // and with it the pipe
    }
    return error;
}
