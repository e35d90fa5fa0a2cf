// SPDX-License-Identifier: BSD-3-Clause
// udp.c: see udp.h.
#include "core/net/udp.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/flow.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/member.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/udp_gather.h"

enum {
    UDP_SIZE_MAX = IP_SIZE_MAX - UDP_HEADER, // of the data, behind IPv6
    SEGMENTS_MAX = 128,                      // UDP_MAX_SEGMENTS of Linux
};

// ---- What comes --------------------------------------------------------------------

// On lo there is one such address.
static inline bool is_broadcast_by(const struct netif *netif, const struct net_address *address)
{
    static const struct net_address all = {{0, UINT64_C(0xffffff7fffff0000)}}; // 127.255.255.255
    return (netif->flags & NETIF_LOOPBACK) != 0 ? address_is_equal(address, &all)
                                                : route_is_broadcast(address);
}

struct packet *udp_input(struct netif *netif, struct packet *packet, const struct ip_header *header)
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
    if (address_is_multicast(&header->target) || is_broadcast_by(netif, &header->target)) {
        if (member_takes(netif, &header->target)) {
            net_socket_deliver_all(IP_UDP, &local, &remote, netif, packet);
        } else {
            net_count(NET_IP_STRANGE);
            packet_free(packet);
        }
    } else if (!net_socket_deliver(IP_UDP, &local, &remote, packet)) {
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
    packet->is_message = true;
    return net_socket_deliver(IP_UDP, &local, &remote, packet);
}

bool udp_check(struct packet *packet, const struct ip_header *header)
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

// ---- Sending -----------------------------------------------------------------------

// What was chosen by bind says where packets come from, but for a group or a network.
static bool has_source(const struct net_socket *socket, const struct net_end *local)
{
    return !address_is_any(&local->address) && !socket->has_many;
}

// The first that leads out and has an address of IPv6: each is a way to all groups.
static struct netif *group_netif_any(void)
{
    struct net_address source;
    struct netif *netif;
    for (uint32_t i = loopback.index + 1; (netif = netif_at(i)) != NULL; ++i) {
        if (route_source_any(netif, false, false, &source)) {
            return netif;
        }
    }
    return NULL;
}

// With lock held: by the interface that was chosen for groups, or as the routes say.
static int group_route_find(const struct net_socket *socket, const struct net_address *group,
                            struct netif *by, struct route *route)
{
    const bool is_v4 = address_is_v4(group);
    const struct net_group_options *options = member_options(socket);
    struct netif *netif = by != NULL ? by : options->netif[is_v4];
    if (netif == NULL && is_v4) {
        return route_find(group, route);
    }
    netif = netif != NULL ? netif : group_netif_any();
    if (netif == NULL) {
        return -ENETUNREACH;
    }
    const bool is_on_link = !is_v4 && (address_bytes(group)[1] & 15) == 2;
    *route = (struct route){.netif = netif, .hop = *group};
    if (is_v4 && by == NULL && !address_is_any(&options->source)) {
        route->source = options->source;
        return 0;
    }
    const bool has_one = (is_on_link && route_source_any(netif, is_v4, true, &route->source)) ||
                         route_source_any(netif, is_v4, false, &route->source);
    return has_one ? 0 : -ENETUNREACH;
}

// by: the interface that the sender has chosen, or NULL.
__attribute__((always_inline)) static inline int way_find(const struct net_socket *socket,
                                                          const struct net_address *target,
                                                          struct netif *by, struct udp_way *way)
{
    int error = by == NULL ? net_socket_by(socket, target, &by) : 0;
    way->is_many = address_is_multicast(target);
    if (error == 0 && way->is_many) {
        return group_route_find(socket, target, by, &way->route);
    }
    error = error != 0 ? error : route_find_by(target, by, &way->route);
    way->is_many = error == 0 && is_broadcast_by(way->route.netif, target);
    return way->is_many && !socket->options.may_broadcast ? -EACCES : error;
}

static bool is_segmented(const struct udp_way *way)
{
    return __builtin_expect(way->segment != 0, 0) && way->segment < way->size;
}

__attribute__((always_inline)) static inline int size_check(const struct net_socket *socket,
                                                            struct udp_way *way)
{
    const bool is_v4 = address_is_v4(&way->to.address);
    const uint32_t heads = UDP_HEADER + (is_v4 ? IP4_HEADER : IP6_HEADER);
    const enum path_discovery how = datagram_discovery(socket, &way->to.address);
    const uint32_t link = way->route.netif->mtu;
    const uint32_t most = how >= PATH_PROBE ? link : path_mtu(&way->to.address, link);
    const bool is_cut = is_segmented(way);
    const bool is_long = (is_cut ? way->segment : way->size) + heads > most;
    const bool is_whole =
        (how >= PATH_DO && how != PATH_OMIT) || (socket->options.never_cuts && !is_v4);
    if (way->size > UDP_SIZE_MAX - (is_v4 ? IP4_HEADER : 0) || (is_long && (is_whole || is_cut))) {
        return -EMSGSIZE;
    }
    if (is_cut && way->size > (size_t)way->segment * SEGMENTS_MAX) {
        return -EINVAL;
    }
    way->header.may_cut = is_long || (how != PATH_WANT && how != PATH_DO && how != PATH_PROBE);
    return 0;
}

