// SPDX-License-Identifier: BSD-3-Clause
// raw.c: see raw.h.
//
// One list of all, which is read under RCU for each packet of a protocol that any has. What they
// get are copies: a packet has one owner. Pings are in it once they have a number; of those that
// share one the newest gets the answers.
#include "core/net/raw.h"

#include <stddef.h>

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/run.h"

enum {
    ECHO_HEADER = 8,
    ECHO_CHECKSUM = 2,
    ECHO_NUMBER = 4,
    V4_ECHO = 8,
    V4_ECHO_REPLY = 0,
    V6_ECHO = 128,
    V6_ECHO_REPLY = 129,
};

static struct mutex raws_lock; // of who changes it
static struct rcu_list raws;
_Atomic uint32_t raw_count, raw_flow_count;

static struct raw_socket *raw_of(struct net_socket *socket)
{
    return container_of(socket, struct raw_socket, socket);
}

// ---- Which packets -----------------------------------------------------------------

static void address_set(_Atomic uint64_t words[2], const struct net_address *address)
{
    atomic_store_explicit(&words[0], address->words[0], memory_order_relaxed);
    atomic_store_explicit(&words[1], address->words[1], memory_order_relaxed);
}

// One that changes meanwhile is either, or for a moment nobody's.
static bool address_fits(const _Atomic uint64_t words[2], const struct net_address *address)
{
    const struct net_address wanted = {{atomic_load_explicit(&words[0], memory_order_relaxed),
                                        atomic_load_explicit(&words[1], memory_order_relaxed)}};
    return address_is_any(&wanted) || address_is_equal(&wanted, address);
}

// With lock held: what packets are compared with is what the socket says.
static void match_set(struct raw_socket *raw)
{
    const struct net_socket *socket = &raw->socket;
    const struct net_address any = address_any(socket->is_v4);
    // A ping gets what answers it, from whomever.
    const bool has_remote = socket->has_peer && socket->kind == NET_RAW;
    address_set(raw->local, &socket->local.address);
    address_set(raw->remote, has_remote ? &socket->remote.address : &any);
}

static bool is_icmp(uint8_t protocol)
{
    return protocol == IP_ICMP || protocol == IP_ICMPV6;
}

static uint16_t number_at(const char *echo)
{
    uint16_t number;
    memcpy(&number, echo + ECHO_NUMBER, sizeof number);
    return net_order16(number);
}

// Of one that has come by netif: data is what lies behind IP's header, of size bytes.
static bool is_for(const struct raw_socket *raw, const struct ip_header *header, const char *data,
                   uint32_t size, uint32_t netif)
{
    const struct net_socket *socket = &raw->socket;
    const uint32_t bound = net_socket_netif(socket);
    if (socket->protocol != header->protocol || socket->is_v4 != address_is_v4(&header->target) ||
        !address_fits(raw->local, &header->target) ||
        !address_fits(raw->remote, &header->source) || (bound != 0 && bound != netif)) {
        return false;
    }
    return socket->kind == NET_RAW ||
           (size >= ECHO_HEADER &&
            atomic_load_explicit(&raw->number, memory_order_relaxed) == number_at(data));
}

static bool is_filtered(const struct raw_socket *raw, uint8_t type)
{
    const uint32_t word = atomic_load_explicit(&raw->filter[type / 32], memory_order_relaxed);
    return (word >> type % 32 & 1) != 0;
}

static bool is_reply(const struct raw_socket *raw, uint8_t type)
{
    return type == (raw->socket.is_v4 ? V4_ECHO_REPLY : V6_ECHO_REPLY);
}

// Does it want a packet that is for it?
static bool wants(const struct raw_socket *raw, const char *data, uint32_t size)
{
    if (!is_icmp(raw->socket.protocol)) {
        return true;
    }
    return size > 0 && (raw->socket.kind == NET_PING ? is_reply(raw, (uint8_t)data[0])
                                                     : !is_filtered(raw, (uint8_t)data[0]));
}

// ---- What comes --------------------------------------------------------------------

// In an RCU section.
static void copy_give(struct raw_socket *raw, const struct packet *packet, bool is_message,
                      struct net_told *told)
{
    struct net_socket *tell;
    struct packet *copy = packet_clone(packet);
    if (copy == NULL) {
        net_count(NET_NO_MEMORY);
        return;
    }
    copy->is_message = is_message;
    copy->cost = packet->size + NET_PACKET_COST;
    net_socket_give(&raw->socket, copy, &tell);
    if (tell != NULL) {
        (void)net_told_push(told, tell);
    }
}

