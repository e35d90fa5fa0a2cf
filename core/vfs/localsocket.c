// SPDX-License-Identifier: BSD-3-Clause
// localsocket.c: pairs of local sockets: to each end a queue of messages, from which its reader
// takes.
//
// One lock for both ends. A stream's bytes are messages of at most half of what may be under way.
// What is sent is copied before the lock is taken; what is received, under it.
//
// Files that are in a message when it goes away are put by free_files, one after the other: putting
// one may close a socket whose own messages hold further files.
#include "core/vfs/localsocket.h"

#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sync/waitqueue.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"

enum {
    LIMIT_DEFAULT = 212992, // net.core.wmem_default of Linux
    MESSAGE_COST = 768,     // what Linux counts beside the bytes, about
    SOCKET_DEVICE = 8,
    INPUT_COUNT = 0x541b,  // FIONREAD
    OUTPUT_COUNT = 0x5411, // TIOCOUTQ
};

struct message {
    struct list node;
    size_t size, taken; // bytes
    enum localsocket_sender sender;
    struct localsocket_credentials credentials;
    struct file **files; // NULL: none; else file_count of them
    uint32_t file_count;
    struct message *next_doomed;
    char data[];
};

struct end {
    struct localsocket_pair *pair;
    struct list messages; // to this end
    size_t byte_count;    // not yet taken, of all messages
    size_t cost;          // of all messages
    struct waitqueue readers;
    struct waitqueue writers; // at the other end: they wait for room here
    unsigned shut;            // enum localsocket_shut
    bool is_closed;
    bool is_alone; // has been told that the other end is
    int error;     // to be told once
    struct poll_list poll;
    struct localsocket_options options;
};

struct localsocket_pair {
    struct mutex lock; // guards the ends but polls and options
    enum localsocket_type type;
    uint64_t inode;
    struct file_time changed;
    _Atomic uint32_t file_count;
    struct end ends[2];
};

static _Atomic uint64_t inode_next = 20000;

static struct end *end_of(const struct file *file)
{
    return file->state;
}

static struct end *other_of(struct end *end)
{
    struct localsocket_pair *pair = end->pair;
    return end == &pair->ends[0] ? &pair->ends[1] : &pair->ends[0];
}

static bool has_end(const struct localsocket_pair *pair) // that the other side is told of
{
    return pair->type != LOCALSOCKET_DATAGRAM;
}

static size_t message_cost(const struct message *message)
{
    return message->size + MESSAGE_COST;
}

// ---- The end of messages -------------------------------------------------

static _Atomic(struct message *) doomed;
static _Atomic bool is_freeing;

static void files_put(struct message *message)
{
    for (uint32_t i = 0; i < message->file_count; ++i) {
        file_put(message->files[i]);
    }
    heap_free(message->files);
    heap_free(message);
}

// Whoever comes while another is at it, or from within, leaves the work to that one.
static void doomed_free(void)
{
    while (atomic_load(&doomed) != NULL) {
        if (atomic_exchange(&is_freeing, true)) {
            MARK("localsocket: left to who is at it");
            return;
        }
        struct message *message = atomic_exchange(&doomed, NULL);
        while (message != NULL) {
            struct message *next = message->next_doomed;
            files_put(message);
            message = next;
        }
        atomic_store(&is_freeing, false);
    }
}

// The caller holds no lock.
static void message_free(struct message *message)
{
    if (message->file_count == 0) {
        heap_free(message);
        return;
    }
    message->next_doomed = atomic_load(&doomed);
    while (!atomic_compare_exchange_weak(&doomed, &message->next_doomed, message)) {
    }
    doomed_free();
}

// ---- Vectors -------------------------------------------------------------

struct place { // in vectors
    const struct io_vector *vector;
    size_t offset;
};

// Moves size bytes between flat memory and vectors, from place on.
static int vectors_copy(struct place *place, char *flat, size_t size, bool is_out)
{
    size_t done = 0;
    while (done < size) {
        if (place->offset == place->vector->size) {
            ++place->vector;
            place->offset = 0;
            continue;
        }
        size_t left = place->vector->size - place->offset;
        size_t part = size - done < left ? size - done : left;
        char *user = place->vector->data + place->offset;
        int error = is_out ? hal_copy_safe(user, flat + done, part)
                           : hal_copy_safe(flat + done, user, part);
        if (error != 0) {
            return error;
        }
        done += part;
        place->offset += part;
    }
    return 0;
}

static size_t vectors_size(const struct localsocket_message *message)
{
    size_t size = 0;
    for (size_t i = 0; i < message->count; ++i) {
        size += message->vectors[i].size;
    }
    return size;
}

