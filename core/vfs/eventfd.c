// SPDX-License-Identifier: BSD-3-Clause
// eventfd.c: counters to wait for, as eventfd(2) has them.
//
// Who reads at 0 waits for a writer to give it its answer. Invariant: while somebody waits to read,
// value is 0. Files are lent (borrow.h), so lock and poll are never made anew.
#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/mem/slab.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/borrow.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"
#include "hal/hal.h"

struct eventfd {
    struct mutex lock; // guards value and the queues
    struct waitqueue readers, writers;
    uint64_t value; // < UINT64_MAX
    bool is_semaphore;
    struct poll_list poll;
};

// What a waiting reader offers to writers.
struct offer {
    struct file_offer offer;
    uint64_t answer;
};

static struct slab eventfds = {.object_size = (sizeof(struct eventfd) + 15) & ~(size_t)15};

static bool waits(const struct file *file)
{
    return (atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_NONBLOCK) == 0;
}

// lock is held, and there is something to take.
static uint64_t value_take(struct eventfd *event)
{
    uint64_t answer = event->is_semaphore ? 1 : event->value;
    event->value -= answer;
    return answer;
}

// The lock is given back.
static int answer_await(struct file *file, struct eventfd *event, uint64_t *answer)
{
    struct offer offer = {.offer.file = file};
    int error = 0;
    while (event->value == 0 && error == 0) {
        if (!waits(file)) {
            error = -EAGAIN;
            break;
        }
        enum wait_result result = file_sleep(file, &event->lock, &event->readers, &offer.offer);
        if (result == WAIT_SERVED) {
            *answer = offer.answer;
            return 0;
        }
        error = result == WAIT_INTERRUPTED ? -EINTR : 0;
    }
    if (error == 0) {
        *answer = value_take(event);
        waitqueue_wake_all(&event->writers);
    }
    file_return(file, &event->lock);
    return error;
}

static int read_borrowed(struct file *file, char *data, size_t size, size_t *done)
{
    struct eventfd *event = file->state;
    uint64_t answer;
    if (size < sizeof answer) {
        file_return(file, &event->lock);
        return -EINVAL;
    }
    int error = answer_await(file, event, &answer);
    if (error == 0) {
        poll_list_wake_ordered(&event->poll, POLL_OUT);
        *done = sizeof answer;
        error = hal_copy_safe(data, &answer, sizeof answer);
    }
    return error;
}

static int eventfd_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    struct eventfd *event = file->state;
    mutex_lock(&event->lock);
    return read_borrowed(file, data, size, done);
}

// lock is held.
static void readers_serve(struct eventfd *event)
{
    struct file_offer *first;
    while (event->value > 0 && (first = file_offered(&event->readers)) != NULL) {
        container_of(first, struct offer, offer)->answer = value_take(event);
        file_serve(&event->readers, first);
    }
}

// lock is held.
static int value_add(struct file *file, struct eventfd *event, uint64_t add)
{
    int error = add == UINT64_MAX ? -EINVAL : 0;
    while (error == 0 && add > UINT64_MAX - 1 - event->value) {
        error = !waits(file) ? -EAGAIN
                : file_sleep(file, &event->lock, &event->writers, NULL) == WAIT_INTERRUPTED ? -EINTR
                                                                                            : 0;
    }
    if (error == 0) {
        event->value += add;
        readers_serve(event);
    }
    return error;
}

static int write_borrowed(struct file *file, const char *data, size_t size, size_t *done)
{
    struct eventfd *event = file->state;
    uint64_t add;
    int error = size < sizeof add ? -EINVAL : hal_copy_safe(&add, data, sizeof add);
    error = error != 0 ? error : value_add(file, event, add);
    file_return(file, &event->lock);
    if (error == 0) {
        poll_list_wake_ordered(&event->poll, POLL_IN);
        *done = sizeof add;
    }
    return error;
}

static int eventfd_write(struct file *file, uint64_t offset, const char *data, size_t size,
                         size_t *done)
{
    (void)offset;
    struct eventfd *event = file->state;
    mutex_lock(&event->lock);
    return write_borrowed(file, data, size, done);
}

void eventfd_signal(struct file *file)
{
    struct eventfd *event = file->state;
    mutex_lock(&event->lock);
    if (event->value < UINT64_MAX - 1) {
        ++event->value;
        readers_serve(event);
    }
    file_return(file, &event->lock);
    poll_list_wake_ordered(&event->poll, POLL_IN);
}

static unsigned eventfd_poll(struct file *file, struct poll_entry *entry)
{
    struct eventfd *event = file->state;
    if (entry != NULL) {
        poll_list_add(&event->poll, entry);
    }
    mutex_lock(&event->lock);
    unsigned events = event->value > 0 ? POLL_IN : 0;
    events |= event->value < UINT64_MAX - 1 ? POLL_OUT : 0;
    mutex_unlock(&event->lock);
    return events;
}

static void eventfd_close(struct file *file)
{
    slab_free(&eventfds, file->state);
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .read_borrowed = read_borrowed,
    .write_borrowed = write_borrowed,
    .seek = file_seek_nowhere,
    .poll = eventfd_poll,
    .status = nameless_shared_status,
    .close = eventfd_close,
};

bool file_is_eventfd(const struct file *file)
{
    return file->ops == &eventfd_ops;
}

int eventfd_create(struct file **file, uint32_t value, bool is_semaphore, uint32_t flags)
{
    struct eventfd *event = slab_alloc(&eventfds);
    if (event == NULL) {
        return -ENOMEM;
    }
    event->readers = event->writers = (struct waitqueue){0};
    event->value = value;
    event->is_semaphore = is_semaphore;
    int error = file_create(file, &eventfd_ops, (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE, event);
    if (error != 0) {
        slab_free(&eventfds, event);
        return error;
    }
    (*file)->is_stream = true;
    file_lend(*file, &event->lock);
    return 0;
}
