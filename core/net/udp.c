// SPDX-License-Identifier: BSD-3-Clause
// udp.c: see udp.h.
//
// What comes, datagrams and messages of ICMP about those that were sent, is put in the socket's
// channel as it is. Whoever reads, polls or sends looks at it first (channel_look).
#include "core/net/udp.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/route.h"

enum {
    UDP_SIZE_MAX = IP_SIZE_MAX - UDP_HEADER, // of the data, behind IPv6
};

struct udp_header {
    uint16_t source, target, size, checksum;
};

_Static_assert(sizeof(struct udp_header) == UDP_HEADER, "RFC 768");

// ---- What comes --------------------------------------------------------------------

struct packet *udp_input(struct packet *packet, const struct ip_header *header)
{
    struct udp_header raw;
    struct packet *answer = NULL;
    if (header->size < sizeof raw) {
        net_count(NET_UDP_DAMAGED);
        packet_free(packet);
        return NULL;
    }
    memcpy(&raw, packet->data + header->transport, sizeof raw);
    const struct net_end local = {header->target, net_order16(raw.target)};
    const struct net_end remote = {header->source, net_order16(raw.source)};
    packet->cost = packet->size + NET_PACKET_COST;
    if (!net_socket_deliver(IP_UDP, &local, &remote, packet)) {
        net_count(NET_UDP_NO_PORT);
        answer = icmp_unreachable(packet, header, ICMP_NO_PORT);
        packet_free(packet);
    }
    return answer;
}

bool udp_error_input(struct packet *packet, const struct ip_header *about, uint32_t quoted)
{
    struct udp_header raw;
    if (packet->size < quoted + about->transport + sizeof raw) {
        return false;
    }
    memcpy(&raw, packet->data + quoted + about->transport, sizeof raw);
    const struct net_end local = {about->source, net_order16(raw.source)};
    const struct net_end remote = {about->target, net_order16(raw.target)};
    packet->cost = packet->size + NET_PACKET_COST;
    return net_socket_deliver(IP_UDP, &local, &remote, packet);
}

// What is left of the packet begins with the data. False: it is none.
static bool datagram_check(struct packet *packet, const struct ip_header *header)
{
    struct udp_header raw;
    memcpy(&raw, packet->data + header->transport, sizeof raw);
    const uint32_t size = net_order16(raw.size);
    if (size < sizeof raw || size > header->size) {
        net_count(NET_UDP_DAMAGED);
        return false;
    }
    if (!packet->is_trusted && (raw.checksum != 0 || !address_is_v4(&header->target))) {
        const uint64_t sum = checksum_add_ends(0, &header->source, &header->target, IP_UDP, size);
        if (checksum_end(checksum_add(sum, packet->data + header->transport, size)) != 0) {
            net_count(NET_UDP_BAD_CHECKSUM);
            return false;
        }
    }
    packet->size = header->transport + size;
    net_count(NET_UDP_RECEIVED);
    return true;
}

// Those that end what is under way are told of; of others there may be better news.
static void error_note(struct net_socket *socket, const struct packet *packet,
                       const struct ip_header *header)
{
    struct ip_header about;
    uint32_t quoted;
    const int error = icmp_error_read(packet, header, &about, &quoted);
    if (socket->remote.port != 0 && error != -ENETUNREACH && error != -EHOSTUNREACH &&
        error != -EMSGSIZE) {
        socket->error = error != 0 ? error : socket->error;
    }
}

static void packet_look(struct net_socket *socket, struct packet *packet)
{
    struct ip_header header;
    const uint32_t cost = packet->cost;
    packet = packet->more == NULL ? packet : packet_join(packet);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        channel_return(&socket->channel, cost);
        return;
    }
    packet->cost = cost;
    const int error = ip_header_read(&header, packet->data, packet->size, false);
    const bool is_datagram = error == 0 && header.protocol == IP_UDP;
    if (is_datagram && datagram_check(packet, &header)) {
        packet->next = NULL;
        if (socket->first == NULL) {
            socket->first = packet;
        } else {
            socket->last->next = packet;
        }
        socket->last = packet;
        return;
    }
    if (error == 0 && !is_datagram) {
        error_note(socket, packet, &header);
    }
    channel_return(&socket->channel, packet->cost);
    packet_free(packet);
}

