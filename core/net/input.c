// SPDX-License-Identifier: BSD-3-Clause
// input.c: packets of IP that an interface has received: to whom they go.
#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/net/counts.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/route.h"
#include "core/net/tcp_socket.h"
#include "core/net/udp.h"

static void drop(struct packet *packet, enum net_count why)
{
    net_count(why);
    packet_free(packet);
}

static void icmp_input(struct packet *packet, const struct ip_header *header)
{
    struct ip_header about;
    uint32_t quoted;
    const int error = icmp_error_read(packet, header, &about, &quoted);
    net_count(NET_ICMP_RECEIVED);
    if (error == 0 || about.protocol != IP_UDP || !udp_error_input(packet, &about, quoted)) {
        drop(packet, NET_ICMP_DROPPED);
    }
}

struct packet *net_input(struct netif *netif, struct packet *packet)
{
    struct ip_header header;
    (void)netif;
    net_count(NET_IP_RECEIVED);
    const int error = ip_header_read(&header, packet->data, packet->size, false);
    if (error != 0 || !route_is_local(&header.target)) {
        drop(packet, error == -EINVAL ? NET_IP_DAMAGED : NET_IP_STRANGE);
        return NULL;
    }
    packet->transport = header.transport;
    packet->size = header.transport + header.size;
    switch (header.protocol) {
    case IP_UDP:
        return udp_input(packet, &header);
    case IP_TCP:
        return tcp_packet_input(packet, &header);
    case IP_ICMP:
    case IP_ICMPV6:
        icmp_input(packet, &header);
        return NULL;
    default:
        drop(packet, NET_IP_NO_PROTOCOL);
        return NULL;
    }
}
