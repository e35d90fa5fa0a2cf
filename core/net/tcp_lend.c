// SPDX-License-Identifier: BSD-3-Clause
// tcp_lend.c: the bytes of a stream, lent to their reader where they lie: the packets of the list
// themselves. What the sender on lo has in its queue they share, so they are only to be read.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/run.h"

// What a packet has up to end, where it has more. NULL: no memory.
static struct packet *head_copy(const struct packet *packet, uint64_t from, uint64_t end)
{
    struct packet *copy = packet_alloc_block((uint32_t)(end - from));
    if (copy != NULL) {
        copy->size = (uint32_t)(end - from);
        memcpy(copy->data, packet->data + (from - packet->place), copy->size);
    }
    return copy;
}

// With lock held: the next of [from, end), of which there is something. NULL: no memory.
static struct packet *piece_take(struct tcp_socket *tcp, uint64_t from, uint64_t end)
{
    struct net_socket *socket = &tcp->socket;
    struct packet *packet = socket->first;
    while (packet->place + packet->size <= from) {
        socket->first = packet->next;
        channel_return_locked(&socket->channel, packet->cost);
        packet_free(packet);
        packet = socket->first;
    }
    if (packet->place + packet->size > end) {
        return head_copy(packet, from, end);
    }
    const uint32_t skip = (uint32_t)(from - packet->place);
    socket->first = packet->next;
    packet->data += skip;
    packet->size -= skip;
    return packet;
}

// With lock held. How many.
static uint32_t pieces_take(struct tcp_socket *tcp, struct tcp_part part, uint32_t count,
                            struct packet **first)
{
    uint32_t done = 0;
    uint64_t at = part.start;
    *first = NULL;
    for (; done < count && at < part.end; ++done) {
        struct packet *packet = piece_take(tcp, at, part.end);
        if (packet == NULL) {
            break;
        }
        at += packet->size;
        packet->place = (uintptr_t)&tcp->socket;
        packet->next = NULL;
        net_socket_get(&tcp->socket);
        *first = packet;
        first = &packet->next;
    }
    if (done > 0) {
        tcp->lent += (uint32_t)(at - part.start);
        tcp_keep(&tcp->tcp, tcp->lent, tcp_now(tcp));
        tcp_stream_read(tcp, at);
    }
    return done;
}

int tcp_lend(struct tcp_socket *tcp, const struct net_patience *patience, uint32_t count,
             struct packet **first)
{
    int error;
    do {
        tcp_enter(tcp);
        const struct tcp_part part = tcp_stream_part(tcp);
        const bool is_some = part.start < part.end;
        const bool is_done = pieces_take(tcp, part, count, first) > 0;
        error = is_done ? 0 : is_some ? -ENOBUFS : tcp_stream_check(tcp);
        const uint32_t changes = tcp->changes;
        const hal_ns now = tcp->now;
        tcp_leave(tcp);
        if (error != -EAGAIN) {
            net_run_at(now);
            break;
        }
        error = tcp_await(tcp, changes, patience);
    } while (error == 0);
    return error;
}

void tcp_give_back(struct tcp_socket *tcp, struct packet *first)
{
    uint32_t size = 0, count = 0;
    while (first != NULL) {
        struct packet *next = first->next;
        channel_return(&tcp->socket.channel, first->cost);
        size += first->size;
        ++count;
        packet_free(first);
        first = next;
    }
    tcp_enter(tcp);
    tcp->lent -= size;
    if (tcp->stage == TCP_STAGE_CONNECTION) {
        tcp_keep(&tcp->tcp, tcp->lent, tcp_now(tcp));
    }
    tcp_leave_and_run(tcp);
    for (; count > 0; --count) {
        net_socket_put(&tcp->socket);
    }
}
