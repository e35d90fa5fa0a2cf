// SPDX-License-Identifier: BSD-3-Clause
// tcp_stream.c: the bytes of a connection: what is written goes into its queue (send_queue.h); what
// was received and not read are packets by their place in the stream, of one part each.
//
// A packet with few bytes costs many, so where there are more than one those are gathered in
// blocks. Invariant: the packets of the list ascend by place; they may overlap, and what lies
// before what has been read counts no more.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/net/loan.h"
#include "core/net/run.h"

enum {
    GATHER_MAX = 1024,  // fewer bytes are gathered
    GATHER_SIZE = 3900, // into blocks of a page
    STEP_MAX = 131072,  // bytes that are written before others may have the lock
};

// ---- Sending -------------------------------------------------------------------------

uint32_t tcp_stream_limit(const struct tcp_socket *tcp)
{
    const bool is_less = tcp_memory_is_over() && tcp->send_limit > TCP_HELD_LEAST;
    return is_less ? TCP_HELD_LEAST : tcp->send_limit;
}

uint32_t tcp_stream_room(const struct tcp_socket *tcp)
{
    const bool is_full = tcp->unsent_limit != 0 && tcp_unsent(&tcp->tcp) >= tcp->unsent_limit;
    const uint32_t limit = tcp_stream_limit(tcp);
    return tcp->sending.used < limit && !is_full ? limit - tcp->sending.used : 0;
}

void tcp_stream_acknowledged(struct tcp_socket *tcp)
{
    send_queue_acknowledged(&tcp->sending, tcp_acknowledged(&tcp->tcp));
}

static int begin_check(const struct tcp_socket *tcp)
{
    switch (tcp->tcp.state) {
    case TCP_STATE_SYN_SENT:
        return tcp->awaits_bytes ? -EINPROGRESS : -EAGAIN;
    case TCP_STATE_SYN_RECEIVED:
        return !tcp_is_open(&tcp->tcp) ? -EAGAIN : tcp->tcp.is_closing ? -EPIPE : 0;
    default:
        return -EPIPE;
    }
}

// With lock held: why nothing may be sent. -EAGAIN: not yet. -EINPROGRESS: it is not connected, and
// will be with what is sent first.
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
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_CLOSE_WAIT:
        return 0;
    default:
        return begin_check(tcp);
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

// The direct map is one run of physical memory, and its pages stay where they are.
static bool may_lend(const struct net_message *message, const char *data, uint32_t size)
{
    return message->loan != NULL && size >= SEND_LEND_MIN && frame_is_direct(data) &&
           frame_is_direct(data + size - 1);
}

// With lock held: puts a part of what is left of a vector into the queue. *done grows.
static int part_put(struct tcp_socket *tcp, const struct net_message *message, char *data,
                    size_t left, size_t *done)
{
    const uint32_t space = tcp_stream_room(tcp), room = space < STEP_MAX ? space : STEP_MAX;
    const uint32_t part = left < room ? (uint32_t)left : room;
    if (part == 0) {
        return -EAGAIN;
    }
    const uint32_t before = tcp->sending.used;
    int error;
    if (may_lend(message, data, part)) {
        message->loan->is_used = true;
        error = send_queue_lend(&tcp->sending, data, part, &message->loan->buffer);
    } else {
        error = send_queue_put(&tcp->sending, data, part);
    }
    *done += tcp->sending.used - before;
    return error;
}

uint32_t tcp_stream_begin(struct tcp_socket *tcp, const struct net_message *message, uint32_t most)
{
    const struct io_vector *vector;
    size_t offset, done = 0;
    int error = 0;
    while (error == 0 && done < most && (vector = vector_at(message, done, &offset)) != NULL) {
        const size_t left = vector->size - offset;
        error = part_put(tcp, message, vector->data + offset,
                         left < most - done ? left : most - done, &done);
    }
    return (uint32_t)done;
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
        error = part_put(tcp, message, vector->data + offset, vector->size - offset, done);
    }
    if (message->is_urgent) {
        tcp_urge(&tcp->tcp, tcp->sending.start + tcp->sending.used);
    }
    tcp_write(&tcp->tcp, tcp->sending.start + tcp->sending.used, tcp_now(tcp));
    return error == -EAGAIN && tcp_send_grow(tcp) ? 0 : error;
}

int tcp_send(struct tcp_socket *tcp, const struct net_message *message, size_t *done)
{
    int error;
    do {
        tcp_enter_to_write(tcp);
        error = send_check(tcp);
        error = error == 0 ? vectors_send(tcp, message, done) : error;
        tcp->tcp.writes_soon = false;
        tcp->was_short |= error == -EAGAIN;
        const uint32_t changes = tcp->changes;
        const hal_ns now = tcp->now;
        tcp_leave(tcp);
        if (error == -EAGAIN) {
            error = tcp_await(tcp, changes, &message->patience);
        } else if (error == -EINPROGRESS) {
            error = tcp_connect_fast_to(tcp, NULL, message, done);
        } else {
            net_run_at(now);
        }
    } while (error == 0 && !is_all(message, *done));
    return *done > 0 ? 0 : error;
}