bool raw_input(const struct packet *packet, const struct ip_header *header)
{
    const char *data = packet->data + header->transport;
    struct net_told told = {NULL};
    struct rcu_node *node;
    bool is_some = false, has_ping = false;
    rcu_read_begin();
    rcu_list_for_each(node, &raws)
    {
        struct raw_socket *raw = container_of(node, struct raw_socket, node);
        const bool is_ping = raw->socket.kind == NET_PING;
        if ((is_ping && has_ping) || !is_for(raw, header, data, header->size, packet->netif)) {
            continue;
        }
        is_some = true;
        if (wants(raw, data, header->size)) {
            copy_give(raw, packet, false, &told);
            has_ping |= is_ping;
        }
    }
    rcu_read_end();
    (void)net_told_tell(&told);
    return is_some;
}

void raw_error_input(const struct packet *packet, const struct ip_header *about, uint32_t quoted)
{
    const uint32_t from = quoted + about->transport;
    const uint32_t size = from < packet->size ? packet->size - from : 0;
    const struct ip_header back = {
        .protocol = about->protocol, .source = about->target, .target = about->source};
    struct net_told told = {NULL};
    struct rcu_node *node;
    rcu_read_begin();
    rcu_list_for_each(node, &raws)
    {
        struct raw_socket *raw = container_of(node, struct raw_socket, node);
        if (is_for(raw, &back, packet->data + from, size, packet->netif)) {
            copy_give(raw, packet, true, &told);
        }
    }
    rcu_read_end();
    (void)net_told_tell(&told);
}

bool raw_check(struct net_socket *socket, struct packet *packet, const struct ip_header *header)
{
    const struct raw_socket *raw = raw_of(socket);
    packet->transport = header->transport;
    if (socket->kind == NET_PING) {
        if (!icmp_is_right(packet, header)) {
            net_count(NET_ICMP_DROPPED);
            return false;
        }
    } else if (!socket->is_v4 && raw->checksum_offset >= 0 && !packet->is_trusted) {
        uint64_t sum =
            checksum_add_ends(0, &header->source, &header->target, header->protocol, header->size);
        sum = checksum_add(sum, packet->data + header->transport, header->size);
        if (checksum_end(sum) != 0) {
            net_count(NET_ICMP_DROPPED);
            return false;
        }
    }
    net_count(NET_RAW_RECEIVED);
    return true;
}

// ---- Who gets packets --------------------------------------------------------------

static bool has_flows(const struct raw_socket *raw)
{
    return raw->socket.protocol == IP_UDP || raw->socket.protocol == IP_TCP;
}

// With raws_lock held.
static void list_enter(struct raw_socket *raw)
{
    if (!raw->is_listed) {
        raw->is_listed = true;
        rcu_list_push(&raws, &raw->node);
        atomic_fetch_add_explicit(&raw_count, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&raw_flow_count, has_flows(raw), memory_order_relaxed);
    }
}

static bool number_is_free(uint32_t number, bool is_v4)
{
    struct rcu_node *node;
    rcu_list_for_each(node, &raws)
    {
        const struct raw_socket *other = container_of(node, struct raw_socket, node);
        if (other->socket.kind == NET_PING && other->socket.is_v4 == is_v4 &&
            atomic_load_explicit(&other->number, memory_order_relaxed) == number) {
            return false;
        }
    }
    return true;
}

// With its lock held: a ping has a number from now on. wanted 0: one that is free. -EADDRINUSE:
// none is.
static int number_choose(struct raw_socket *raw, uint16_t wanted)
{
    struct net_socket *socket = &raw->socket;
    uint16_t number = wanted;
    if (socket->kind != NET_PING || socket->local.port != 0) {
        return 0;
    }
    if (wanted == 0) {
        hal_entropy(&number, sizeof number);
    }
    mutex_lock(&raws_lock);
    for (uint32_t tries = 0; wanted == 0 && tries <= UINT16_MAX &&
                             (number == 0 || !number_is_free(number, socket->is_v4));
         ++tries) {
        ++number;
    }
    const bool is_found = wanted != 0 || number_is_free(number, socket->is_v4);
    if (is_found) {
        atomic_store_explicit(&raw->number, number, memory_order_relaxed);
        socket->local.port = number;
        list_enter(raw);
    }
    mutex_unlock(&raws_lock);
    return is_found ? 0 : -EADDRINUSE;
}

// ---- Sending -----------------------------------------------------------------------