// ---- Waiting -------------------------------------------------------------

struct patience {
    bool waits;
    hal_ns deadline;
};

static struct patience patience_of(const struct file *file,
                                   const struct localsocket_message *message,
                                   const _Atomic hal_ns *timeout)
{
    const uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    const hal_ns span = atomic_load_explicit(timeout, memory_order_relaxed);
    return (struct patience){
        .waits = !message->never_waits && (flags & OPEN_NONBLOCK) == 0,
        .deadline = span == 0 ? UINT64_MAX : hal_clock_ns() + span,
    };
}

static int wait_locked(struct end *end, struct waitqueue *queue, const struct patience *patience)
{
    if (!patience->waits) {
        return -EAGAIN;
    }
    switch (waitqueue_wait_until(queue, &end->pair->lock, patience->deadline, true)) {
    case WAIT_INTERRUPTED:
        return -EINTR;
    case WAIT_TIMED_OUT:
        return -EAGAIN;
    default:
        return 0;
    }
}

// ---- Sending -------------------------------------------------------------

// A message with the next size bytes of from.
static int message_make(struct message **made, struct place *from, size_t size)
{
    struct message *message = heap_alloc(sizeof *message + size);
    if (message == NULL) {
        return -ENOMEM;
    }
    memset(message, 0, sizeof *message);
    message->size = size;
    int error = vectors_copy(from, message->data, size, false);
    if (error != 0) {
        heap_free(message);
        return error;
    }
    *made = message;
    return 0;
}

// Gives message the files of what is sent, which the caller keeps if that fails later.
static int files_attach(struct message *message, const struct localsocket_message *sent)
{
    message->sender = sent->sender;
    message->credentials = sent->credentials;
    if (sent->file_count == 0) {
        return 0;
    }
    message->files = heap_alloc(sent->file_count * sizeof *message->files);
    if (message->files == NULL) {
        return -ENOMEM;
    }
    memcpy(message->files, sent->files, sent->file_count * sizeof *message->files);
    message->file_count = sent->file_count;
    return 0;
}

static void files_detach(struct message *message)
{
    heap_free(message->files);
    heap_free(message);
}

// lock is held. Why end cannot send, or 0.
static int send_refused(struct end *end)
{
    const struct end *other = other_of(end);
    if (end->is_alone) {
        return -ENOTCONN;
    }
    if ((end->shut & LOCALSOCKET_SHUT_WRITE) || (other->shut & LOCALSOCKET_SHUT_READ)) {
        return -EPIPE;
    }
    if (other->is_closed) {
        end->is_alone = !has_end(end->pair);
        return end->is_alone ? -ECONNREFUSED : -EPIPE;
    }
    return 0;
}

static int message_send(struct end *end, struct message *message, const struct patience *patience)
{
    struct end *other = other_of(end);
    const size_t limit = atomic_load_explicit(&end->options.send_limit, memory_order_relaxed);
    mutex_lock(&end->pair->lock);
    int error = send_refused(end);
    while (error == 0 && other->cost >= limit) {
        error = wait_locked(end, &other->writers, patience);
        error = error != 0 ? error : send_refused(end);
    }
    if (error == 0) {
        const bool is_wanted = atomic_load(&end->options.passes_credentials) ||
                               atomic_load(&other->options.passes_credentials);
        if (message->sender == LOCALSOCKET_SENDER_OURS && !is_wanted) {
            message->sender = LOCALSOCKET_SENDER_UNKNOWN;
        }
        list_push_back(&other->messages, &message->node);
        other->byte_count += message->size;
        other->cost += message_cost(message);
        waitqueue_wake_all(&other->readers);
    }
    mutex_unlock(&end->pair->lock);
    if (error == 0) {
        poll_list_wake_ordered(&other->poll, POLL_IN_ANY);
    }
    return error;
}

int localsocket_send(struct file *file, struct localsocket_message *sent, size_t *done)
{
    struct end *end = end_of(file);
    const struct patience patience = patience_of(file, sent, &end->options.send_timeout);
    const size_t limit = atomic_load_explicit(&end->options.send_limit, memory_order_relaxed);
    const size_t size = vectors_size(sent);
    const bool is_stream = end->pair->type == LOCALSOCKET_STREAM;
    if (!is_stream && size > limit - 32) {
        return -EMSGSIZE;
    }
    struct place from = {sent->vectors, 0};
    int error = 0;
    bool is_first = true;
    while (error == 0 && (is_stream ? *done < size : is_first)) {
        const size_t rest = size - *done;
        struct message *message;
        error = message_make(&message, &from, is_stream && rest > limit / 2 ? limit / 2 : rest);
        if (error != 0) {
            break;
        }
        error = is_first ? files_attach(message, sent) : 0;
        const size_t part = message->size;
        error = error != 0 ? error : message_send(end, message, &patience);
        if (error != 0) {
            files_detach(message);
            break;
        }
        *done += part;
        is_first = false;
    }
    sent->file_count = is_first ? sent->file_count : 0;
    return *done > 0 ? 0 : error;
}

