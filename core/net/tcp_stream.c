// SPDX-License-Identifier: BSD-3-Clause
// tcp_stream.c: the bytes of a connection: what was written and not acknowledged, in a ring; what
// was received and not read, as packets by their place in the stream.
//
// A packet with few bytes costs many, so those are gathered in blocks. Invariant: the packets of
// the list ascend by place; they may overlap, and what lies before what has been read counts no
// more.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/run.h"

enum {
    RING_MIN = 1024,
    GATHER_MAX = 1024,  // fewer bytes are gathered
    GATHER_SIZE = 3900, // into blocks of a page
    STEP_MAX = 131072,  // bytes that are written before others may have the lock
};

// ---- Sending -------------------------------------------------------------------------

uint32_t tcp_stream_room(const struct tcp_socket *tcp)
{
    return tcp->sending.used < tcp->send_limit ? tcp->send_limit - tcp->sending.used : 0;
}

// Size bytes from place `at` of the ring on, in one or two pieces.
static uint32_t piece_size(const struct tcp_buffer *buffer, uint64_t at, uint32_t size)
{
    const uint32_t left = buffer->size - (uint32_t)(at & (buffer->size - 1));
    return size < left ? size : left;
}

static char *piece_at(const struct tcp_buffer *buffer, uint64_t at)
{
    return buffer->data + (at & (buffer->size - 1));
}

void tcp_stream_copy(const struct tcp_socket *tcp, uint64_t from, char *to, uint32_t size)
{
    const struct tcp_buffer *buffer = &tcp->sending;
    while (size > 0) {
        const uint32_t part = piece_size(buffer, from, size);
        memcpy(to, piece_at(buffer, from), part);
        from += part;
        to += part;
        size -= part;
    }
}

static bool ring_grow(struct tcp_socket *tcp, uint32_t size)
{
    struct tcp_buffer *buffer = &tcp->sending;
    uint32_t larger = buffer->size == 0 ? RING_MIN : buffer->size;
    while (larger < buffer->used + size) {
        larger *= 2;
    }
    if (larger == buffer->size) {
        return true;
    }
    char *data = heap_alloc(larger);
    if (data == NULL) {
        return false;
    }
    struct tcp_buffer grown = {data, larger, buffer->start, buffer->used};
    for (uint64_t at = buffer->start; at < buffer->start + buffer->used;) {
        uint32_t part = piece_size(&grown, at, (uint32_t)(buffer->start + buffer->used - at));
        part = piece_size(buffer, at, part);
        memcpy(piece_at(&grown, at), piece_at(buffer, at), part);
        at += part;
    }
    heap_free(buffer->data);
    *buffer = grown;
    return true;
}

static int ring_put(struct tcp_socket *tcp, const char *user, uint32_t size)
{
    struct tcp_buffer *buffer = &tcp->sending;
    while (size > 0) {
        const uint64_t at = buffer->start + buffer->used;
        const uint32_t part = piece_size(buffer, at, size);
        const int error = hal_copy_safe(piece_at(buffer, at), user, part);
        if (error != 0) {
            return error;
        }
        buffer->used += part;
        user += part;
        size -= part;
    }
    return 0;
}

void tcp_stream_acknowledged(struct tcp_socket *tcp)
{
    struct tcp_buffer *buffer = &tcp->sending;
    const uint32_t gone = (uint32_t)(tcp_acknowledged(&tcp->tcp) - buffer->start);
    buffer->start += gone;
    buffer->used -= gone;
    if (buffer->used == 0 && buffer->size > RING_MIN) {
        heap_free(buffer->data);
        buffer->data = NULL;
        buffer->size = 0;
    }
}

// With lock held: why nothing may be sent. -EAGAIN: not yet.
static int send_check(struct tcp_socket *tcp)
{
    struct net_socket *socket = &tcp->socket;
    const int error = socket->error;
    if (error != 0) {
        socket->error = 0;
        return error;
    }
    if (tcp->stage != TCP_STAGE_CONNECTION || (socket->shut & NET_SHUT_WRITE) != 0) {
        return -EPIPE;
    }
    switch (tcp->tcp.state) {
    case TCP_STATE_SYN_SENT:
    case TCP_STATE_SYN_RECEIVED:
        return -EAGAIN;
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_CLOSE_WAIT:
        return 0;
    default:
        return -EPIPE;
    }
}

