// SPDX-License-Identifier: BSD-3-Clause
// pipe.c: pipes and FIFOs, as pipe(7) and fifo(7) have them: a ring of 64 KiB unless it is told
// otherwise, writes of at most 4096 bytes in one piece.
//
// Who reads at an empty ring offers its buffer: a writer copies there what the ring need not hold
// then. Invariant: while somebody waits to read, the ring is empty.
//
// A FIFO's pipe is there while somebody has it open, and hangs on its node (place).
//
// Files are lent (borrow.h), so lock and poll are never made anew: a pipe's memory may be used as
// one when it is free, or another, by those who are late.
#include "core/vfs/pipe.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/borrow.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"
#include "hal/hal.h"

enum { PIPE_SIZE = 65536, PIPE_ATOMIC = 4096, FIONREAD = 0x541b };

struct pipe {
    struct mutex lock; // guards all but poll, file_count and place
    struct waitqueue readers, writers;
    struct waitqueue openers;            // of a FIFO, until the other end is open
    uint32_t reader_count, writer_count; // open ends
    uint64_t reader_total, writer_total; // those that there ever were
    _Atomic uint32_t file_count;         // open files; of a FIFO also those that are being opened
    uint64_t taken, put;                 // bytes since the beginning; put - taken <= size
    struct nameless nameless; // not of a FIFO
    struct poll_list poll; // of both ends
    size_t size;           // of ring, a power of two
    char *ring;
    // Of a FIFO: where its node keeps it, and what guards that and the fall of file_count to 0.
    struct pipe **place;
    struct mutex *place_lock;
};

static struct slab pipes = {.object_size = (sizeof(struct pipe) + 15) & ~(size_t)15};

static size_t available(const struct pipe *pipe)
{
    return (size_t)(pipe->put - pipe->taken);
}

static size_t room(const struct pipe *pipe)
{
    return pipe->size - available(pipe);
}

// Copies out of the ring; the part up to its end, then the part from its start.
static int ring_take(struct pipe *pipe, char *data, size_t size)
{
    size_t start = pipe->taken % pipe->size;
    size_t first = pipe->size - start < size ? pipe->size - start : size;
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
    size_t start = pipe->put % pipe->size;
    size_t first = pipe->size - start < size ? pipe->size - start : size;
    int error = hal_copy_safe(pipe->ring + start, data, first);
    if (error == 0 && size > first) {
        error = hal_copy_safe(pipe->ring, data + first, size - first);
    }
    if (error == 0) {
        pipe->put += size;
    }
    return error;
}

static uint32_t flags_of(const struct file *file)
{
    return atomic_load_explicit(&file->flags, memory_order_relaxed);
}

static bool reads(const struct file *file)
{
    return (flags_of(file) & OPEN_ACCESS) != OPEN_WRITE_ONLY;
}

static bool writes(const struct file *file)
{
    return (flags_of(file) & OPEN_ACCESS) != OPEN_READ_ONLY;
}

static int wait_locked(struct file *file, struct pipe *pipe, struct waitqueue *queue, bool waits)
{
    if (!waits) {
        return -EAGAIN;
    }
    return file_sleep(file, &pipe->lock, queue, NULL) == WAIT_INTERRUPTED ? -EINTR : 0;
}

static bool waits_by_flags(const struct file *file)
{
    return (flags_of(file) & OPEN_NONBLOCK) == 0;
}

// What a waiting reader offers to writers.
struct offer {
    struct file_offer offer;
    char *data;
    size_t size;
    size_t done; // > 0: it was served, and the pipe is not locked
};

// Until there is something to read, or can be no more, or the offer, if any, was served.
static int data_await(struct file *file, bool waits, struct offer *offer)
{
    struct pipe *pipe = file->state;
    while (available(pipe) == 0 && pipe->writer_count > 0) {
        if (!waits) {
            return -EAGAIN;
        }
        enum wait_result result =
            file_sleep(file, &pipe->lock, &pipe->readers, offer == NULL ? NULL : &offer->offer);
        if (result != WAIT_WOKEN) {
            return result == WAIT_INTERRUPTED ? -EINTR : 0;
        }
    }
    return 0;
}

// The part of size bytes that a read is to have: all, where no short reads are planted.
static size_t part_of(size_t size)
{
    return size > 1 && hal_inject(HAL_INJECT_SHORT) ? size - size / 2 : size;
}

