// SPDX-License-Identifier: BSD-3-Clause
// input.c: packets of IP that an interface has received: to whom they go.
//
// What a socket gets by its flow an interrupt puts into its channel. All that wants more than that
// is a thread's: fragments, ICMP, the first packet of a connection, what is for nobody or wrong.
#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/fragment.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/raw.h"
#include "core/net/route.h"
#include "core/net/socket.h"
#include "core/net/tcp_header.h"
#include "core/net/tcp_socket.h"
#include "core/net/udp.h"

static void drop(struct packet *packet, enum net_count why)
{
    net_count(why);
    packet_free(packet);
}

static struct packet *icmp_input(struct packet *packet, const struct ip_header *header, bool is_raw)
{
    struct ip_header about;
    uint32_t quoted;
    net_count(NET_ICMP_RECEIVED);
    struct packet *answer = icmp_echo(packet, header);
    if (answer != NULL) {
        packet_free(packet);
        return answer;
    }
    const int error = icmp_error_read(packet, header, &about, &quoted);
    if (error != 0 && raw_is_wanted()) {
        raw_error_input(packet, &about, quoted);
    }
    const bool is_ours =
        error != 0 && ((about.protocol == IP_UDP && udp_error_input(packet, &about, quoted)) ||
                       (about.protocol == IP_TCP && tcp_error_input(packet, &about, quoted)));
    if (!is_ours && is_raw) {
        packet_free(packet);
    } else if (!is_ours) {
        drop(packet, NET_ICMP_DROPPED);
    }
    return NULL;
}

// What this machine sends itself has come by the interface that has the address, as Linux has it.
static inline uint8_t arrival_of(const struct netif *netif, const struct net_address *target)
{
    const bool is_plain = (netif->flags & NETIF_LOOPBACK) == 0 || address_is_loopback(target);
    return (uint8_t)(is_plain ? netif : route_owner(target))->index;
}

__attribute__((always_inline)) static inline struct packet *
transport_input(struct netif *netif, struct packet *packet, const struct ip_header *header)
{
    packet->transport = header->transport;
    packet->netif = arrival_of(netif, &header->target);
    packet_trim(packet, header->transport + header->size);
    const bool is_raw = raw_is_wanted() && packet->more == NULL && raw_input(packet, header);
    switch (header->protocol) {
    case IP_UDP:
        return udp_input(netif, packet, header);
    case IP_TCP:
        if (route_is_local(&header->target)) {
            return tcp_packet_input(packet, header);
        }
        drop(packet, NET_TCP_NO_SOCKET); // nobody speaks to many by it (RFC 9293, 3.9.2.3)
        return NULL;
    case IP_IGMP:
    case IP_ICMPV6:
        if (netif->neighbour_input != NULL && netif->neighbour_input(netif, packet, header)) {
            return NULL;
        }
        if (header->protocol != IP_IGMP) {
            return icmp_input(packet, header, is_raw);
        }
        if (is_raw) {
            packet_free(packet);
        } else {
            drop(packet, NET_IP_NO_PROTOCOL);
        }
        return NULL;
    case IP_ICMP:
        return icmp_input(packet, header, is_raw);
    default:
        if (is_raw) {
            packet_free(packet);
        } else {
            drop(packet, NET_IP_NO_PROTOCOL);
        }
        return NULL;
    }
}

// Has one part, or is a segment of TCP whose headers lie in the first.
static bool is_plain(const struct packet *packet)
{
    struct ip_header header;
    return packet->more == NULL ||
           (!raw_wants_flows() && ip_packet_read(&header, packet) == 0 &&
            header.protocol == IP_TCP &&
            tcp_header_is_whole(packet->data + header.transport, packet->size - header.transport));
}

// -EPROTONOSUPPORT: it is for another machine, or its source is nobody's that is out there (RFC
// 1122, 3.2.1.3).
static int ends_check(const struct netif *netif, const struct ip_header *header)
{
    const bool is_out = (netif->flags & NETIF_LOOPBACK) == 0;
    const struct net_address *source = &header->source;
    if (!is_out && address_is_loopback(source) && address_is_loopback(&header->target)) {
        return 0;
    }
    const bool is_wrong = address_is_multicast(source) ||
                          (is_out && (route_is_local(source) || route_is_broadcast(source)));
    return is_wrong || !route_takes(netif, &header->target) ? -EPROTONOSUPPORT : 0;
}

struct packet *net_input(struct netif *netif, struct packet *packet)
{
    struct ip_header header;
    if ((netif->flags & NETIF_LOOPBACK) == 0) {
        net_count(NET_IP_RECEIVED);
    }
    if (!is_plain(packet)) {
        packet = packet_join(packet);
        if (packet == NULL) {
            net_count(NET_IP_DISCARDED);
            return NULL;
        }
    }
    int error = ip_packet_read(&header, packet);
    if (error == 0 || error == -EOPNOTSUPP) {
        const int wrong = ends_check(netif, &header);
        error = wrong != 0 ? wrong : error;
    }
    if (error == -EOPNOTSUPP) {
        packet = fragment_input(packet, &header, hal_clock_ns());
        if (packet == NULL) {
            return NULL;
        }
        error = ip_header_read(&header, packet->data, packet->size, false);
        error = error == -EOPNOTSUPP ? -EPROTONOSUPPORT : error; // in one another
    }
    if (error != 0) {
        drop(packet, error == -EINVAL ? NET_IP_DAMAGED : NET_IP_STRANGE);
        return NULL;
    }
    return transport_input(netif, packet, &header);
}

void net_input_copy(struct netif *netif, struct packet *packet)
{
    struct ip_header header;
    if (ip_packet_read(&header, packet) != 0) {
        drop(packet, NET_IP_DAMAGED);
        return;
    }
    packet_free(transport_input(netif, packet, &header)); // what was for several is not answered
}

// The ends that the ports at data say; false: of a packet that a flow alone says nothing about, or
// whose headers do not lie in the first part.
static bool ends_read(const struct ip_header *header, const char *data, uint32_t size,
                      struct net_end *local, struct net_end *remote)
{
    enum { FLAGS = 13 };
    uint16_t ports[2];
    const bool is_tcp = header->protocol == IP_TCP;
    const uint32_t least = is_tcp ? TCP_HEADER_MIN : UDP_HEADER;
    if ((!is_tcp && header->protocol != IP_UDP) || size < least || header->size < least ||
        (is_tcp && ((data[FLAGS] & TCP_SYN) != 0 || !tcp_header_is_whole(data, size)))) {
        return false;
    }
    memcpy(ports, data, sizeof ports);
    *remote = (struct net_end){header->source, net_order16(ports[0])};
    *local = (struct net_end){header->target, net_order16(ports[1])};
    return true;
}

bool net_input_direct(struct netif *netif, struct packet *packet, struct net_socket **told)
{
    struct ip_header header;
    struct net_end local, remote;
    if (raw_wants_flows() || ip_packet_read(&header, packet) != 0 ||
        header.transport > packet->size || !route_is_plain(&header.source, &header.target) ||
        !ends_read(&header, packet->data + header.transport, packet->size - header.transport,
                   &local, &remote)) {
        return false;
    }
    packet_trim(packet, header.transport + header.size); // whoever gets it
    packet->transport = header.transport;
    packet->netif = (uint8_t)netif->index;
    packet->cost = header.transport + header.size + NET_PACKET_COST;
    if (!net_socket_push(header.protocol, &local, &remote, packet, told)) {
        return false;
    }
    net_count(NET_IP_RECEIVED);
    return true;
}
