// SPDX-License-Identifier: BSD-3-Clause
// datagram.c: see datagram.h.
//
// What comes, datagrams and messages of ICMP about those that were sent, is put in the socket's
// channel as it is. Whoever reads, polls or sends looks at it first (datagrams_look).
#include "core/net/datagram.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/raw.h"
#include "core/net/udp.h"

// ---- What comes --------------------------------------------------------------------

static void list_append(struct packet **first, struct packet **last, struct packet *packet)
{
    packet->next = NULL;
    if (*first == NULL) {
        *first = packet;
    } else {
        (*last)->next = packet;
    }
    *last = packet;
}

// Those that end what is under way are told of; of others there may be better news.
static bool is_final(int error)
{
    return error != -ENETUNREACH && error != -EHOSTUNREACH;
}

// A router has not let one of ours through, which was so long (RFC 5927, 7).
static int path_note(const struct net_socket *socket, const struct ip_header *about, uint32_t mtu)
{
    const enum path_discovery how = datagram_discovery(socket, &about->target);
    const bool is_plausible = mtu < about->transport + about->size;
    if (is_plausible && how != PATH_INTERFACE && how != PATH_OMIT) {
        path_learn(&about->target, mtu);
    }
    return is_plausible && how != PATH_DONT ? -EMSGSIZE : 0;
}

// True: it is kept.
static bool error_note(struct net_socket *socket, struct packet *packet,
                       const struct ip_header *header)
{
    struct ip_header about;
    uint32_t quoted;
    int error = icmp_error_read(packet, header, &about, &quoted);
    if (error == -EMSGSIZE) {
        error = path_note(socket, &about, icmp_error_mtu(packet, header));
    }
    const bool is_told =
        error != 0 && (socket->options.reports || (socket->has_peer && is_final(error)));
    if (is_told) {
        socket->error = error;
    }
    if (is_told && socket->options.reports) {
        list_append(&socket->report, &socket->report_last, packet);
        return true;
    }
    return false;
}

// False: the packet is not kept.
static bool packet_keep(struct net_socket *socket, struct packet *packet)
{
    struct ip_header header;
    if (socket->kind == NET_FRAMES || socket->is_direct) {
        list_append(&socket->first, &socket->last, packet);
        return true;
    }
    if (ip_packet_read_again(&header, packet) != 0) {
        return false;
    }
    if (packet->is_message) {
        return error_note(socket, packet, &header);
    }
    if (socket->kind == NET_TRANSPORT ? !udp_check(packet, &header)
                                      : !raw_check(socket, packet, &header)) {
        return false;
    }
    packet->place = socket->options.has_stamps ? hal_clock_ns() : 0;
    list_append(&socket->first, &socket->last, packet);
    return true;
}

static void packet_look(struct net_socket *socket, struct packet *packet)
{
    const uint32_t cost = packet->cost;
    packet = packet->more == NULL ? packet : packet_join(packet);
    if (packet == NULL) {
        net_count(NET_IP_DISCARDED);
        channel_return_locked(&socket->channel, cost);
        return;
    }
    if (!packet_keep(socket, packet)) {
        channel_return_locked(&socket->channel, cost);
        packet_free(packet);
    }
}

void datagrams_look(struct net_socket *socket)
{
    struct packet *packet = channel_take(&socket->channel);
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_look(socket, packet);
        packet = next;
    }
}

int datagram_error_take_locked(struct net_socket *socket)
{
    const int error = socket->error;
    socket->error = 0;
    return error;
}

int datagram_error_take(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    datagrams_look(socket);
    const int error = datagram_error_take_locked(socket);
    mutex_unlock(&socket->lock);
    return error;
}

unsigned datagram_poll(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    datagrams_look(socket);
    const unsigned events = (socket->first != NULL ? DATAGRAM_READABLE : 0) |
                            (socket->error != 0 || socket->report != NULL ? DATAGRAM_FAILED : 0) |
                            (socket->shut & NET_SHUT_READ ? DATAGRAM_SHUT_READ : 0) |
                            (socket->shut & NET_SHUT_WRITE ? DATAGRAM_SHUT_WRITE : 0);
    mutex_unlock(&socket->lock);
    return events;
}

// ---- Receiving ---------------------------------------------------------------------