// The vector and place in it where byte number `done` of all is.
static const struct io_vector *vector_at(const struct net_message *message, size_t done,
                                         size_t *offset)
{
    for (size_t i = 0; i < message->count; ++i) {
        if (done < message->vectors[i].size) {
            *offset = done;
            return &message->vectors[i];
        }
        done -= message->vectors[i].size;
    }
    return NULL;
}

static bool is_all(const struct net_message *message, size_t done)
{
    size_t unused;
    return vector_at(message, done, &unused) == NULL;
}

// With lock held: puts a part of what is left of a vector into the ring. *done grows.
static int part_put(struct tcp_socket *tcp, const struct io_vector *vector, size_t offset,
                    uint32_t room, size_t *done)
{
    const size_t left = vector->size - offset;
    const uint32_t part = left < room ? (uint32_t)left : room;
    if (part == 0) {
        return -EAGAIN;
    }
    if (!ring_grow(tcp, part)) {
        return -ENOMEM;
    }
    const uint32_t before = tcp->sending.used;
    const int error = ring_put(tcp, vector->data + offset, part);
    *done += tcp->sending.used - before;
    return error;
}

// With lock held: as much as there is room for, of all vectors, before any of it is sent.
static int vectors_send(struct tcp_socket *tcp, const struct net_message *message, size_t *done)
{
    const size_t before = *done;
    int error = 0;
    const struct io_vector *vector;
    size_t offset;
    while (error == 0 && *done - before < STEP_MAX &&
           (vector = vector_at(message, *done, &offset)) != NULL) {
        const uint32_t room = tcp_stream_room(tcp);
        error = part_put(tcp, vector, offset, room < STEP_MAX ? room : STEP_MAX, done);
    }
    tcp_write(&tcp->tcp, tcp->sending.start + tcp->sending.used, hal_clock_ns());
    return error;
}

int tcp_send(struct tcp_socket *tcp, const struct net_message *message, size_t *done)
{
    int error;
    do {
        tcp_enter(tcp);
        error = send_check(tcp);
        error = error == 0 ? vectors_send(tcp, message, done) : error;
        tcp->was_short |= error == -EAGAIN;
        const uint32_t changes = tcp->changes;
        tcp_leave(tcp);
        if (error == -EAGAIN) {
            error = tcp_await(tcp, changes, &message->patience);
        } else {
            net_run();
        }
    } while (error == 0 && !is_all(message, *done));
    return *done > 0 ? 0 : error;
}

// ---- Receiving -----------------------------------------------------------------------

static uint64_t packet_end(const struct packet *packet)
{
    return packet->place + packet->size;
}

// Puts few bytes behind those of last, which is a block for that, or makes one. False: it cannot.
static bool gather(struct tcp_socket *tcp, const struct packet *packet)
{
    struct packet *last = tcp->socket.last;
    const bool fits = tcp->socket.first != NULL && last->cost == 0 &&
                      packet_end(last) == packet->place &&
                      last->size + packet->size <= GATHER_SIZE - packet_headroom(last);
    if (!fits) {
        return false;
    }
    memcpy(last->data + last->size, packet->data, packet->size);
    last->size += packet->size;
    return true;
}

// A block with the bytes of packet, and room for more. NULL: no memory.
static struct packet *gatherer(const struct packet *packet)
{
    struct packet *block = packet_alloc_block(GATHER_SIZE - PACKET_HEADROOM);
    if (block != NULL) {
        memcpy(block->data, packet->data, packet->size);
        block->size = packet->size;
        block->place = packet->place;
    }
    return block;
}

static void packet_insert(struct net_socket *socket, struct packet *packet)
{
    struct packet **link = &socket->first;
    if (socket->first != NULL && socket->last->place <= packet->place) {
        link = &socket->last->next;
    }
    while (*link != NULL && (*link)->place <= packet->place) {
        link = &(*link)->next;
    }
    packet->next = *link;
    *link = packet;
    socket->last = packet->next == NULL ? packet : socket->last;
}

void tcp_stream_keep(struct tcp_socket *tcp, struct packet *packet, uint64_t from)
{
    packet->place = from;
    if (packet->size < GATHER_MAX) {
        const bool is_gathered = gather(tcp, packet);
        struct packet *block = is_gathered ? NULL : gatherer(packet);
        if (is_gathered || block != NULL) {
            channel_return(&tcp->socket.channel, packet->cost);
            packet_free(packet);
            packet = block;
        }
    }
    if (packet != NULL) {
        packet_insert(&tcp->socket, packet);
    }
}