// Its checksum and, of a ping, its number, which are the machine's business. -EINVAL.
static int payload_finish(const struct raw_socket *raw, struct packet *packet,
                          const struct ip_header *header)
{
    const struct net_socket *socket = &raw->socket;
    const int32_t offset = socket->kind == NET_PING ? ECHO_CHECKSUM : raw->checksum_offset;
    uint16_t checksum = 0;
    if (socket->kind == NET_PING) {
        const uint16_t number = net_order16(socket->local.port);
        memcpy(packet->data + ECHO_NUMBER, &number, sizeof number);
    }
    if (offset < 0) {
        return 0;
    }
    if (packet->size < sizeof checksum || (uint32_t)offset > packet->size - sizeof checksum) {
        return -EINVAL;
    }
    memcpy(packet->data + offset, &checksum, sizeof checksum);
    const uint64_t sum = socket->is_v4 ? 0
                                       : checksum_add_ends(0, &header->source, &header->target,
                                                           header->protocol, packet->size);
    checksum = checksum_end(checksum_add(sum, packet->data, packet->size));
    memcpy(packet->data + offset, &checksum, sizeof checksum);
    return 0;
}

// What the sender of a whole packet of IPv4 leaves to the machine: its length, its checksum, and
// its source where there is none. -EINVAL: it is none.
static int header_finish(struct packet *packet, const struct ip_header *header)
{
    enum { SIZE = 2, CHECKSUM = 10, SOURCE = 12 };
    const uint16_t size = net_order16((uint16_t)packet->size);
    const uint32_t length = (uint32_t)(packet->data[0] & 15) * 4;
    uint32_t source;
    uint16_t checksum = 0;
    if (length < IP4_HEADER || length > packet->size) {
        return -EINVAL;
    }
    memcpy(packet->data + SIZE, &size, sizeof size);
    memcpy(&source, packet->data + SOURCE, sizeof source);
    if (source == 0) {
        memcpy(packet->data + SOURCE, address_v4_bytes(&header->source), ADDRESS_V4_SIZE);
    }
    memcpy(packet->data + CHECKSUM, &checksum, sizeof checksum);
    checksum = checksum_end(checksum_add(0, packet->data, length));
    memcpy(packet->data + CHECKSUM, &checksum, sizeof checksum);
    return 0;
}

// With lock held: the way, and what its header is to say.
static int send_prepare(struct raw_socket *raw, const struct net_message *message,
                        struct ip_header *header, struct route *route)
{
    struct net_socket *socket = &raw->socket;
    struct net_end to = message->to != NULL ? *message->to : socket->remote;
    int error = message->to == NULL && !socket->has_peer ? -EDESTADDRREQ : 0;
    if (address_is_any(&to.address)) {
        to.address = address_loopback(address_is_v4(&to.address));
    }
    const struct net_address source =
        message->source != NULL ? *message->source : socket->local.address;
    const bool has_source = !address_is_any(&source);
    struct netif *by = message->by;
    error = error == 0 && by == NULL ? net_socket_by(socket, &to.address, &by) : error;
    error = error != 0 ? error : route_find_by(&to.address, by, route);
    if (error == 0 && has_source) {
        error = message->source != NULL ? route_source_take(route, &source)
                                        : route_check_source(route, &source);
    }
    if (error != 0) {
        net_count(NET_IP_NO_ROUTE);
        return error;
    }
    error = datagram_error_take_locked(socket);
    error = error == 0 && (socket->shut & NET_SHUT_WRITE) != 0 ? -EPIPE : error;
    *header = (struct ip_header){
        .source = has_source ? source : route->source,
        .target = to.address,
        .protocol = socket->protocol,
        .hops = socket->is_v4 ? socket->options.hops : socket->options.hops_v6,
        .service = socket->options.service,
    };
    return error;
}

static int packet_finish(const struct raw_socket *raw, struct packet *packet,
                         struct ip_header *header, const struct route *route)
{
    if (raw->writes_header) {
        if (packet->size > route->netif->mtu) {
            return -EMSGSIZE;
        }
        return raw->socket.is_v4                     ? header_finish(packet, header)
               : packet->size < (uint32_t)IP6_HEADER ? -EINVAL
                                                     : 0;
    }
    const bool is_long = packet->size + IP6_HEADER > route->netif->mtu;
    if (is_long && raw->socket.options.never_cuts && !raw->socket.is_v4) {
        return -EMSGSIZE;
    }
    const int error = payload_finish(raw, packet, header);
    if (error == 0) {
        header->may_cut = is_long;
        ip_header_push(packet, header);
    }
    return error;
}

// Is what a ping sends an echo?
static int echo_check(const struct raw_socket *raw, const struct packet *packet)
{
    const uint8_t type = raw->socket.is_v4 ? V4_ECHO : V6_ECHO;
    const bool is_echo =
        packet->size >= ECHO_HEADER && (uint8_t)packet->data[0] == type && packet->data[1] == 0;
    return raw->socket.kind != NET_PING || is_echo ? 0 : -EINVAL;
}

