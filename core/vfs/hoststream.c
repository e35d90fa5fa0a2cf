// SPDX-License-Identifier: BSD-3-Clause
// hoststream.c: files of the host that one may have to wait for: its standard streams, fifos and
// terminals.
//
// The far end never blocks in a READ or WRITE: where nothing can be done it answers -EAGAIN. Then
// the caller waits as in poll(2), for which the far end watches the file (FUSE_POLL with
// FUSE_POLL_WAIT), and tries again. So a signal that ends the wait takes nothing with it, and there
// are never more than two waits of a file under way at the far end.
//
// Who stays in the list of waiters (epoll) is told of every read and write that may have used up
// what was ready: the far end then waits again.
#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/vfs/hostfs.h"
#include "core/vfs/poll.h"

struct host_watch {
    _Atomic uint32_t reference_count; // the file, and each wait under way
    _Atomic uint32_t waiting;         // events (POLL_IN, POLL_OUT) that the far end waits for
    struct poll_list waiters;
};

struct host_wait { // argument of one wait
    struct host_watch *watch;
    uint32_t event;
};

int host_watch_new(struct host_watch **result)
{
    struct host_watch *watch = heap_alloc_zeroed(sizeof *watch);
    if (watch == NULL) {
        return -ENOMEM;
    }
    atomic_init(&watch->reference_count, 1);
    *result = watch;
    return 0;
}

void host_watch_close(struct host_watch *watch)
{
    if (atomic_fetch_sub(&watch->reference_count, 1) == 1) {
        heap_free(watch);
    }
}

static unsigned events_all(uint32_t events)
{
    return events | ((events & POLL_IN) != 0 ? POLL_IN_NORMAL : 0) |
           ((events & POLL_OUT) != 0 ? POLL_OUT_NORMAL : 0);
}

static void wait_done(void *argument, uint32_t events)
{
    struct host_wait *wait = argument;
    atomic_fetch_and(&wait->watch->waiting, ~wait->event);
    // They look for themselves, and wait again if need be.
    poll_list_wake(&wait->watch->waiters, events_all(events | wait->event));
    host_watch_close(wait->watch);
    heap_free(wait);
}

// Lets the far end wait for event, unless it does so already. Where it cannot, false.
static bool wait_start(const struct host_file *host, uint32_t event)
{
    struct host_watch *watch = host->watch;
    if ((atomic_fetch_or(&watch->waiting, event) & event) != 0) {
        return true;
    }
    struct host_wait *wait = heap_alloc(sizeof *wait);
    int error = -ENOMEM;
    if (wait != NULL) {
        *wait = (struct host_wait){watch, event};
        atomic_fetch_add(&watch->reference_count, 1);
        error = fs_poll_start(host->device, host->handle, event, wait_done, wait);
    }
    if (error != 0) {
        atomic_fetch_and(&watch->waiting, ~event);
        if (wait != NULL) {
            host_watch_close(watch);
            heap_free(wait);
        }
    }
    return error == 0;
}

static uint32_t events_now(const struct host_file *host, uint32_t events, bool waits)
{
    struct fuse_poll arguments = {
        .handle = host->handle, .flags = waits ? FUSE_POLL_WAITS_NEXT : 0, .events = events};
    struct fuse_poll_answer result;
    struct fs_call call = {.operation = FUSE_POLL,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    return fs_call(host->device, &call) == 0 ? events_all(result.events) : POLL_ERROR;
}

static unsigned stream_poll(struct file *file, struct poll_entry *entry)
{
    const struct host_file *host = file->state;
    uint32_t access = atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS;
    uint32_t wanted =
        (access != OPEN_WRITE_ONLY ? POLL_IN : 0) | (access != OPEN_READ_ONLY ? POLL_OUT : 0);
    if (entry != NULL) {
        poll_list_add(&host->watch->waiters, entry);
    }
    bool waits = !poll_list_is_empty(&host->watch->waiters);
    uint32_t ready = events_now(host, wanted | POLL_PRIORITY, waits);
    uint32_t missing = wanted & ~ready;
    if (missing == 0 || (ready & (POLL_ERROR | POLL_HANG_UP)) != 0 || !waits) {
        return ready;
    }
    for (uint32_t event = POLL_IN; event <= POLL_OUT; event <<= 1) {
        if ((missing & event) != 0 && !wait_start(host, event)) {
            ready |= event; // better a call that finds nothing than a wait that nobody ends
        }
    }
    return ready;
}

// After a read or write: who stays in the list is to be told when event comes again.
static void wait_again(const struct host_file *host, uint32_t event)
{
    if (!poll_list_is_empty(&host->watch->waiters)) {
        (void)wait_start(host, event); // no memory: the next poll answers that it is ready
    }
}

static int wait_for(struct file *file, unsigned event)
{
    if ((atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_NONBLOCK) != 0) {
        return -EAGAIN;
    }
    struct poll_item item = {.file = file, .wanted = event};
    int result = poll_wait(&item, 1, UINT64_MAX);
    return result < 0 ? result : 0;
}

static int stream_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    const struct host_file *host = file->state;
    if (size == 0) {
        return 0;
    }
    // One request: what is there is the answer. (host_read would ask again after a full buffer.)
    size_t max = fs_transfer_max(host->device);
    max = max < HEAP_SMALL_MAX ? max : HEAP_SMALL_MAX;
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_NONBLOCK;
    int error;
    do {
        error = host_read(host, offset, data, size < max ? size : max, flags, done);
        wait_again(host, POLL_IN);
        if (error != -EAGAIN) {
            return error;
        }
        error = wait_for(file, POLL_IN);
    } while (error == 0);
    return error;
}