// From packet->data to what who reads gets.
static uint32_t data_offset(const struct net_socket *socket, const struct packet *packet)
{
    switch ((enum net_kind)socket->kind) {
    case NET_RAW:
        return socket->is_v4 ? 0 : packet->transport;
    case NET_PING:
    case NET_FRAMES:
        return packet->transport;
    default:
        return packet->transport + UDP_HEADER;
    }
}

size_t datagram_input_size(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    datagrams_look(socket);
    const struct packet *first = socket->first;
    const uint32_t offset = first == NULL || socket->is_direct ? 0 : data_offset(socket, first);
    const size_t size = first == NULL ? 0 : first->size - offset;
    mutex_unlock(&socket->lock);
    return size;
}

int datagram_await(struct net_socket *socket, const struct net_patience *patience)
{
    for (;;) {
        datagrams_look(socket);
        const int error = datagram_error_take_locked(socket);
        if (error != 0 || socket->first != NULL) {
            return error;
        }
        if (socket->held.netif != NULL) {
            held_flush(socket);
            continue;
        }
        if (!patience->waits) { // before the end, as Linux has it
            return -EAGAIN;
        }
        if ((socket->shut & NET_SHUT_READ) != 0) {
            return 0;
        }
        const enum wait_result result =
            channel_wait(&socket->channel, &socket->lock, patience->deadline);
        if (result != WAIT_WOKEN) {
            return result == WAIT_INTERRUPTED ? -EINTR : -EAGAIN;
        }
    }
}

int datagram_bytes_copy(const struct packet *packet, uint32_t from, struct net_message *message,
                        size_t *done)
{
    const char *data = packet->data + from;
    const size_t size = packet->size - from;
    for (size_t i = 0; i < message->count && *done < size; ++i) {
        const struct io_vector *vector = &message->vectors[i];
        const size_t part = size - *done < vector->size ? size - *done : vector->size;
        const int error = hal_copy_safe(vector->data, data + *done, part);
        if (error != 0) {
            return error;
        }
        *done += part;
    }
    message->full_size = size;
    message->is_cut = *done < size;
    return 0;
}

// Of raw packets there is no port.
static void origin_tell(const struct net_socket *socket, const struct packet *packet,
                        struct net_message *message)
{
    struct ip_header header;
    uint16_t port = 0;
    const int error = ip_packet_read_again(&header, packet);
    ASSERT(error == 0); // it was looked at
    if (socket->kind == NET_TRANSPORT) {
        memcpy(&port, packet->data + packet->transport, sizeof port);
    }
    message->from = (struct net_end){header.source, net_order16(port)};
    message->is_from_some = true;
    message->target = header.target;
    message->hops = header.hops;
    message->service = header.service;
    message->netif = packet->netif;
    message->arrived = packet->place;
}

int datagram_receive(struct net_socket *socket, struct net_message *message, size_t *done)
{
    message->full_size = 0;
    message->is_cut = message->is_from_some = false;
    message->from.port = 0;
    mutex_lock(&socket->lock);
    int error = socket->is_direct ? -EOPNOTSUPP : datagram_await(socket, &message->patience);
    struct packet *packet = error == 0 ? socket->first : NULL;
    if (packet != NULL && message->only_looks) {
        error = datagram_bytes_copy(packet, data_offset(socket, packet), message, done);
        origin_tell(socket, packet, message);
    } else if (packet != NULL) {
        socket->first = packet->next;
    }
    mutex_unlock(&socket->lock);
    if (packet != NULL && !message->only_looks) {
        error = datagram_bytes_copy(packet, data_offset(socket, packet), message, done);
        origin_tell(socket, packet, message);
        channel_return(&socket->channel, packet->cost);
        packet_free(packet);
    }
    return error;
}

int datagram_lend(struct net_socket *socket, const struct net_patience *patience,
                  struct datagram_lent *lent)
{
    struct net_message message = {.vectors = NULL};
    mutex_lock(&socket->lock);
    const int error = socket->is_direct ? -EOPNOTSUPP : datagram_await(socket, patience);
    struct packet *packet = error == 0 ? socket->first : NULL;
    if (packet != NULL) {
        socket->first = packet->next;
    }
    mutex_unlock(&socket->lock);
    *lent = (struct datagram_lent){.packet = packet};
    if (packet != NULL) {
        const uint32_t offset = data_offset(socket, packet);
        origin_tell(socket, packet, &message);
        lent->data = packet->data + offset;
        lent->size = packet->size - offset;
        lent->from = message.from;
        lent->netif = message.netif;
        net_socket_get(socket);
        packet->place = (uintptr_t)socket;
    }
    return error;
}