// ---- Receiving -----------------------------------------------------------

static struct message *message_first(struct end *end)
{
    return list_is_empty(&end->messages) ? NULL
                                         : container_of(end->messages.next, struct message, node);
}

// lock is held. Until there is a message: NULL and 0: there will be none.
static int message_await(struct end *end, const struct patience *patience, struct message **first)
{
    const bool is_stream = end->pair->type == LOCALSOCKET_STREAM;
    int error = 0;
    while (error == 0) {
        *first = message_first(end);
        // A stream tells of an error after all data, packets before.
        if (end->error != 0 && !(is_stream && *first != NULL)) {
            error = end->error;
            end->error = 0;
        } else if (*first != NULL) {
            return 0;
        } else if (end->shut & LOCALSOCKET_SHUT_READ) {
            return 0;
        } else {
            error = wait_locked(end, &end->readers, patience);
        }
    }
    return error;
}

// Hands out the files of a message; of one that stays, further references to them.
static void files_give(struct localsocket_message *to, struct message *message)
{
    to->sender = message->sender;
    to->credentials = message->credentials;
    for (uint32_t i = 0; i < message->file_count; ++i) {
        to->files[i] = message->files[i];
        if (to->only_looks) {
            file_get(to->files[i]);
        }
    }
    to->file_count = message->file_count;
    if (!to->only_looks) {
        heap_free(message->files);
        message->files = NULL;
        message->file_count = 0;
    }
}

// lock is held. The message is done with: the caller frees it, which needs no lock.
static void message_remove(struct end *end, struct message *message)
{
    list_remove(&message->node);
    end->byte_count -= message->size - message->taken;
    end->cost -= message_cost(message);
    waitqueue_wake_all(&end->writers);
}

// lock is held.
static int packet_take(struct end *end, struct message *message, struct localsocket_message *to,
                       size_t *done)
{
    struct place place = {to->vectors, 0};
    const size_t room = vectors_size(to);
    const size_t part = message->size < room ? message->size : room;
    int error = vectors_copy(&place, message->data, part, true);
    if (error != 0) {
        return error;
    }
    *done = part;
    to->full_size = message->size;
    to->is_cut = part < message->size;
    files_give(to, message);
    if (!to->only_looks) {
        message_remove(end, message);
        heap_free(message);
    }
    return 0;
}

struct taking { // what one receive has of a stream
    struct place place;
    size_t room;
    size_t done;
    bool has_ended; // what comes next belongs to another receive
};

// lock is held. Takes what is there, up to the files that came with it.
static int stream_take(struct end *end, struct localsocket_message *to, struct taking *taking)
{
    struct list *node = end->messages.next;
    int error = 0;
    while (node != &end->messages && taking->done < taking->room && !taking->has_ended) {
        struct message *message = container_of(node, struct message, node);
        node = node->next;
        taking->has_ended = message->file_count > 0;
        if (taking->has_ended && taking->done > 0) {
            break;
        }
        const size_t left = message->size - message->taken;
        const size_t wanted = taking->room - taking->done;
        const size_t part = left < wanted ? left : wanted;
        error = vectors_copy(&taking->place, message->data + message->taken, part, true);
        if (error != 0) {
            break;
        }
        taking->done += part;
        files_give(to, message);
        if (!to->only_looks) {
            message->taken += part;
            end->byte_count -= part;
            if (message->taken == message->size) {
                message_remove(end, message);
                heap_free(message);
            }
        }
    }
    return error;
}

static int stream_receive(struct end *end, struct localsocket_message *to,
                          const struct patience *patience, size_t *done)
{
    struct taking taking = {.place = {to->vectors, 0}, .room = vectors_size(to)};
    struct message *first;
    int error = 0;
    do {
        error = message_await(end, patience, &first);
        if (error != 0 || first == NULL) {
            break;
        }
        error = stream_take(end, to, &taking);
    } while (error == 0 && to->waits_for_all && !to->only_looks && !taking.has_ended &&
             taking.done < taking.room);
    *done = to->full_size = taking.done;
    return taking.done > 0 ? 0 : error;
}