static int read_borrowed(struct file *file, char *data, size_t size, size_t *done)
{
    struct pipe *pipe = file->state;
    struct offer offer = {.offer.file = file, .data = data, .size = size};
    if (!reads(file) || size == 0) {
        file_return(file, &pipe->lock);
        return !reads(file) ? -EBADF : 0;
    }
    int error = data_await(file, waits_by_flags(file), &offer);
    if (offer.done > 0) {
        *done = offer.done;
        return 0;
    }
    bool is_writable = false; // for those who poll, from now on
    size_t whole = available(pipe) < size ? available(pipe) : size;
    size_t part = part_of(whole);
    if (part > 0) {
        bool was_writable = room(pipe) >= PIPE_ATOMIC;
        error = ring_take(pipe, data, part);
        *done = error == 0 ? part : 0;
        is_writable = !was_writable && room(pipe) >= PIPE_ATOMIC;
        waitqueue_wake_all(&pipe->writers);
    }
    file_return(file, &pipe->lock);
    if (is_writable) {
        poll_list_wake_ordered(&pipe->poll, POLL_OUT_ANY);
    }
    if (part < whole) {
        // As if the rest came only now: who reads at edges takes less than asked for as all.
        poll_list_wake(&pipe->poll, POLL_IN_ANY);
    }
    return error;
}

static int pipe_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    struct pipe *pipe = file->state;
    mutex_lock(&pipe->lock);
    return read_borrowed(file, data, size, done);
}

// lock is held. Gives a waiting reader, if there is one, what it can take. What cannot be copied
// goes through the ring, or does not: then one of the two is told that its buffer is none.
static size_t reader_serve(struct pipe *pipe, const char *data, size_t size)
{
    struct file_offer *first = file_offered(&pipe->readers);
    if (first == NULL) {
        return 0;
    }
    struct offer *offer = container_of(first, struct offer, offer);
    size_t part = part_of(offer->size < size ? offer->size : size);
    if (hal_copy_safe(offer->data, data, part) != 0) {
        return 0;
    }
    offer->done = part;
    file_serve(&pipe->readers, first);
    return part;
}

// How much of size may be put now: all of it or nothing if it is atomic, else any part.
static size_t room_for(const struct pipe *pipe, size_t size, bool is_atomic)
{
    size_t free = room(pipe);
    if (is_atomic) {
        return free >= size ? size : 0;
    }
    return free < size ? free : size;
}

// lock is held, and there is a reader. Moves what can be moved now: *done bytes, perhaps none.
static int write_some(struct pipe *pipe, const char *data, size_t size, bool is_atomic,
                      size_t *done)
{
    *done = reader_serve(pipe, data, size);
    if (*done > 0) {
        return 0;
    }
    size_t part = room_for(pipe, size, is_atomic);
    int error = part > 0 ? ring_put(pipe, data, part) : 0;
    if (part > 0 && error == 0) {
        *done = part;
        waitqueue_wake_all(&pipe->readers);
    }
    return error;
}

static int write_borrowed(struct file *file, const char *data, size_t size, size_t *done)
{
    struct pipe *pipe = file->state;
    int error = writes(file) ? 0 : -EBADF;
    bool is_atomic = size <= PIPE_ATOMIC;
    while (*done < size && error == 0) {
        size_t step = 0;
        error = pipe->reader_count == 0
                    ? -EPIPE
                    : write_some(pipe, data + *done, size - *done, is_atomic, &step);
        *done += step;
        if (step > 0) {
            poll_list_wake_ordered(&pipe->poll, POLL_IN_ANY);
        } else if (error == 0) {
            error = wait_locked(file, pipe, &pipe->writers, waits_by_flags(file));
        }
    }
    file_return(file, &pipe->lock);
    // What went in counts; only a broken pipe is told at once (core/linux raises SIGPIPE).
    return *done > 0 ? 0 : error;
}

static int pipe_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    (void)offset;
    struct pipe *pipe = file->state;
    mutex_lock(&pipe->lock);
    return write_borrowed(file, data, size, done);
}