int udp_size_check(const struct net_socket *socket, struct udp_way *way)
{
    return size_check(socket, way);
}

// With lock held: where the datagram goes, of which to and size are known, and whether it may.
static int send_prepare(struct net_socket *socket, const struct net_message *message,
                        struct udp_way *way)
{
    struct net_end local = socket->local;
    struct route *route = &way->route;
    const struct net_address *to = &way->to.address;
    int error = way_find(socket, to, message->by, way);
    if (error == 0 && message->source != NULL) {
        error = route_source_take(route, message->source);
    } else if (error == 0 && has_source(socket, &local) &&
               !address_is_equal(&local.address, &route->source)) {
        error = route_check_source(route, &local.address);
    }
    if (error == 0 && socket->flow == NULL) {
        error = net_socket_flow_set(socket, local, socket->remote);
    }
    if (error != 0) {
        net_count(NET_IP_NO_ROUTE);
        return error;
    }
    const bool is_group = way->is_many && address_is_multicast(to);
    const bool is_v4 = address_is_v4(to);
    struct ip_header *header = &way->header; // not as a whole, which would be copied
    header->source =
        message->source == NULL && has_source(socket, &local) ? local.address : route->source;
    header->target = *to;
    header->protocol = IP_UDP;
    header->hops = is_group ? member_options(socket)->hops[is_v4]
                   : is_v4  ? socket->options.hops
                            : socket->options.hops_v6;
    header->service = socket->options.service;
    header->has_more = false;
    header->fragment = 0;
    header->offset = header->number = 0;
    error = size_check(socket, way);
    if (error != 0) {
        return error;
    }
    way->port = socket->local.port;
    way->loops = way->is_many && (!is_group || member_options(socket)->loops[is_v4]);
    error = datagram_error_take_locked(socket);
    return error == 0 && (socket->shut & NET_SHUT_WRITE) != 0 ? -EPIPE : error;
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

// This machine is one of many that get it. What has no hops left stays here.
static __attribute__((noinline)) void many_send(const struct route *route, struct packet *packet,
                                                const struct ip_header *header, bool loops)
{
    struct packet *copy = loops && (route->netif->flags & NETIF_LOOPBACK) == 0 &&
                                  member_takes(route->netif, &header->target)
                              ? packet_clone(packet)
                              : NULL;
    if (header->hops > 0 || (route->netif->flags & NETIF_LOOPBACK) != 0) {
        net_output_by(route, packet);
    } else {
        packet_free(packet);
    }
    if (copy != NULL) {
        net_input_copy(route->netif, copy);
    }
}

__attribute__((always_inline)) static inline void way_send(const struct udp_way *way,
                                                           struct packet *packet)
{
    header_push(packet, &way->header, way->port, way->to.port);
    net_count(NET_UDP_SENT);
    if (way->is_many) {
        many_send(&way->route, packet, &way->header, way->loops);
    } else {
        net_output_by(&way->route, packet);
    }
}

// A datagram of the bytes that lie at at; NULL: there are none, or there is no memory.
static struct packet *segment_make(const struct udp_way *way, const struct packet *whole,
                                   uint32_t at)
{
    const uint32_t left = whole->size - at;
    const uint32_t size = left < way->segment ? left : way->segment;
    struct packet *packet = left > 0 ? packet_alloc_block(size) : NULL;
    if (packet != NULL) {
        memcpy(packet->data, whole->data + at, size);
        packet->size = size;
    } else if (left > 0) {
        net_count(NET_NO_MEMORY); // they are lost, as others are
    }
    return packet;
}

// What this machine itself gets is cut here.
static bool is_left_to_interface(const struct udp_way *way)
{
    const unsigned both = NETIF_SEGMENTS_UDP | NETIF_CHECKSUMS;
    return !way->is_many && (way->route.netif->flags & both) == both;
}

// All but the last wait for it in the device's ring.
__attribute__((noinline)) static void segments_send(const struct udp_way *way, struct packet *whole)
{
    if (is_left_to_interface(way)) {
        whole->segment_size = (uint16_t)way->segment;
        way_send(way, whole);
        return;
    }
    const bool may_wait = !way->is_many && way->route.netif->flush_soon != NULL;
    uint32_t at = 0;
    struct packet *packet = segment_make(way, whole, at);
    while (packet != NULL) {
        at += packet->size;
        struct packet *next = segment_make(way, whole, at);
        packet->has_more = may_wait && next != NULL;
        way_send(way, packet);
        packet = next;
    }
    packet_free(whole);
}

__attribute__((noinline)) static void gathered_send(const struct udp_way *way,
                                                    struct packet *packet)
{
    if (is_segmented(way)) {
        segments_send(way, packet);
    } else {
        way_send(way, packet);
    }
}

// With lock held, which is given back: one more piece of what is gathered.
static __attribute__((noinline)) int
piece_send(struct net_socket *socket, const struct net_message *message, size_t size, size_t *done)
{
    struct udp_way way;
    const bool is_last = !message->has_rest && !socket->options.gathers;
    const int error = udp_gather_add(socket, message, size);
    struct packet *packet = error == 0 && is_last ? udp_gather_take(socket, &way) : NULL;
    mutex_unlock(&socket->lock);
    if (packet != NULL) {
        gathered_send(&way, packet);
    }
    *done = error == 0 ? size : 0;
    return error;
}

// The same: the first of several, or what is cut.
static __attribute__((noinline)) int first_piece_send(struct net_socket *socket,
                                                      const struct net_message *message,
                                                      struct udp_way *way, size_t *done)
{
    const bool is_last = !message->has_rest && !socket->options.gathers;
    const size_t size = way->size;
    const int error = udp_gather_begin(socket, message, way);
    struct packet *packet = error == 0 && is_last ? udp_gather_take(socket, way) : NULL;
    mutex_unlock(&socket->lock);
    if (packet != NULL) {
        gathered_send(way, packet);
    }
    *done = error == 0 ? size : 0;
    return error;
}

static uint32_t segment_of(const struct net_socket *socket, const struct net_message *message)
{
    return __builtin_expect(message->has_segment, 0) ? message->segment : socket->options.segment;
}

int udp_send(struct net_socket *socket, const struct net_message *message, size_t *done)
{
    const size_t size = datagram_size(message);
    struct udp_way way;
    struct packet *packet;
    if (size > IP_SIZE_MAX) {
        return -EMSGSIZE;
    }
    mutex_lock(&socket->lock);
    datagrams_look(socket);
    if (socket->gathered != NULL) {
        return piece_send(socket, message, size, done);
    }
    way.size = size;
    way.segment = segment_of(socket, message);
    way.to = message->to != NULL ? *message->to : socket->remote;
    int error = way.to.port != 0 ? 0 : message->to != NULL ? -EINVAL : -EDESTADDRREQ;
    if (address_is_any(&way.to.address)) {
        way.to.address = address_loopback(address_is_v4(&way.to.address));
    }
    error = error != 0 ? error : send_prepare(socket, message, &way);
    if (error == 0 && (message->has_rest || socket->options.gathers || way.segment != 0)) {
        return first_piece_send(socket, message, &way, done);
    }
    const bool is_held = error == 0 && !way.is_many && way.route.netif->flush_soon != NULL &&
                         held_may(socket, way.route.netif, message->has_next);
    mutex_unlock(&socket->lock);
    error = error != 0 ? error : datagram_packet_make(&packet, message, size);
    if (error != 0) {
        return error;
    }
    packet->has_more = is_held;
    way_send(&way, packet);
    if (is_held) {
        way.route.netif->flush_soon(way.route.netif);
    }
    *done = size;
    return 0;
}

void udp_push(struct net_socket *socket)
{
    struct udp_way way;
    mutex_lock(&socket->lock);
    struct packet *packet = udp_gather_take(socket, &way);
    mutex_unlock(&socket->lock);
    if (packet != NULL) {
        gathered_send(&way, packet);
    }
}

void udp_close(struct net_socket *socket)
{
    struct udp_way way;
    mutex_lock(&socket->lock);
    struct packet *packet = udp_gather_take(socket, &way);
    mutex_unlock(&socket->lock);
    packet_free(packet);
    net_socket_close(socket);
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
    socket->has_peer = false;
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
    struct net_end local = socket->local;
    struct udp_way way = {.is_many = false};
    int error = address_is_any(&remote.address) ? 0 : way_find(socket, &remote.address, NULL, &way);
    if (error == 0 && way.is_many) {
        local.address = socket->has_address ? local.address : way.route.source;
    } else if (error == 0) {
        error = net_socket_route(socket, &remote, &local);
    }
    error = error != 0 ? error : net_socket_flow_set(socket, local, remote);
    socket->has_peer |= error == 0;
    return error;
}

int udp_connect(struct net_socket *socket, const struct net_end *remote)
{
    mutex_lock(&socket->lock);
    datagrams_look(socket);
    const int error = remote == NULL ? disconnect(socket) : connect(socket, *remote);
    mutex_unlock(&socket->lock);
    return error;
}