// With lock held.
static void channel_look(struct net_socket *socket)
{
    struct packet *packet = channel_take(&socket->channel);
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_look(socket, packet);
        packet = next;
    }
}

static int error_take_locked(struct net_socket *socket)
{
    const int error = socket->error;
    socket->error = 0;
    return error;
}

int udp_error_take(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    channel_look(socket);
    const int error = error_take_locked(socket);
    mutex_unlock(&socket->lock);
    return error;
}

unsigned udp_poll(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    channel_look(socket);
    const unsigned events = (socket->first != NULL ? UDP_READABLE : 0) |
                            (socket->error != 0 ? UDP_FAILED : 0) |
                            (socket->shut & NET_SHUT_READ ? UDP_SHUT_READ : 0) |
                            (socket->shut & NET_SHUT_WRITE ? UDP_SHUT_WRITE : 0);
    mutex_unlock(&socket->lock);
    return events;
}

// ---- Receiving ---------------------------------------------------------------------

static size_t data_size(const struct packet *packet)
{
    return packet->size - packet->transport - UDP_HEADER;
}

size_t udp_input_size(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    channel_look(socket);
    const size_t size = socket->first == NULL ? 0 : data_size(socket->first);
    mutex_unlock(&socket->lock);
    return size;
}

// With lock held: until there is a datagram; none and 0: there will be none.
static int datagram_await(struct net_socket *socket, const struct net_patience *patience)
{
    for (;;) {
        channel_look(socket);
        const int error = error_take_locked(socket);
        if (error != 0 || socket->first != NULL) {
            return error;
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

static int datagram_copy(const struct packet *packet, struct net_message *message, size_t *done)
{
    const char *data = packet->data + packet->transport + UDP_HEADER;
    const size_t size = data_size(packet);
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

static void origin_tell(const struct packet *packet, struct net_message *message)
{
    struct ip_header header;
    struct udp_header raw;
    const int error = ip_header_read(&header, packet->data, packet->size, true);
    ASSERT(error == 0); // it was looked at
    memcpy(&raw, packet->data + packet->transport, sizeof raw);
    message->from = (struct net_end){header.source, net_order16(raw.source)};
    message->target = header.target;
    message->hops = header.hops;
    message->service = header.service;
}

int udp_receive(struct net_socket *socket, struct net_message *message, size_t *done)
{
    message->full_size = 0;
    message->is_cut = false;
    message->from.port = 0;
    mutex_lock(&socket->lock);
    int error = datagram_await(socket, &message->patience);
    struct packet *packet = error == 0 ? socket->first : NULL;
    if (packet != NULL && message->only_looks) {
        error = datagram_copy(packet, message, done);
        origin_tell(packet, message);
    } else if (packet != NULL) {
        socket->first = packet->next;
    }
    mutex_unlock(&socket->lock);
    if (packet != NULL && !message->only_looks) {
        error = datagram_copy(packet, message, done);
        origin_tell(packet, message);
        channel_return(&socket->channel, packet->cost);
        packet_free(packet);
    }
    return error;
}

// ---- Sending -----------------------------------------------------------------------

static size_t message_size(const struct net_message *message)
{
    size_t size = 0;
    for (size_t i = 0; i < message->count; ++i) {
        size += message->vectors[i].size;
    }
    return size;
}

// With lock held: what the header of the datagram is to say, and whether it may be sent.
static int send_prepare(struct net_socket *socket, const struct net_end *to, size_t size,
                        struct ip_header *header, struct route *route)
{
    struct net_end local = socket->local;
    int error = route_find(&to->address, route);
    if (error == 0 && !address_is_any(&local.address)) {
        error = route_check_source(route, &local.address);
    }
    if (error == 0 && socket->flow == NULL) {
        error = net_socket_flow_set(socket, local, socket->remote);
    }
    if (error != 0) {
        net_count(NET_IP_NO_ROUTE);
        return error;
    }
    const bool is_v4 = address_is_v4(&to->address);
    if (size > UDP_SIZE_MAX - (is_v4 ? IP4_HEADER : 0)) {
        return -EMSGSIZE;
    }
    error = error_take_locked(socket);
    error = error == 0 && (socket->shut & NET_SHUT_WRITE) != 0 ? -EPIPE : error;
    *header = (struct ip_header){
        .source = address_is_any(&local.address) ? route->source : local.address,
        .target = to->address,
        .protocol = IP_UDP,
        .hops = is_v4 ? socket->options.hops : socket->options.hops_v6,
        .service = socket->options.service,
    };
    return error;
}

static int packet_make(struct packet **made, const struct net_message *message, size_t size)
{
    struct packet *packet = packet_alloc_block((uint32_t)size);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return -ENOBUFS;
    }
    for (size_t i = 0; i < message->count; ++i) {
        const struct io_vector *vector = &message->vectors[i];
        const int error = hal_copy_safe(packet->data + packet->size, vector->data, vector->size);
        if (error != 0) {
            packet_free(packet);
            return error;
        }
        packet->size += (uint32_t)vector->size;
    }
    *made = packet;
    return 0;
}

// Without the checksum: net_output puts it where one is needed.
static void header_push(struct packet *packet, const struct ip_header *header, uint16_t source,
                        uint16_t target)
{
    const struct udp_header raw = {
        .source = net_order16(source),
        .target = net_order16(target),
        .size = net_order16((uint16_t)(packet->size + UDP_HEADER)),
    };
    packet->data -= sizeof raw;
    packet->size += sizeof raw;
    memcpy(packet->data, &raw, sizeof raw);
    packet->is_trusted = true;
    ip_header_push(packet, header);
}

int udp_send(struct net_socket *socket, const struct net_message *message, size_t *done)
{
    const size_t size = message_size(message);
    struct ip_header header = {0};
    struct route route = {0};
    struct packet *packet;
    if (size > IP_SIZE_MAX) {
        return -EMSGSIZE;
    }
    mutex_lock(&socket->lock);
    channel_look(socket);
    struct net_end to = message->to != NULL ? *message->to : socket->remote;
    int error = to.port != 0 ? 0 : message->to != NULL ? -EINVAL : -EDESTADDRREQ;
    if (address_is_any(&to.address)) {
        to.address = address_loopback(address_is_v4(&to.address));
    }
    error = error != 0 ? error : send_prepare(socket, &to, size, &header, &route);
    const uint16_t port = socket->local.port;
    mutex_unlock(&socket->lock);
    error = error != 0 ? error : packet_make(&packet, message, size);
    if (error != 0) {
        return error;
    }
    header.may_cut = packet->size + UDP_HEADER + IP6_HEADER > route.netif->mtu;
    header_push(packet, &header, port, to.port);
    net_count(NET_UDP_SENT);
    net_output_by(&route, packet);
    *done = size;
    return 0;
}

// ---- Connections -------------------------------------------------------------------

// With lock held: to nobody, and from where bind has said.
static int disconnect(struct net_socket *socket)
{
    struct net_end local = socket->local;
    const struct net_end nobody = {address_any(socket->is_v4), 0};
    if (!socket->has_address) {
        local.address = address_any(socket->is_v4);
    }
    socket->error = 0;
    if (socket->flow != NULL && !socket->has_port) {
        flow_leave(socket->flow);
        socket->flow = NULL;
        local.port = 0;
    }
    if (socket->flow != NULL) {
        return net_socket_flow_set(socket, local, nobody);
    }
    socket->local = local;
    socket->remote = nobody;
    return 0;
}

// With lock held.
static int connect(struct net_socket *socket, struct net_end remote)
{
    struct net_end local;
    const int error = net_socket_route(socket, &remote, &local);
    return error != 0 ? error : net_socket_flow_set(socket, local, remote);
}

int udp_connect(struct net_socket *socket, const struct net_end *remote)
{
    mutex_lock(&socket->lock);
    channel_look(socket);
    const int error = remote == NULL ? disconnect(socket) : connect(socket, *remote);
    mutex_unlock(&socket->lock);
    return error;
}

int udp_shutdown(struct net_socket *socket, unsigned what)
{
    mutex_lock(&socket->lock);
    const bool is_connected = socket->remote.port != 0;
    socket->shut |= what;
    channel_wake_all(&socket->channel);
    mutex_unlock(&socket->lock);
    socket->ready(socket, true);
    return is_connected ? 0 : -ENOTCONN;
}
