// SPDX-License-Identifier: BSD-3-Clause
// net_world.c: see net_world.h.
#include "net_world.h"

#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/net/checksum.h"
#include "core/net/datagram.h"
#include "core/net/ip.h"
#include "core/net/run.h"
#include "core/net/tcp_socket.h"
#include "core/net/udp.h"
#include "hal/unit_hal.h"
#include "input.h"
#include "vfs_host.h"

enum { CHILDREN_MAX = 8, BACKLOG = 2, READ_MAX = 256, ROUNDS_MAX = 200 };

#define MILLISECOND UINT64_C(1000000)
#define ROUND (200000 * MILLISECOND) // longer than any wait of TCP's

static struct net_socket *datagrams[2]; // of IPv6, IPv4
static struct tcp_socket *streams[2], *callers[2], *children[CHILDREN_MAX];
static size_t socket_count, memory_at_rest;

// ---- Sockets -------------------------------------------------------------------------

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void release(struct net_socket *socket)
{
    if (socket->protocol == IP_TCP) {
        tcp_socket_release(tcp_socket_of(socket));
    }
    free(socket);
    --socket_count;
}

static struct tcp_socket *child_make(const struct tcp_socket *listener);

static struct net_socket *socket_make(uint8_t protocol, bool is_v4)
{
    struct tcp_socket *tcp = calloc(1, sizeof *tcp);
    if (protocol == IP_TCP) {
        tcp_socket_init(tcp, is_v4);
    } else {
        net_socket_init(&tcp->socket, protocol, is_v4);
    }
    tcp->child_make = child_make;
    tcp->socket.ready = ready;
    tcp->socket.release = release;
    ++socket_count;
    return &tcp->socket;
}

static struct tcp_socket *child_make(const struct tcp_socket *listener)
{
    return tcp_socket_of(socket_make(IP_TCP, listener->socket.is_v4));
}

static struct net_socket *bound(uint8_t protocol, bool is_v4, uint16_t port)
{
    const struct net_end end = {address_any(is_v4), port};
    struct net_socket *socket = socket_make(protocol, is_v4);
    socket->options.is_v6_only = true;
    demand(net_socket_bind(socket, &end) == 0, "a port is free");
    return socket;
}

void world_call(const struct net_address *peer)
{
    const bool is_v4 = address_is_v4(peer);
    const struct net_end end = {*peer, WORLD_PEER};
    const struct net_patience none = {.waits = false};
    callers[is_v4] = tcp_socket_of(bound(IP_TCP, is_v4, WORLD_CALLER));
    demand(tcp_connect_to(callers[is_v4], &end, &none) == -EINPROGRESS, "a call goes out");
}

void world_open(void)
{
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        datagrams[is_v4] = bound(IP_UDP, is_v4 != 0, WORLD_PORT);
        streams[is_v4] = tcp_socket_of(bound(IP_TCP, is_v4 != 0, WORLD_PORT));
        demand(tcp_listen(streams[is_v4], BACKLOG) == 0, "a stream listens");
    }
}

// ---- What comes ----------------------------------------------------------------------

static void datagrams_read(struct net_socket *socket)
{
    char data[READ_MAX];
    const struct io_vector vector = {data, sizeof data};
    struct net_message message = {.vectors = &vector, .count = 1};
    size_t done;
    do {
        done = 0;
    } while (datagram_receive(socket, &message, &done) == 0);
}

// What it has said is said again. False: it has ended.
static bool stream_answer(struct tcp_socket *stream)
{
    char data[READ_MAX];
    const struct io_vector vector = {data, sizeof data};
    struct net_message message = {.vectors = &vector, .count = 1};
    size_t done = 0;
    const int error = tcp_receive(stream, &message, false, false, &done);
    if (error != 0 || done == 0) {
        return error == -EAGAIN;
    }
    const struct io_vector answer = {data, done};
    const struct net_message back = {.vectors = &answer, .count = 1};
    done = 0;
    return tcp_send(stream, &back, &done) == 0;
}

static void children_accept(struct tcp_socket *listener)
{
    const struct net_patience none = {.waits = false};
    struct tcp_socket *child;
    while (tcp_accept(listener, &none, &child) == 0) {
        int place = 0;
        while (place < CHILDREN_MAX && children[place] != NULL) {
            ++place;
        }
        if (place < CHILDREN_MAX) {
            children[place] = child;
        } else {
            tcp_socket_close(child);
        }
    }
}