int localsocket_receive(struct file *file, struct localsocket_message *to, size_t *done)
{
    struct end *end = end_of(file);
    const struct patience patience = patience_of(file, to, &end->options.receive_timeout);
    const bool is_stream = end->pair->type == LOCALSOCKET_STREAM;
    struct message *first = NULL;
    int error = 0;
    to->file_count = 0;
    to->full_size = 0;
    to->is_cut = false;
    mutex_lock(&end->pair->lock);
    const size_t cost_before = end->cost;
    if (is_stream) {
        error = stream_receive(end, to, &patience, done);
    } else {
        error = message_await(end, &patience, &first);
        error = error != 0 || first == NULL ? error : packet_take(end, first, to, done);
    }
    const bool has_room = end->cost < cost_before;
    mutex_unlock(&end->pair->lock);
    if (has_room) {
        poll_list_wake_ordered(&other_of(end)->poll, POLL_OUT_ANY);
    }
    return error;
}

// ---- As a file -----------------------------------------------------------

int localsocket_read(struct file *file, const struct io_vector *vectors, size_t count, size_t *done)
{
    struct localsocket_message to;
    to.vectors = vectors;
    to.count = count;
    to.never_waits = to.only_looks = to.waits_for_all = false;
    if (vectors_size(&to) == 0) {
        return 0;
    }
    int error = localsocket_receive(file, &to, done);
    for (uint32_t i = 0; i < to.file_count; ++i) {
        file_put(to.files[i]);
    }
    return error;
}

int localsocket_write(struct file *file, const struct io_vector *vectors, size_t count,
                      size_t *done)
{
    struct localsocket_message sent;
    sent.vectors = vectors;
    sent.count = count;
    sent.never_waits = false;
    sent.file_count = 0;
    sent.sender = LOCALSOCKET_SENDER_OURS;
    return localsocket_send(file, &sent, done);
}

static int local_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    const struct io_vector vector = {data, size};
    return localsocket_read(file, &vector, 1, done);
}

static int local_write(struct file *file, uint64_t offset, const char *data, size_t size,
                       size_t *done)
{
    (void)offset;
    const struct io_vector vector = {(char *)(uintptr_t)data, size};
    return localsocket_write(file, &vector, 1, done);
}

static unsigned local_poll(struct file *file, struct poll_entry *entry)
{
    enum { SHUT_BOTH = LOCALSOCKET_SHUT_READ | LOCALSOCKET_SHUT_WRITE };
    struct end *end = end_of(file);
    const size_t limit = atomic_load_explicit(&end->options.send_limit, memory_order_relaxed);
    if (entry != NULL) {
        poll_list_add(&end->poll, entry);
    }
    mutex_lock(&end->pair->lock);
    unsigned events = list_is_empty(&end->messages) ? 0 : POLL_IN_ANY;
    events |= end->error != 0 ? POLL_ERROR : 0;
    events |= end->shut & LOCALSOCKET_SHUT_READ ? POLL_IN_ANY | POLL_READ_HANG_UP : 0;
    events |= end->shut == SHUT_BOTH ? POLL_HANG_UP : 0;
    // A quarter at most is under way (Linux's unix_writable).
    events |= other_of(end)->cost * 4 <= limit ? POLL_OUT_ANY : 0;
    mutex_unlock(&end->pair->lock);
    return events;
}

static int local_control(struct file *file, unsigned long request, void *argument)
{
    struct end *end = end_of(file);
    if (request != INPUT_COUNT && request != OUTPUT_COUNT) {
        return -ENOTTY;
    }
    mutex_lock(&end->pair->lock);
    const struct message *first = message_first(end);
    size_t count = other_of(end)->cost;
    if (request == INPUT_COUNT) {
        count = has_end(end->pair) ? end->byte_count : first != NULL ? first->size : 0;
    }
    mutex_unlock(&end->pair->lock);
    const int answer = (int)count;
    return hal_copy_safe(argument, &answer, sizeof answer);
}

static int local_status(struct file *file, struct file_status *status)
{
    const struct localsocket_pair *pair = end_of(file)->pair;
    *status = (struct file_status){
        .device = SOCKET_DEVICE,
        .inode = pair->inode + (end_of(file) == &pair->ends[1]),
        .link_count = 1,
        .block_size = 4096,
        .mode = MODE_SOCKET | 0777,
        .uid = vnode_owner_uid,
        .gid = vnode_owner_gid,
        .accessed = pair->changed,
        .modified = pair->changed,
        .changed = pair->changed,
    };
    return 0;
}