static int stream_write(struct file *file, uint64_t offset, const char *data, size_t size,
                        size_t *done)
{
    const struct host_file *host = file->state;
    int error = 0;
    while (*done < size && error == 0) {
        size_t part = 0;
        uint64_t at = offset == FILE_OFFSET_NONE ? offset : offset + *done;
        error = host_write(host, at, data + *done, size - *done, &part);
        *done += part;
        wait_again(host, POLL_OUT);
        if (error == -EAGAIN || (error == 0 && *done < size)) {
            error = wait_for(file, POLL_OUT);
        }
    }
    return *done > 0 ? 0 : error;
}

static int stream_seek(struct file *file, int64_t offset, enum seek_from from, uint64_t *result)
{
    *result = 0;
    return host_file_seek(file->state, (uint64_t)offset, from, result);
}

// ---- Terminal requests: which structure goes which way (Linux's asm-generic/ioctls.h) ----

struct control_kind {
    uint32_t request;
    uint8_t in_size, out_size;
};

static const struct control_kind control_kinds[] = {
    {0x5401, 0, 36},     {0x5402, 36, 0},     {0x5403, 36, 0},
    {0x5404, 36, 0},                                          // TCGETS TCSETS TCSETSW TCSETSF
    {0x5409, 0, 0},      {0x540a, 0, 0},      {0x540b, 0, 0}, // TCSBRK TCXONC TCFLSH
    {0x540f, 0, 4},      {0x5410, 4, 0},      {0x5411, 0, 4}, // TIOCGPGRP TIOCSPGRP TIOCOUTQ
    {0x5413, 0, 8},      {0x5414, 8, 0},      {0x541b, 0, 4}, // TIOCGWINSZ TIOCSWINSZ FIONREAD
    {0x5424, 0, 4},      {0x5425, 0, 0},      {0x5429, 0, 4}, // TIOCGETD TCSBRKP TIOCGSID
    {0x802c542a, 0, 44}, {0x402c542b, 44, 0}, {0x402c542c, 44, 0},
    {0x402c542d, 44, 0}, // TCGETS2 ...
};

static int control_request(const struct host_file *host, const struct control_kind *kind,
                           void *argument, char *buffer)
{
    struct fuse_ioctl arguments = {.handle = host->handle,
                                   .request = kind->request,
                                   .argument = (uintptr_t)argument,
                                   .in_size = kind->in_size,
                                   .out_size = kind->out_size};
    struct fuse_ioctl_answer answer;
    struct fs_call call = {.operation = FUSE_IOCTL,
                           .node = host->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &answer,
                           .result_size = sizeof answer};
    if (kind->in_size > 0) {
        int error = hal_copy_safe(buffer, argument, kind->in_size);
        if (error != 0) {
            return error;
        }
        call.data = buffer;
        call.data_size = kind->in_size;
    }
    if (kind->out_size > 0) {
        call.data_out = buffer;
        call.data_out_size = kind->out_size;
    }
    int error = fs_call(host->device, &call);
    if (error == 0 && kind->out_size > 0) {
        error = call.data_out_done == kind->out_size
                    ? hal_copy_safe(argument, buffer, kind->out_size)
                    : -EIO;
    }
    return error != 0 ? error : answer.result;
}

static int stream_control(struct file *file, unsigned long request, void *argument)
{
    enum { BUFFER_SIZE = 64 };
    const struct control_kind *kind = NULL;
    for (size_t i = 0; i < sizeof control_kinds / sizeof control_kinds[0]; ++i) {
        kind = control_kinds[i].request == (uint32_t)request ? &control_kinds[i] : kind;
    }
    if (kind == NULL) {
        return -ENOTTY;
    }
    char *buffer = heap_alloc(BUFFER_SIZE);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    int result = control_request(file->state, kind, argument, buffer);
    heap_free(buffer);
    return result;
}

const struct file_ops host_stream_ops = {
    .read = stream_read,
    .write = stream_write,
    .seek = stream_seek,
    .poll = stream_poll,
    .control = stream_control,
    .truncate = host_file_truncate,
    .sync = host_file_sync,
    .close = host_file_close,
};