int raw_send(struct raw_socket *raw, const struct net_message *message, size_t *done)
{
    struct net_socket *socket = &raw->socket;
    const size_t size = datagram_size(message);
    struct ip_header header = {0};
    struct route route = {0};
    struct packet *packet = NULL;
    const size_t header_size = raw->writes_header ? 0 : IP4_HEADER;
    if (size > IP_SIZE_MAX - (socket->is_v4 ? header_size : 0)) {
        return -EMSGSIZE;
    }
    mutex_lock(&socket->lock);
    int error = number_choose(raw, 0);
    mutex_unlock(&socket->lock);
    error = error != 0 ? error : datagram_packet_make(&packet, message, size);
    error = error != 0 ? error : echo_check(raw, packet);
    if (error == 0) {
        mutex_lock(&socket->lock);
        datagrams_look(socket);
        error = send_prepare(raw, message, &header, &route);
        error = error != 0 ? error : packet_finish(raw, packet, &header, &route);
        mutex_unlock(&socket->lock);
    }
    if (error != 0) {
        packet_free(packet);
        return error;
    }
    net_count(NET_RAW_SENT);
    net_output_by(&route, packet);
    net_run(); // whose connection it was a segment of, on lo
    *done = size;
    return 0;
}

// ---- Beginning and end -------------------------------------------------------------

void raw_socket_init(struct raw_socket *raw, enum net_kind kind, uint8_t protocol, bool is_v4)
{
    net_socket_init(&raw->socket, protocol, is_v4);
    raw->socket.kind = (uint8_t)kind;
    raw->socket.local.port = kind == NET_RAW ? protocol : 0;
    raw->writes_header = kind == NET_RAW && protocol == RAW_ANYTHING;
    raw->checksum_offset = kind == NET_RAW && protocol == IP_ICMPV6 ? ECHO_CHECKSUM : -1;
    match_set(raw);
}

void raw_socket_open(struct raw_socket *raw)
{
    if (raw->socket.kind == NET_RAW && raw->socket.protocol != RAW_ANYTHING) { // which only sends
        mutex_lock(&raws_lock);
        list_enter(raw);
        mutex_unlock(&raws_lock);
    }
}

void raw_socket_close(struct raw_socket *raw)
{
    mutex_lock(&raws_lock);
    if (raw->is_listed) {
        rcu_list_remove(&raws, &raw->node);
        atomic_fetch_sub_explicit(&raw_count, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&raw_flow_count, has_flows(raw), memory_order_relaxed);
    }
    mutex_unlock(&raws_lock);
    net_socket_close(&raw->socket);
}

int raw_bind(struct raw_socket *raw, const struct net_end *local)
{
    struct net_socket *socket = &raw->socket;
    const bool is_ping = socket->kind == NET_PING;
    const bool is_any = address_is_any(&local->address);
    if (!is_any && !net_socket_may_have(socket, &local->address)) {
        return -EADDRNOTAVAIL;
    }
    mutex_lock(&socket->lock);
    int error = is_ping && socket->local.port != 0 ? -EINVAL : number_choose(raw, local->port);
    if (error == 0) {
        socket->local.address = local->address;
        socket->has_address = !is_any;
        socket->has_port = is_ping && local->port != 0;
        match_set(raw);
    }
    mutex_unlock(&socket->lock);
    return error;
}

// With lock held.
static void disconnect(struct raw_socket *raw)
{
    struct net_socket *socket = &raw->socket;
    socket->has_peer = false;
    socket->remote = (struct net_end){address_any(socket->is_v4), 0};
    if (!socket->has_address) {
        socket->local.address = address_any(socket->is_v4);
    }
    if (socket->kind == NET_PING && !socket->has_port) {
        socket->local.port = 0;
        atomic_store_explicit(&raw->number, 0, memory_order_relaxed);
    }
    socket->error = 0;
    match_set(raw);
}

// The same.
static int connect(struct raw_socket *raw, struct net_end remote)
{
    struct net_socket *socket = &raw->socket;
    struct net_end local;
    int error = number_choose(raw, 0);
    error = error != 0 ? error : net_socket_route(socket, &remote, &local);
    if (error == 0) {
        socket->local.address = local.address;
        socket->remote = remote;
        socket->has_peer = true;
        match_set(raw);
    }
    return error;
}

int raw_connect(struct raw_socket *raw, const struct net_end *remote)
{
    int error = 0;
    mutex_lock(&raw->socket.lock);
    datagrams_look(&raw->socket);
    if (remote == NULL) {
        disconnect(raw);
    } else {
        error = connect(raw, *remote);
    }
    mutex_unlock(&raw->socket.lock);
    return error;
}
