// SPDX-License-Identifier: BSD-3-Clause
// localqueue.c: to each local socket a queue of messages, from which its reader takes.
//
// A stream's bytes are messages of at most half of what may be under way. What is sent is copied
// before the lock is taken; what is received, under it.
//
// Files that are in a message when it goes away are put by doomed_free, one after the other:
// putting one may close a socket whose own messages hold further files.
#include "core/vfs/localqueue.h"

#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/localname.h"

enum {
    MESSAGE_COST = 768, // what Linux counts beside the bytes, about
    STRANGERS_MESSAGES =
        10, // net.unix.max_dgram_qlen: of senders that are not the peer, and one more
};

struct message {
    struct list node;
    size_t size, taken; // bytes
    enum localsocket_sender sender;
    struct localsocket_credentials credentials;
    struct localsocket *from; // of datagrams: who sent it, counted
    struct file **files;      // NULL: none; else file_count of them
    uint32_t file_count;
    struct message *next_doomed;
    char data[];
};

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
    if (message->from != NULL) {
        localsocket_put(message->from);
    }
    if (message->file_count == 0) {
        heap_free(message);
        return;
    }
    message->next_doomed = atomic_load(&doomed);
    while (!atomic_compare_exchange_weak(&doomed, &message->next_doomed, message)) {
    }
    doomed_free();
}

void localqueue_take_all(struct localsocket *socket, struct list *left)
{
    list_init(left);
    while (!list_is_empty(&socket->messages)) {
        list_push_back(left, list_pop_front(&socket->messages));
    }
    socket->message_count = socket->byte_count = socket->cost = 0;
}