// ---- Receiving -----------------------------------------------------------------------

static uint64_t packet_end(const struct packet *packet)
{
    return packet->place + packet->size;
}

// Puts few bytes behind those of last, which is a block for that. False: it is not, or is full.
static bool gather(struct packet *last, const struct packet *packet)
{
    const bool fits = last->is_gathered && packet_end(last) == packet->place &&
                      last->size + packet->size <= GATHER_SIZE - packet_headroom(last);
    if (fits) {
        memcpy(last->data + last->size, packet->data, packet->size);
        last->size += packet->size;
    }
    return fits;
}

// A block with the bytes of packet, and room for more. NULL: no memory.
static struct packet *gatherer(const struct packet *packet)
{
    struct packet *block = packet_alloc_block(GATHER_SIZE - PACKET_HEADROOM);
    if (block != NULL) {
        memcpy(block->data, packet->data, packet->size);
        block->size = packet->size;
        block->place = packet->place;
        block->is_gathered = true;
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

// A packet of few bytes that is not the first. False: the caller keeps it.
static bool small_keep(struct tcp_socket *tcp, struct packet *packet)
{
    struct packet *last = tcp->socket.last;
    const bool is_gathered = gather(last, packet);
    if (!is_gathered && last->size >= GATHER_MAX) {
        return false; // the first of them
    }
    struct packet *block = is_gathered ? NULL : gatherer(packet);
    if (!is_gathered && block == NULL) {
        return false;
    }
    channel_return_locked(&tcp->socket.channel, packet->cost);
    packet_free(packet);
    if (block != NULL) {
        packet_insert(&tcp->socket, block);
    }
    return true;
}

static void part_keep(struct tcp_socket *tcp, struct packet *part)
{
    const bool is_small = part->size < GATHER_MAX && tcp->socket.first != NULL;
    if (!is_small || !small_keep(tcp, part)) {
        packet_insert(&tcp->socket, part);
    }
}

void tcp_stream_keep(struct tcp_socket *tcp, struct packet *packet, uint32_t skip, uint32_t size,
                     uint64_t from)
{
    const uint32_t cost = packet->cost;
    while (packet != NULL) {
        struct packet *more = packet->more;
        const uint32_t passed = skip < packet->size ? skip : packet->size;
        const uint32_t left = packet->size - passed;
        packet->data += passed;
        packet->size = left < size ? left : size;
        packet->place = from;
        packet->more = NULL;
        skip -= passed;
        size -= packet->size;
        from += packet->size;
        packet->cost = size == 0 ? cost : 0; // it counts until its last part has been read
        if (packet->size > 0) {
            part_keep(tcp, packet);
        } else {
            packet_free(packet);
        }
        packet = more;
    }
}

static void first_free(struct tcp_socket *tcp)
{
    struct packet *packet = tcp->socket.first;
    tcp->socket.first = packet->next;
    channel_return_locked(&tcp->socket.channel, packet->cost);
    packet_free(packet);
}

void tcp_stream_end(struct tcp_socket *tcp)
{
    while (tcp->socket.first != NULL) {
        first_free(tcp);
    }
    send_queue_end(&tcp->sending);
    tcp_grown_end(tcp);
    tcp->sending.start = tcp->urgent_told = 0; // of a connection that may come
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

void tcp_stream_read(struct tcp_socket *tcp, uint64_t place)
{
    while (tcp->socket.first != NULL && packet_end(tcp->socket.first) <= place) {
        first_free(tcp);
    }
    tcp_read(&tcp->tcp, place, tcp_now(tcp));
}

int tcp_stream_check(struct tcp_socket *tcp)
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

// With lock held: nothing can follow what has come.
static bool has_ended(const struct tcp_socket *tcp)
{
    return tcp->tcp.has_fin || tcp->socket.error != 0 || tcp->tcp.state == TCP_STATE_CLOSED ||
           (tcp->socket.shut & NET_SHUT_READ) != 0;
}

struct tcp_part tcp_urgent_part(const struct tcp_socket *tcp)
{
    const uint64_t taken = tcp->tcp.taken, mark = tcp->tcp.urgent.place;
    struct tcp_part part = {taken, tcp_received(&tcp->tcp), false};
    if (mark >= part.end) {
        return part;
    }
    if (mark > taken) {
        part.end = mark;
        part.is_cut = true;
    } else if (!tcp->settings.has_urgent_inline) {
        ++part.start;
    }
    return part;
}

struct tcp_part tcp_stream_part(const struct tcp_socket *tcp)
{
    const uint64_t start = tcp->tcp.taken;
    const bool is_connection = tcp->stage == TCP_STAGE_CONNECTION;
    return is_connection && tcp->tcp.urgent.is_known
               ? tcp_urgent_part(tcp)
               : (struct tcp_part){start, is_connection ? tcp_received(&tcp->tcp) : start, false};
}

// With lock held: moves what there is.
static int stream_take(struct tcp_socket *tcp, struct net_message *message, bool drops,
                       size_t *done)
{
    const uint64_t start = tcp->tcp.taken;
    const struct tcp_part part = tcp_stream_part(tcp);
    const size_t before = *done;
    uint64_t at = part.start;
    size_t offset = 0;
    int error = 0;
    const struct io_vector *vector;
    while (error == 0 && at < part.end && (vector = vector_at(message, *done, &offset)) != NULL) {
        size_t copied;
        error = part_copy(tcp, at, part.end, drops ? NULL : vector->data + offset,
                          vector->size - offset, &copied);
        at += copied;
        *done += copied;
    }
    if (at > start && !message->only_looks) {
        tcp_stream_read(tcp, at);
    }
    if (part.is_cut && *done > before) {
        return 0;
    }
    return error != 0 ? error : *done == before ? tcp_stream_check(tcp) : -EAGAIN;
}

void tcp_ask_more(struct tcp_socket *tcp)
{
    if (tcp_ask_counts(&tcp->tcp) && !tcp->is_slow) {
        tcp_ask(&tcp->tcp, tcp_now(tcp));
    }
}

// The same, and waits for it as long as there is nothing else to do.
static int stream_await(struct tcp_socket *tcp, struct net_message *message, bool drops,
                        size_t *done)
{
    const size_t before = *done;
    int error;
    do {
        error = stream_take(tcp, message, drops, done);
        if (error != -EAGAIN || *done > before) {
            return error;
        }
        tcp_ask_more(tcp);
        error = tcp_await_within(tcp, &message->patience);
    } while (error == 0);
    return error;
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
        error = stream_await(tcp, message, drops, done);
        const bool is_enough =
            *done > 0 && ((*done >= tcp->receive_least && !waits_for_all) || has_ended(tcp));
        const uint32_t changes = tcp->changes;
        const hal_ns now = tcp->now;
        tcp_leave(tcp);
        error = error == -EAGAIN && is_all(message, *done) ? 0 : error;
        if (error != -EAGAIN || is_enough) {
            net_run_at(now);
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
    const uint64_t taken = tcp->tcp.taken, mark = tcp->tcp.urgent.place;
    const uint64_t end = is_connection ? tcp_received(&tcp->tcp) : taken;
    const bool is_cut = tcp->tcp.urgent.is_known && mark < end && !tcp->settings.has_urgent_inline;
    tcp_leave_and_run(tcp);
    return (size_t)((is_cut ? mark : end) - taken);
}

uint32_t tcp_input_left(struct tcp_socket *tcp)
{
    mutex_lock(&tcp->socket.lock);
    const bool is_connection = tcp->stage == TCP_STAGE_CONNECTION;
    const uint64_t left =
        is_connection ? tcp_received(&tcp->tcp) - tcp->tcp.taken + tcp->tcp.has_fin : 0;
    mutex_unlock(&tcp->socket.lock);
    return (uint32_t)left;
}

// Or as much as the peer may send.
bool tcp_stream_is_enough(const struct tcp_socket *tcp, uint64_t size)
{
    const uint32_t window = tcp->tcp.announced - tcp->tcp.expected;
    return size >= tcp->receive_least || (size > 0 && window <= tcp->tcp.mss);
}

void tcp_urgent_note(struct tcp_socket *tcp)
{
    const uint64_t behind = tcp->tcp.urgent.place + 1;
    if (tcp->tcp.urgent.is_known && tcp->urgent_told != behind && tcp_is_urgent(&tcp->tcp)) {
        tcp->urgent_told = behind;
        tcp->news |= NET_NEWS_URGENT;
    }
}

int tcp_receive_urgent(struct tcp_socket *tcp, bool only_looks, char *byte, size_t *done)
{
    int error = 0;
    tcp_enter(tcp);
    const uint64_t place = tcp->tcp.urgent.place;
    if (!tcp->tcp.urgent.is_known || tcp->tcp.urgent.is_read || tcp->settings.has_urgent_inline) {
        error = -EINVAL;
    } else if (tcp_is_urgent(&tcp->tcp)) {
        error = part_copy(tcp, place, place + 1, byte, 1, done);
        tcp->tcp.urgent.is_read = error == 0 && !only_looks;
    } else {
        const bool is_shut = (tcp->socket.shut & NET_SHUT_READ) != 0;
        error = tcp->tcp.state == TCP_STATE_CLOSED || is_shut ? 0 : -EAGAIN;
    }
    tcp_leave_and_run(tcp);
    return error;
}

bool tcp_is_at_mark(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const bool is_at = tcp->tcp.urgent.is_known && tcp->tcp.urgent.place == tcp->tcp.taken;
    tcp_leave_and_run(tcp);
    return is_at;
}

size_t tcp_output_size(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const size_t size = tcp->sending.used;
    tcp_leave_and_run(tcp);
    return size;
}