void datagram_give_back(struct packet *packet)
{
    struct net_socket *socket = (struct net_socket *)(uintptr_t)packet->place;
    channel_return(&socket->channel, packet->cost);
    packet_free(packet);
    net_socket_put(socket);
}

// ---- Reports -----------------------------------------------------------------------

// Where the data begin in what is quoted, and the port it was sent to.
static uint32_t quoted_offset(const struct net_socket *socket, const struct packet *packet,
                              const struct ip_header *about, uint32_t quoted, uint16_t *port)
{
    const uint32_t transport = quoted + about->transport;
    *port = 0;
    if (socket->kind != NET_TRANSPORT) {
        return transport < packet->size ? transport : packet->size;
    }
    // It is there: udp_error_input has looked.
    memcpy(port, packet->data + transport + sizeof *port, sizeof *port);
    *port = net_order16(*port);
    return transport + UDP_HEADER;
}

static int report_copy(const struct net_socket *socket, const struct packet *packet,
                       struct net_message *message, struct net_report *report, size_t *done)
{
    struct ip_header header, about;
    uint32_t quoted;
    uint16_t port;
    int error = ip_packet_read_again(&header, packet);
    ASSERT(error == 0); // it was looked at
    *report = (struct net_report){.origin = header.source, .netif = packet->netif};
    report->error = icmp_error_read(packet, &header, &about, &quoted);
    report->type = (uint8_t)packet->data[header.transport];
    report->code = (uint8_t)packet->data[header.transport + 1];
    report->mtu = report->error == -EMSGSIZE ? icmp_error_mtu(packet, &header) : 0;
    const uint32_t from = quoted_offset(socket, packet, &about, quoted, &port);
    message->from = (struct net_end){about.target, port};
    message->is_from_some = true;
    message->target = header.target;
    message->hops = header.hops;
    message->service = header.service;
    message->netif = packet->netif;
    return datagram_bytes_copy(packet, from, message, done);
}

int datagram_report_receive(struct net_socket *socket, struct net_message *message,
                            struct net_report *report, size_t *done)
{
    message->is_from_some = false;
    mutex_lock(&socket->lock);
    datagrams_look(socket);
    struct packet *packet = socket->report;
    if (packet != NULL) { // the error is the next one's, as Linux has it
        socket->report = packet->next;
        socket->error = 0;
    }
    mutex_unlock(&socket->lock);
    if (packet == NULL) {
        return -EAGAIN;
    }
    const int error = report_copy(socket, packet, message, report, done);
    channel_return(&socket->channel, packet->cost);
    packet_free(packet);
    return error;
}

void datagram_reports_drop(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    struct packet *packet = socket->report;
    socket->report = NULL;
    mutex_unlock(&socket->lock);
    while (packet != NULL) {
        struct packet *next = packet->next;
        channel_return(&socket->channel, packet->cost);
        packet_free(packet);
        packet = next;
    }
}

// ---- Sending -----------------------------------------------------------------------

size_t datagram_size(const struct net_message *message)
{
    size_t size = 0;
    for (size_t i = 0; i < message->count; ++i) {
        size += message->vectors[i].size;
    }
    return size;
}

__attribute__((always_inline)) static inline int bytes_add(struct packet *packet,
                                                           const struct net_message *message)
{
    int error = 0;
    for (size_t i = 0; i < message->count && error == 0; ++i) {
        const struct io_vector *vector = &message->vectors[i];
        error = hal_copy_safe(packet->data + packet->size, vector->data, vector->size);
        packet->size += (uint32_t)vector->size;
    }
    return error;
}

int datagram_bytes_add(struct packet *packet, const struct net_message *message)
{
    return bytes_add(packet, message);
}

int datagram_packet_make(struct packet **made, const struct net_message *message, size_t size)
{
    struct packet *packet = packet_alloc_block((uint32_t)size);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return -ENOBUFS;
    }
    const int error = bytes_add(packet, message);
    if (error != 0) {
        packet_free(packet);
        return error;
    }
    *made = packet;
    return 0;
}

int datagram_shutdown(struct net_socket *socket, unsigned what)
{
    mutex_lock(&socket->lock);
    const bool is_connected = socket->has_peer;
    socket->shut |= what;
    channel_wake_all(&socket->channel);
    mutex_unlock(&socket->lock);
    socket->ready(socket, NET_NEWS_INPUT);
    return is_connected ? 0 : -ENOTCONN;
}