void localqueue_free(struct list *left)
{
    while (!list_is_empty(left)) {
        message_free(container_of(list_pop_front(left), struct message, node));
    }
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

int local_wait(struct localsocket *socket, struct waitqueue *queue,
               const struct local_patience *patience)
{
    if (!patience->waits) {
        return -EAGAIN;
    }
    switch (waitqueue_wait_until(queue, &socket->lock, patience->deadline, true)) {
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
    *message = (struct message){.size = size};
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

// The caller keeps the files.
static void message_drop(struct message *message)
{
    if (message->from != NULL) {
        localsocket_put(message->from);
    }
    heap_free(message->files);
    heap_free(message);
}

static bool is_stranger(const struct localsocket *to, const struct localsocket *from)
{
    return !localsocket_has_end(to) && to != from && atomic_load(&to->peer) != from;
}

// to's lock is held.
static bool is_full(const struct localsocket *to, const struct localsocket *from)
{
    const size_t limit = atomic_load_explicit(&from->options.send_limit, memory_order_relaxed);
    return is_stranger(to, from) ? to->message_count > STRANGERS_MESSAGES : to->cost >= limit;
}

bool localqueue_has_room(struct localsocket *to, const struct localsocket *from)
{
    const size_t limit = atomic_load_explicit(&from->options.send_limit, memory_order_relaxed);
    mutex_lock(&to->lock);
    // Of a peer's a quarter at most is under way (Linux's unix_writable).
    const bool has_room = is_stranger(to, from) ? !is_full(to, from) : to->cost * 4 <= limit;
    mutex_unlock(&to->lock);
    return has_room;
}

// to's lock is held. Why from cannot send there, or 0.
static int send_refused(const struct localsocket *from, const struct localsocket *to)
{
    if (!localsocket_has_end(to)) {
        const struct localsocket *peer = atomic_load(&to->peer);
        if (peer != NULL && peer != from) {
            return -EPERM;
        }
        if (to->is_closed) {
            return -ECONNREFUSED;
        }
    }
    const bool is_shut = (atomic_load(&from->shut) & LOCALSOCKET_SHUT_WRITE) != 0 ||
                         (atomic_load(&to->shut) & LOCALSOCKET_SHUT_READ) != 0;
    return is_shut || to->is_closed ? -EPIPE : 0;
}

// What the receiver's filter does not want it does not get, and nobody is told. Streams have none.
static bool is_wanted(struct localsocket *to, struct message *message)
{
    if (to->type == LOCALSOCKET_STREAM || atomic_load(&to->options.filter) == NULL) {
        return true;
    }
    const size_t size = packet_filter_look(&to->options.filter, message->data, message->size);
    const bool is_kept = size > 0 || message->size == 0;
    message->size = size;
    return is_kept;
}

static int message_send(struct localsocket *from, struct localsocket *to, struct message *message,
                        const struct local_patience *patience)
{
    if (!is_wanted(to, message)) {
        message_free(message);
        return 0;
    }
    mutex_lock(&to->lock);
    int error = send_refused(from, to);
    while (error == 0 && is_full(to, from)) {
        error = local_wait(to, &to->writers, patience);
        error = error != 0 ? error : send_refused(from, to);
    }
    if (error == 0) {
        const bool is_wanted = atomic_load(&from->options.passes_credentials) ||
                               atomic_load(&to->options.passes_credentials);
        if (message->sender == LOCALSOCKET_SENDER_OURS && !is_wanted) {
            message->sender = LOCALSOCKET_SENDER_UNKNOWN;
        }
        list_push_back(&to->messages, &message->node);
        ++to->message_count;
        to->byte_count += message->size;
        to->cost += message_cost(message);
        waitqueue_wake_all(&to->readers);
    }
    mutex_unlock(&to->lock);
    if (error == 0) {
        poll_list_wake_ordered(&to->poll, POLL_IN_ANY);
    }
    return error;
}

// Where a datagram goes: a counted socket.
static int addressee_find(struct localsocket *from, const struct localsocket_name *name,
                          struct localsocket **to)
{
    if (name == NULL) {
        *to = localsocket_peer_get(from);
        return *to == NULL ? -ENOTCONN : 0;
    }
    return localname_find(name, from->type, to);
}

static int datagram_send(struct localsocket *from, const struct localsocket_message *sent,
                         struct message *message, const struct local_patience *patience)
{
    struct localsocket *to;
    int error = addressee_find(from, sent->to, &to);
    if (error != 0) {
        return error;
    }
    message->from = from;
    localsocket_get(from);
    error = message_send(from, to, message, patience);
    if (error == -ECONNREFUSED) {
        localsocket_disconnect(from, to);
    }
    localsocket_put(to);
    return error;
}

// Of size bytes: why nothing is sent, whoever is there. 0: that is to be seen.
static int send_check(const struct localsocket *from, const struct localsocket_message *sent,
                      size_t size)
{
    const bool is_connected = atomic_load(&from->state) == LOCALSOCKET_CONNECTED;
    if (from->type == LOCALSOCKET_STREAM) {
        const int error = is_connected ? -EISCONN : -EOPNOTSUPP;
        return sent->to != NULL ? error : is_connected ? 0 : -ENOTCONN;
    }
    const bool is_somewhere = from->type == LOCALSOCKET_PACKET
                                  ? is_connected
                                  : sent->to != NULL || atomic_load(&from->peer) != NULL;
    if (!is_somewhere) {
        return -ENOTCONN;
    }
    const size_t limit = atomic_load_explicit(&from->options.send_limit, memory_order_relaxed);
    return size > limit - 32 ? -EMSGSIZE : 0;
}

int localsocket_send(struct file *file, struct localsocket_message *sent, size_t *done)
{
    struct localsocket *from = file->state;
    const struct local_patience patience =
        local_patience_of(file, sent->never_waits, &from->options.send_timeout);
    const size_t limit = atomic_load_explicit(&from->options.send_limit, memory_order_relaxed);
    const size_t size = vectors_size(sent);
    const bool is_stream = from->type == LOCALSOCKET_STREAM;
    struct place place = {sent->vectors, 0};
    int error = send_check(from, sent, size);
    bool is_first = true;
    while (error == 0 && (is_stream ? *done < size : is_first)) {
        const size_t rest = size - *done;
        struct message *message;
        error = message_make(&message, &place, is_stream && rest > limit / 2 ? limit / 2 : rest);
        if (error != 0) {
            break;
        }
        error = is_first ? files_attach(message, sent) : 0;
        const size_t part = message->size;
        if (error == 0) {
            error = localsocket_has_end(from)
                        ? message_send(from, atomic_load(&from->peer), message, &patience)
                        : datagram_send(from, sent, message, &patience);
        }
        if (error != 0) {
            message_drop(message);
            break;
        }
        *done += part;
        is_first = false;
    }
    sent->file_count = is_first ? sent->file_count : 0;
    return *done > 0 ? 0 : error;
}

// ---- Receiving -----------------------------------------------------------

static struct message *message_first(struct localsocket *socket)
{
    return list_is_empty(&socket->messages)
               ? NULL
               : container_of(socket->messages.next, struct message, node);
}

size_t localqueue_input(struct localsocket *socket)
{
    mutex_lock(&socket->lock);
    const struct message *first = message_first(socket);
    const size_t count = localsocket_has_end(socket) ? socket->byte_count
                         : first != NULL             ? first->size
                                                     : 0;
    mutex_unlock(&socket->lock);
    return count;
}

size_t localqueue_cost(struct localsocket *socket)
{
    mutex_lock(&socket->lock);
    const size_t cost = socket->cost;
    mutex_unlock(&socket->lock);
    return cost;
}

// lock is held. Until there is a message: NULL and 0: there will be none.
static int message_await(struct localsocket *socket, const struct local_patience *patience,
                         struct message **first)
{
    const bool is_stream = socket->type == LOCALSOCKET_STREAM;
    int error = 0;
    while (error == 0) {
        *first = message_first(socket);
        // A stream tells of an error after all data, packets before.
        if (socket->error != 0 && !(is_stream && *first != NULL)) {
            error = socket->error;
            socket->error = 0;
        } else if (*first != NULL) {
            return 0;
        } else if (atomic_load(&socket->shut) & LOCALSOCKET_SHUT_READ) {
            return 0;
        } else {
            error = local_wait(socket, &socket->readers, patience);
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
static void message_remove(struct localsocket *socket, struct message *message)
{
    list_remove(&message->node);
    --socket->message_count;
    socket->byte_count -= message->size - message->taken;
    socket->cost -= message_cost(message);
    waitqueue_wake_all(&socket->writers);
}

// lock is held. A message that does not stay comes out of the queue: the caller's.
static int packet_take(struct localsocket *socket, struct message *message,
                       struct localsocket_message *to, size_t *done, struct message **taken)
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
    if (to->from != NULL && message->from != NULL) {
        localname_copy(atomic_load(&message->from->name), to->from);
    }
    if (!to->only_looks) {
        message_remove(socket, message);
        *taken = message;
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
static int stream_take(struct localsocket *socket, struct localsocket_message *to,
                       struct taking *taking)
{
    struct list *node = socket->messages.next;
    int error = 0;
    while (node != &socket->messages && taking->done < taking->room && !taking->has_ended) {
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
            socket->byte_count -= part;
            if (message->taken == message->size) {
                message_remove(socket, message);
                heap_free(message);
            }
        }
    }
    return error;
}

static int stream_receive(struct localsocket *socket, struct localsocket_message *to,
                          const struct local_patience *patience, size_t *done)
{
    struct taking taking = {.place = {to->vectors, 0}, .room = vectors_size(to)};
    const size_t least = to->waits_for_all ? taking.room
                                           : atomic_load_explicit(&socket->options.receive_least,
                                                                  memory_order_relaxed);
    struct message *first;
    int error = 0;
    do {
        error = message_await(socket, patience, &first);
        if (error != 0 || first == NULL) {
            break;
        }
        error = stream_take(socket, to, &taking);
    } while (error == 0 && taking.done < least && taking.done < taking.room && !to->only_looks &&
             !taking.has_ended);
    *done = to->full_size = taking.done;
    return taking.done > 0 ? 0 : error;
}

static int packet_receive(struct localsocket *socket, struct localsocket_message *to,
                          const struct local_patience *patience, size_t *done,
                          struct message **taken)
{
    struct message *first = NULL;
    int error = message_await(socket, patience, &first);
    return error != 0 || first == NULL ? error : packet_take(socket, first, to, done, taken);
}

// Those that are connected to socket, each once: there is room for strangers again.
static void clients_poll_wake(struct localsocket *socket)
{
    mutex_lock(&socket->lock);
    for (size_t left = socket->client_count; left > 0 && socket->client_count > 0; --left) {
        struct list *node = list_pop_front(&socket->clients);
        struct localsocket *client = container_of(node, struct localsocket, client_node);
        list_push_back(&socket->clients, node);
        localsocket_get(client);
        mutex_unlock(&socket->lock);
        poll_list_wake(&client->poll, POLL_OUT_ANY);
        localsocket_put(client);
        mutex_lock(&socket->lock);
    }
    mutex_unlock(&socket->lock);
}

// A message has come out of the queue, which had count messages before.
static void room_announce(struct localsocket *socket, struct message *taken, size_t count)
{
    struct localsocket *from =
        localsocket_has_end(socket) ? atomic_load(&socket->peer) : taken->from;
    poll_list_wake_ordered(&from->poll, POLL_OUT_ANY);
    if (!localsocket_has_end(socket) && count > STRANGERS_MESSAGES) {
        clients_poll_wake(socket);
    }
}

int localsocket_receive(struct file *file, struct localsocket_message *to, size_t *done)
{
    struct localsocket *socket = file->state;
    const struct local_patience patience =
        local_patience_of(file, to->never_waits, &socket->options.receive_timeout);
    const bool is_stream = socket->type == LOCALSOCKET_STREAM;
    struct message *taken = NULL;
    to->file_count = 0;
    to->full_size = 0;
    to->is_cut = false;
    if (localsocket_has_end(socket) && atomic_load(&socket->state) != LOCALSOCKET_CONNECTED) {
        return is_stream ? -EINVAL : -ENOTCONN;
    }
    if (to->from != NULL) {
        to->from->size = 0;
    }
    mutex_lock(&socket->lock);
    const size_t cost_before = socket->cost, count_before = socket->message_count;
    int error = is_stream ? stream_receive(socket, to, &patience, done)
                          : packet_receive(socket, to, &patience, done, &taken);
    const bool has_room = socket->cost < cost_before;
    mutex_unlock(&socket->lock);
    if (to->from != NULL && localsocket_has_end(socket) && error == 0 &&
        (*done > 0 || taken != NULL)) {
        localname_copy(atomic_load(&atomic_load(&socket->peer)->name), to->from);
    }
    if (has_room && is_stream) {
        poll_list_wake_ordered(&atomic_load(&socket->peer)->poll, POLL_OUT_ANY);
    } else if (has_room) {
        room_announce(socket, taken, count_before);
    }
    if (taken != NULL) {
        message_free(taken);
    }
    return error;
}