static unsigned pipe_poll(struct file *file, struct poll_entry *entry)
{
    struct pipe *pipe = file->state;
    if (entry != NULL) {
        poll_list_add(&pipe->poll, entry);
    }
    unsigned events = 0;
    mutex_lock(&pipe->lock);
    if (reads(file)) {
        events |= available(pipe) > 0 ? POLL_IN_ANY : 0;
        // Not before there was a writer (see fifo_join).
        bool has_hung_up = pipe->writer_count == 0 && pipe->writer_total != file->offset;
        events |= has_hung_up ? POLL_HANG_UP : 0;
    }
    if (writes(file)) {
        events |= room(pipe) >= PIPE_ATOMIC ? POLL_OUT_ANY : 0;
        events |= pipe->reader_count == 0 ? POLL_ERROR : 0;
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

static struct nameless *pipe_nameless(struct file *file)
{
    struct pipe *pipe = file->state;
    return &pipe->nameless;
}

// ---- Ends ----

// One more end, or two for a file that reads and writes.
static void ends_add(struct pipe *pipe, struct file *file)
{
    if (reads(file)) {
        ++pipe->reader_count;
        ++pipe->reader_total;
    }
    if (writes(file)) {
        ++pipe->writer_count;
        ++pipe->writer_total;
    }
    waitqueue_wake_all(&pipe->openers);
}

static void ends_remove(struct pipe *pipe, struct file *file)
{
    mutex_lock(&pipe->lock);
    pipe->reader_count -= reads(file);
    pipe->writer_count -= writes(file);
    waitqueue_wake_all(&pipe->readers);
    waitqueue_wake_all(&pipe->writers);
    mutex_unlock(&pipe->lock);
    poll_list_wake_ordered(&pipe->poll,
                           (reads(file) ? POLL_ERROR : 0) | (writes(file) ? POLL_HANG_UP : 0));
}

static void pipe_free(struct pipe *pipe)
{
    heap_free(pipe->ring);
    pipe->ring = NULL;
    slab_free(&pipes, pipe);
}

static void pipe_drop(struct pipe *pipe)
{
    struct mutex *place_lock = pipe->place_lock;
    if (place_lock != NULL) {
        mutex_lock(place_lock);
    }
    bool is_last = atomic_fetch_sub(&pipe->file_count, 1) == 1;
    if (is_last && place_lock != NULL) {
        *pipe->place = NULL;
    }
    if (place_lock != NULL) {
        mutex_unlock(place_lock);
    }
    if (is_last) {
        pipe_free(pipe);
    }
}

static void pipe_close(struct file *file)
{
    ends_remove(file->state, file);
    pipe_drop(file->state);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .read_borrowed = read_borrowed,
    .write_borrowed = write_borrowed,
    .poll = pipe_poll,
    .control = pipe_control,
    .nameless = pipe_nameless,
    .close = pipe_close,
};

// The status is the node's.
static const struct file_ops fifo_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .read_borrowed = read_borrowed,
    .write_borrowed = write_borrowed,
    .poll = pipe_poll,
    .control = pipe_control,
    .close = pipe_close,
};

static struct pipe *pipe_new(void)
{
    struct pipe *pipe = slab_alloc(&pipes);
    if (pipe == NULL) {
        return NULL;
    }
    pipe->size = PIPE_SIZE;
    pipe->ring = heap_alloc(PIPE_SIZE);
    if (pipe->ring == NULL) {
        slab_free(&pipes, pipe);
        return NULL;
    }
    pipe->readers = pipe->writers = pipe->openers = (struct waitqueue){0};
    pipe->reader_count = pipe->writer_count = 0;
    pipe->reader_total = pipe->writer_total = 0;
    pipe->taken = pipe->put = 0;
    pipe->place = NULL;
    pipe->place_lock = NULL;
    return pipe;
}

static int end_create(struct file **file, struct pipe *pipe, uint32_t flags)
{
    int error = file_create(file, &pipe_ops, flags, pipe);
    if (error == 0) {
        (*file)->is_stream = true;
        atomic_fetch_add(&pipe->file_count, 1);
        ends_add(pipe, *file); // nobody else knows it
        file_lend(*file, &pipe->lock);
    }
    return error;
}

int pipe_create(struct file **reader, struct file **writer, uint32_t flags)
{
    struct pipe *pipe = pipe_new();
    if (pipe == NULL) {
        return -ENOMEM;
    }
    nameless_init(&pipe->nameless, MODE_FIFO | 0600);
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

// ---- FIFOs ----

// Until somebody has opened the other end, be it closed again by then.
static int partner_await(struct file *file, struct pipe *pipe, const uint64_t *total)
{
    uint64_t before = *total;
    int error = 0;
    while (*total == before && error == 0) {
        error = wait_locked(file, pipe, &pipe->openers, true);
    }
    return error;
}

// lock is held. A reader that does not wait for a writer notes how many there were, so that its
// poll does not tell of a hang-up before one has come.
static int fifo_join(struct pipe *pipe, struct file *file)
{
    bool waits = waits_by_flags(file);
    if (!reads(file) && !waits && pipe->reader_count == 0) {
        return -ENXIO;
    }
    ends_add(pipe, file);
    if (!writes(file) && pipe->writer_count == 0) {
        file->offset = pipe->writer_total;
        return waits ? partner_await(file, pipe, &pipe->writer_total) : 0;
    }
    if (!reads(file) && pipe->reader_count == 0) {
        return partner_await(file, pipe, &pipe->reader_total);
    }
    return 0;
}

int fifo_open(struct pipe **place, struct mutex *place_lock, struct file *file)
{
    mutex_lock(place_lock);
    if (*place == NULL && (*place = pipe_new()) != NULL) {
        (*place)->place = place;
        (*place)->place_lock = place_lock;
    }
    struct pipe *pipe = *place;
    if (pipe != NULL) {
        atomic_fetch_add(&pipe->file_count, 1);
    }
    mutex_unlock(place_lock);
    if (pipe == NULL) {
        return -ENOMEM;
    }
    mutex_lock(&pipe->lock);
    int error = fifo_join(pipe, file);
    mutex_unlock(&pipe->lock);
    if (error != 0) {
        if (error != -ENXIO) {
            ends_remove(pipe, file);
        }
        pipe_drop(pipe);
        return error;
    }
    file->ops = &fifo_ops;
    file->state = pipe;
    file->is_stream = true;
    file_lend(file, &pipe->lock);
    return 0;
}

bool file_is_pipe(const struct file *file)
{
    return file->ops == &pipe_ops || file->ops == &fifo_ops;
}

// ---- Size ----

int pipe_size(const struct file *file)
{
    struct pipe *pipe = file->state;
    mutex_lock(&pipe->lock);
    int size = (int)pipe->size;
    mutex_unlock(&pipe->lock);
    return size;
}

// lock is held. Takes the ring over, also on failure.
static int ring_replace(struct pipe *pipe, char *ring, size_t size)
{
    size_t count = available(pipe);
    int error = ring == NULL ? -ENOMEM : count > size ? -EBUSY : 0;
    if (error != 0) {
        heap_free(ring);
        return error;
    }
    error = ring_take(pipe, ring, count);
    ASSERT(error == 0); // core's own memory
    heap_free(pipe->ring);
    pipe->ring = ring;
    pipe->size = size;
    pipe->taken = 0;
    pipe->put = count;
    waitqueue_wake_all(&pipe->writers);
    return 0;
}

int pipe_size_set(struct file *file, size_t wanted)
{
    struct pipe *pipe = file->state;
    size_t size = HAL_PAGE_SIZE;
    if (wanted > (size_t)INT32_MAX + 1) {
        return -EINVAL;
    }
    while (size < wanted) {
        size *= 2;
    }
    if (size > PIPE_SIZE_MAX && vnode_owner_uid != 0) {
        return -EPERM;
    }
    char *ring = size > INT32_MAX ? NULL : heap_alloc(size);
    mutex_lock(&pipe->lock);
    int error = ring_replace(pipe, ring, size);
    mutex_unlock(&pipe->lock);
    if (error == 0) {
        poll_list_wake_ordered(&pipe->poll, POLL_OUT_ANY);
    }
    return error != 0 ? error : (int)size;
}

// ---- Moving without a buffer between ----

// The part of the ring at position, at most size bytes, that lies in one piece.
static size_t piece_at(const struct pipe *pipe, uint64_t position, size_t size)
{
    size_t left = pipe->size - (size_t)(position % pipe->size);
    return left < size ? left : size;
}

int pipe_drain(struct file *file, size_t size, bool waits, const struct pipe_peer *to, size_t *done)
{
    struct pipe *pipe = file->state;
    mutex_lock(&pipe->lock);
    int error = data_await(file, waits && waits_by_flags(file), NULL);
    bool is_full = true;
    while (error == 0 && is_full && *done < size && available(pipe) > 0) {
        size_t wanted = size - *done < available(pipe) ? size - *done : available(pipe);
        size_t part = piece_at(pipe, pipe->taken, wanted);
        size_t moved = 0;
        error = to->move(to->argument, pipe->ring + pipe->taken % pipe->size, part, &moved);
        pipe->taken += moved;
        *done += moved;
        is_full = moved == part;
    }
    if (*done > 0) {
        waitqueue_wake_all(&pipe->writers);
    }
    mutex_unlock(&pipe->lock);
    if (*done > 0) {
        poll_list_wake_ordered(&pipe->poll, POLL_OUT_ANY);
    }
    return *done > 0 ? 0 : error;
}

// Until something can be written, or nobody reads any more.
static int room_await(struct file *file, bool waits)
{
    struct pipe *pipe = file->state;
    int error = 0;
    while (room(pipe) == 0 && pipe->reader_count > 0 && error == 0) {
        error = wait_locked(file, pipe, &pipe->writers, waits);
    }
    return pipe->reader_count == 0 ? -EPIPE : error;
}

int pipe_fill(struct file *file, size_t size, bool waits, const struct pipe_peer *from,
              size_t *done)
{
    struct pipe *pipe = file->state;
    mutex_lock(&pipe->lock);
    int error = room_await(file, waits && waits_by_flags(file));
    bool is_full = true;
    while (error == 0 && is_full && *done < size && room(pipe) > 0) {
        size_t wanted = size - *done < room(pipe) ? size - *done : room(pipe);
        size_t part = piece_at(pipe, pipe->put, wanted);
        size_t moved = 0;
        error = from->move(from->argument, pipe->ring + pipe->put % pipe->size, part, &moved);
        pipe->put += moved;
        *done += moved;
        is_full = moved == part;
    }
    if (*done > 0) {
        waitqueue_wake_all(&pipe->readers);
    }
    mutex_unlock(&pipe->lock);
    if (*done > 0) {
        poll_list_wake_ordered(&pipe->poll, POLL_IN_ANY);
    }
    return *done > 0 ? 0 : error;
}

static void both_lock(struct pipe *a, struct pipe *b)
{
    mutex_lock((uintptr_t)a < (uintptr_t)b ? &a->lock : &b->lock);
    mutex_lock((uintptr_t)a < (uintptr_t)b ? &b->lock : &a->lock);
}

static void both_unlock(struct pipe *a, struct pipe *b)
{
    mutex_unlock(&a->lock);
    mutex_unlock(&b->lock);
}

// Both locks are held, there are data and room.
static void pipe_to_pipe(struct pipe *from, struct pipe *to, size_t size, size_t *done)
{
    size = size < available(from) ? size : available(from);
    size = size < room(to) ? size : room(to);
    while (*done < size) {
        size_t part = piece_at(from, from->taken + *done, size - *done);
        part = piece_at(to, to->put, part);
        memcpy(to->ring + to->put % to->size, from->ring + (from->taken + *done) % from->size,
               part);
        to->put += part;
        *done += part;
    }
    waitqueue_wake_all(&to->readers);
}

int pipe_copy(struct file *from_file, struct file *to_file, size_t size, bool waits, bool keeps,
              size_t *done)
{
    struct pipe *from = from_file->state;
    struct pipe *to = to_file->state;
    if (from == to) {
        return -EINVAL;
    }
    waits = waits && waits_by_flags(from_file) && waits_by_flags(to_file);
    int error = 0;
    bool is_over = false;
    // Each is waited for by itself; what it has may be gone by the time both are held.
    while (error == 0 && !is_over && *done == 0) {
        mutex_lock(&from->lock);
        error = data_await(from_file, waits, NULL);
        mutex_unlock(&from->lock);
        if (error != 0) {
            break;
        }
        mutex_lock(&to->lock);
        error = room_await(to_file, waits);
        mutex_unlock(&to->lock);
        if (error != 0) {
            break;
        }
        both_lock(from, to);
        is_over = available(from) == 0 && from->writer_count == 0;
        pipe_to_pipe(from, to, size, done);
        if (!keeps) {
            from->taken += *done;
            waitqueue_wake_all(&from->writers);
        }
        both_unlock(from, to);
    }
    if (*done > 0) {
        poll_list_wake_ordered(&to->poll, POLL_IN_ANY);
        poll_list_wake_ordered(&from->poll, POLL_OUT_ANY);
    }
    return error;
}
