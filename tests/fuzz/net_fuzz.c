// SPDX-License-Identifier: BSD-3-Clause
// net_fuzz.c: any bytes at all as packets of IP that an interface receives, with sockets of UDP and
// TCP that listen, bound and connected, of both versions. Each input is a list: two bytes of length
// and choice, then the packet. What a sum would keep out is let in: sums of IPv4's header are made
// right, and half of the packets count as sent by this machine, whose payload has none.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/net/checksum.h"
#include "core/net/datagram.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/run.h"
#include "core/net/tcp_socket.h"
#include "core/net/udp.h"
#include "vfs_host.h"

enum { PORT = 80, SIZE_MAX_OF_PACKET = 2047, HOPS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static bool is_started;

static void ready(struct net_socket *socket, bool has_room)
{
    (void)socket, (void)has_room;
}

static void release(struct net_socket *socket)
{
    if (socket->protocol == IP_TCP) {
        tcp_socket_release(tcp_socket_of(socket));
    }
    free(socket);
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
    return &tcp->socket;
}

static struct tcp_socket *child_make(const struct tcp_socket *listener)
{
    return tcp_socket_of(socket_make(IP_TCP, listener->socket.is_v4));
}

static struct net_socket *bound(uint8_t protocol, bool is_v4)
{
    const struct net_end end = {address_any(is_v4), PORT};
    struct net_socket *socket = socket_make(protocol, is_v4);
    socket->options.is_v6_only = true;
    if (net_socket_bind(socket, &end) != 0) {
        abort();
    }
    return socket;
}

// ---- Packets -------------------------------------------------------------------------

static void bring(const uint8_t *data, uint32_t size, bool is_trusted)
{
    struct packet *packet = packet_alloc_block(size);
    if (packet == NULL) {
        abort();
    }
    memcpy(packet->data, data, size);
    packet->size = size;
    packet->is_trusted = is_trusted;
    const uint32_t header = size > 0 ? (uint32_t)(packet->data[0] & 15) * 4 : 0;
    if (size >= IP4_HEADER && (packet->data[0] & 0xf0) == 0x40 && header <= size &&
        header >= IP4_HEADER) {
        memset(packet->data + 10, 0, 2);
        const uint16_t sum = checksum_end(checksum_add(0, packet->data, header));
        memcpy(packet->data + 10, &sum, sizeof sum);
    }
    for (int hop = 0; packet != NULL; ++hop) { // an answer, and what that is answered with
        if (hop == HOPS) {
            abort();
        }
        packet = net_input(&loopback, packet);
    }
    net_run();
}

static void datagrams_read(struct net_socket *socket)
{
    char data[256];
    const struct io_vector vector = {data, sizeof data};
    struct net_message message = {.vectors = &vector, .count = 1};
    size_t done;
    do {
        done = 0;
    } while (datagram_receive(socket, &message, &done) == 0);
}

static void streams_read(struct tcp_socket *listener)
{
    const struct net_patience none = {.waits = false};
    struct tcp_socket *child;
    while (tcp_accept(listener, &none, &child) == 0) {
        char data[256];
        const struct io_vector vector = {data, sizeof data};
        struct net_message message = {.vectors = &vector, .count = 1};
        size_t done = 0;
        if (tcp_receive(child, &message, false, false, &done) == 0) {
            const struct io_vector answer = {data, done};
            const struct net_message back = {.vectors = &answer, .count = 1};
            done = 0;
            (void)!tcp_send(child, &back, &done);
        }
        tcp_socket_close(child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!is_started && net_start() != 0) {
        abort();
    }
    is_started = true;
    struct net_socket *datagrams[2], *streams[2];
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        datagrams[is_v4] = bound(IP_UDP, is_v4 != 0);
        streams[is_v4] = bound(IP_TCP, is_v4 != 0);
        if (tcp_listen(tcp_socket_of(streams[is_v4]), 2) != 0) {
            abort();
        }
    }
    while (size > 2) {
        const uint32_t head = (uint32_t)data[0] << 8 | data[1];
        uint32_t length = head & SIZE_MAX_OF_PACKET;
        length = length < size - 2 ? length : (uint32_t)(size - 2);
        bring(data + 2, length, (head & 0x8000) != 0);
        data += 2 + length;
        size -= 2 + length;
    }
    for (int i = 0; i < 2; ++i) {
        datagrams_read(datagrams[i]);
        streams_read(tcp_socket_of(streams[i]));
        net_socket_close(datagrams[i]);
        tcp_socket_close(tcp_socket_of(streams[i]));
    }
    net_run();
    return 0;
}

// The replay asks for one.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}