static void first_free(struct tcp_socket *tcp)
{
    struct packet *packet = tcp->socket.first;
    tcp->socket.first = packet->next;
    channel_return(&tcp->socket.channel, packet->cost);
    packet_free(packet);
}

void tcp_stream_end(struct tcp_socket *tcp)
{
    while (tcp->socket.first != NULL) {
        first_free(tcp);
    }
    heap_free(tcp->sending.data);
    tcp->sending = (struct tcp_buffer){.start = 0};
}

// With lock held: copies what is in order from stream place `from` on. user NULL: drops it.
static int part_copy(struct tcp_socket *tcp, uint64_t from, uint64_t end, char *user, size_t size,
                     size_t *copied)
{
    const struct packet *packet = tcp->socket.first;
    *copied = 0;
    while (*copied < size && from < end) {
        while (packet_end(packet) <= from) {
            packet = packet->next;
        }
        const uint64_t skip = from - packet->place;
        size_t part = packet->size - (size_t)skip;
        part = part < size - *copied ? part : size - *copied;
        part = part < end - from ? part : (size_t)(end - from);
        const int error =
            user == NULL ? 0 : hal_copy_safe(user + *copied, packet->data + skip, part);
        if (error != 0) {
            return error;
        }
        *copied += part;
        from += part;
    }
    return 0;
}

// With lock held: what has been read up to place is gone.
static void read_until(struct tcp_socket *tcp, uint64_t place)
{
    while (tcp->socket.first != NULL && packet_end(tcp->socket.first) <= place) {
        first_free(tcp);
    }
    tcp_read(&tcp->tcp, place, hal_clock_ns());
}

// With lock held: why there is nothing to read. 0: the end. -EAGAIN: not yet.
static int receive_check(struct tcp_socket *tcp)
{
    struct net_socket *socket = &tcp->socket;
    const int error = socket->error;
    if (tcp->stage != TCP_STAGE_CONNECTION) {
        socket->error = 0;
        return error != 0 ? error : (socket->shut & NET_SHUT_READ) != 0 ? 0 : -ENOTCONN;
    }
    if (tcp->tcp.has_fin) {
        return 0;
    }
    if (error != 0) {
        socket->error = 0;
        return error;
    }
    const bool is_over = tcp->tcp.state == TCP_STATE_CLOSED || (socket->shut & NET_SHUT_READ) != 0;
    return is_over ? 0 : -EAGAIN;
}

// With lock held: moves what there is.
static int stream_take(struct tcp_socket *tcp, struct net_message *message, bool drops,
                       size_t *done)
{
    const uint64_t start = tcp->tcp.taken;
    const uint64_t end = tcp->stage == TCP_STAGE_CONNECTION ? tcp_received(&tcp->tcp) : start;
    const size_t before = *done;
    uint64_t at = start;
    size_t offset = 0;
    int error = 0;
    const struct io_vector *vector;
    while (error == 0 && at < end && (vector = vector_at(message, *done, &offset)) != NULL) {
        size_t copied;
        error = part_copy(tcp, at, end, drops ? NULL : vector->data + offset, vector->size - offset,
                          &copied);
        at += copied;
        *done += copied;
    }
    if (at > start && !message->only_looks) {
        read_until(tcp, at);
    }
    return error != 0 ? error : *done == before ? receive_check(tcp) : -EAGAIN;
}

int tcp_receive(struct tcp_socket *tcp, struct net_message *message, bool waits_for_all, bool drops,
                size_t *done)
{
    int error;
    message->is_cut = false;
    message->full_size = 0;
    do {
        const size_t before = message->only_looks ? 0 : *done;
        *done = before;
        tcp_enter(tcp);
        error = stream_take(tcp, message, drops, done);
        const uint32_t changes = tcp->changes;
        tcp_leave(tcp);
        error = error == -EAGAIN && is_all(message, *done) ? 0 : error;
        if (error != -EAGAIN || (*done > 0 && !waits_for_all)) {
            net_run();
            break;
        }
        error = tcp_await(tcp, changes, &message->patience);
    } while (error == 0);
    message->full_size = *done;
    return *done > 0 ? 0 : error;
}

size_t tcp_input_size(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const bool is_connection = tcp->stage == TCP_STAGE_CONNECTION;
    const uint64_t size = is_connection ? tcp_received(&tcp->tcp) - tcp->tcp.taken : 0;
    tcp_leave(tcp);
    net_run();
    return (size_t)size;
}

size_t tcp_output_size(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const size_t size = tcp->sending.used;
    tcp_leave(tcp);
    net_run();
    return size;
}