// lock is held. Both sides see the end of what is shut at one.
static void shut_locked(struct end *end, unsigned what)
{
    struct end *other = other_of(end);
    end->shut |= what;
    if (has_end(end->pair)) {
        other->shut |= what & LOCALSOCKET_SHUT_READ ? LOCALSOCKET_SHUT_WRITE : 0;
        other->shut |= what & LOCALSOCKET_SHUT_WRITE ? LOCALSOCKET_SHUT_READ : 0;
    }
    for (uint32_t i = 0; i < 2; ++i) {
        waitqueue_wake_all(&end->pair->ends[i].readers);
        waitqueue_wake_all(&end->pair->ends[i].writers);
    }
}

static void both_poll_wake(struct localsocket_pair *pair)
{
    for (uint32_t i = 0; i < 2; ++i) {
        poll_list_wake(&pair->ends[i].poll,
                       POLL_IN_ANY | POLL_OUT_ANY | POLL_READ_HANG_UP | POLL_HANG_UP | POLL_ERROR);
    }
}

void localsocket_shutdown(struct file *file, unsigned what)
{
    struct end *end = end_of(file);
    mutex_lock(&end->pair->lock);
    shut_locked(end, what);
    mutex_unlock(&end->pair->lock);
    both_poll_wake(end->pair);
}

static void local_close(struct file *file)
{
    struct end *end = end_of(file);
    struct localsocket_pair *pair = end->pair;
    struct end *other = other_of(end);
    struct list left;
    list_init(&left);
    mutex_lock(&pair->lock);
    while (!list_is_empty(&end->messages)) {
        list_push_back(&left, list_pop_front(&end->messages));
        other->error = has_end(pair) ? -ECONNRESET : 0;
    }
    end->is_closed = true;
    if (has_end(pair)) {
        shut_locked(end, LOCALSOCKET_SHUT_READ | LOCALSOCKET_SHUT_WRITE);
    } else {
        waitqueue_wake_all(&end->writers);
    }
    mutex_unlock(&pair->lock);
    both_poll_wake(pair);
    while (!list_is_empty(&left)) {
        message_free(container_of(list_pop_front(&left), struct message, node));
    }
    if (atomic_fetch_sub(&pair->file_count, 1) == 1) {
        heap_free(pair);
    }
}

static const struct file_ops localsocket_ops = {
    .read = local_read,
    .write = local_write,
    .poll = local_poll,
    .control = local_control,
    .status = local_status,
    .close = local_close,
};

bool file_is_localsocket(const struct file *file)
{
    return file->ops == &localsocket_ops;
}

enum localsocket_type localsocket_type_of(const struct file *file)
{
    return end_of(file)->pair->type;
}

struct localsocket_options *localsocket_options(struct file *file)
{
    return &end_of(file)->options;
}

int localsocket_error_take(struct file *file)
{
    struct end *end = end_of(file);
    mutex_lock(&end->pair->lock);
    const int error = end->error;
    end->error = 0;
    mutex_unlock(&end->pair->lock);
    return error;
}

static int end_create(struct file **file, struct end *end, uint32_t flags)
{
    int error = file_create(file, &localsocket_ops, flags, end);
    if (error == 0) {
        (*file)->is_stream = true;
        atomic_fetch_add(&end->pair->file_count, 1);
    }
    return error;
}

int localsocket_pair(struct file *ends[2], enum localsocket_type type, uint32_t flags)
{
    struct localsocket_pair *pair = heap_alloc_zeroed(sizeof *pair);
    if (pair == NULL) {
        return -ENOMEM;
    }
    pair->type = type;
    pair->inode = atomic_fetch_add_explicit(&inode_next, 2, memory_order_relaxed);
    pair->changed = file_time_now();
    for (uint32_t i = 0; i < 2; ++i) {
        pair->ends[i].pair = pair;
        list_init(&pair->ends[i].messages);
        atomic_store_explicit(&pair->ends[i].options.send_limit, LIMIT_DEFAULT,
                              memory_order_relaxed);
        atomic_store_explicit(&pair->ends[i].options.receive_limit, LIMIT_DEFAULT,
                              memory_order_relaxed);
    }
    flags = (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE;
    int error = end_create(&ends[0], &pair->ends[0], flags);
    if (error != 0) {
        heap_free(pair);
        return error;
    }
    error = end_create(&ends[1], &pair->ends[1], flags);
    if (error != 0) {
        file_put(ends[0]); // and with it the pair
    }
    return error;
}