static void stream_serve(struct tcp_socket **stream)
{
    if (*stream != NULL && !stream_answer(*stream)) {
        tcp_socket_close(*stream);
        *stream = NULL;
    }
}

void world_serve(void)
{
    for (int i = 0; i < 2; ++i) {
        if (streams[i] != NULL) {
            datagrams_read(datagrams[i]);
            children_accept(streams[i]);
        }
        stream_serve(&callers[i]);
    }
    for (int i = 0; i < CHILDREN_MAX; ++i) {
        stream_serve(&children[i]);
    }
}

// ---- Time, and the end ---------------------------------------------------------------

static void time_pass(hal_ns span)
{
    unit_clock_ns += span;
    host_thread_run(); // alarms
    net_run();
}

void world_pass(uint32_t head)
{
    const uint32_t step = head >> 11 & 7;
    if (step != 0) {
        time_pass(MILLISECOND << 2 * step);
    }
}

static size_t memory_used(void)
{
    return host_block_count() + host_frame_count();
}

static void stream_close(struct tcp_socket **stream)
{
    if (*stream != NULL) {
        tcp_socket_close(*stream);
        *stream = NULL;
    }
}

void world_close(void)
{
    world_serve();
    for (int i = 0; i < 2; ++i) {
        if (streams[i] != NULL) {
            net_socket_close(datagrams[i]);
        }
        stream_close(&streams[i]);
        stream_close(&callers[i]);
    }
    for (int i = 0; i < CHILDREN_MAX; ++i) {
        stream_close(&children[i]);
    }
    net_run();
    for (int round = 0; socket_count > 0 || memory_used() > memory_at_rest; ++round) {
        demand(round < ROUNDS_MAX, "memory is given back");
        time_pass(ROUND);
    }
}

void world_rest(void)
{
    memory_at_rest = memory_used();
}

void world_start(void)
{
    demand(net_start() == 0, "the network starts");
    unit_clock_ns = 1000 * ROUND;
    memory_at_rest = SIZE_MAX;
    world_open(); // what stays once anything has been there
    world_close();
    world_rest();
}

// ---- Packets -------------------------------------------------------------------------

static void v4_sum_set(struct packet *packet)
{
    enum { SUM = 10 };
    const uint32_t header = packet->size > 0 ? (uint32_t)(packet->data[0] & 15) * 4 : 0;
    if (packet->size < IP4_HEADER || (packet->data[0] & 0xf0) != 0x40 || header > packet->size ||
        header < IP4_HEADER) {
        return;
    }
    memset(packet->data + SUM, 0, 2);
    const uint16_t sum = checksum_end(checksum_add(0, packet->data, header));
    memcpy(packet->data + SUM, &sum, sizeof sum);
}

// Where a protocol has its sum; 0: it has none.
static uint32_t sum_place(uint8_t protocol)
{
    switch (protocol) {
    case IP_TCP:
        return 16;
    case IP_UDP:
        return 6;
    case IP_ICMP:
    case IP_ICMPV6:
    case IP_IGMP:
        return 2;
    default:
        return 0;
    }
}

void world_sums_set(struct packet *packet)
{
    struct ip_header header;
    v4_sum_set(packet);
    if (ip_header_read(&header, packet->data, packet->size, false) != 0) {
        return;
    }
    const uint32_t at = sum_place(header.protocol);
    char *data = packet->data + header.transport;
    if (at == 0 || header.size < at + 2) {
        return;
    }
    const bool has_ends = header.protocol != IP_ICMP && header.protocol != IP_IGMP;
    memset(data + at, 0, 2);
    const uint64_t ends = !has_ends ? 0
                                    : checksum_add_ends(0, &header.source, &header.target,
                                                        header.protocol, header.size);
    const uint16_t sum = checksum_end(checksum_add(ends, data, header.size));
    memcpy(data + at, &sum, sizeof sum);
}

struct packet *world_packet(const uint8_t *data, uint32_t size, bool is_right)
{
    struct packet *packet = packet_alloc_block(size);
    demand(packet != NULL, "there is memory");
    memcpy(packet->data, data, size);
    packet->size = size;
    if (is_right) {
        world_sums_set(packet);
    } else {
        v4_sum_set(packet);
    }
    return packet;
}
