// SPDX-License-Identifier: BSD-3-Clause
// output.c: see output.h. What does not leave this machine needs no checksum; what does gets it
// here, in one place for all transports, or is left to the interface; so are packets of TCP that
// are to become several segments.
#include "core/net/output.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/fragment.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/path.h"
#include "core/net/route.h"
#include "core/net/segment.h"
#include "core/net/tcp_header.h"

static void drop(struct packet *packet, enum net_count why)
{
    net_count(why);
    packet_free(packet);
}

// Where the checksum of a transport that has one lies in its header; 0: of none that we send.
static uint32_t checksum_place(uint8_t protocol)
{
    enum { UDP_CHECKSUM = 6, TCP_CHECKSUM = 16 };
    return protocol == IP_UDP ? UDP_CHECKSUM : protocol == IP_TCP ? TCP_CHECKSUM : 0;
}

// Puts in the checksum, or what an interface that does the rest wants there.
static void checksum_put(struct packet *packet, const struct ip_header *header, bool is_left)
{
    const uint32_t place = checksum_place(header->protocol);
    uint16_t checksum = 0;
    if (place == 0) {
        return;
    }
    char *at = packet->data + header->transport;
    memcpy(at + place, &checksum, sizeof checksum);
    const uint64_t sum =
        checksum_add_ends(0, &header->source, &header->target, header->protocol, header->size);
    if (is_left) {
        checksum = (uint16_t)~checksum_end(sum);
        packet->checksum_place = (uint8_t)place;
        packet->transport = header->transport;
    } else {
        checksum = checksum_end(checksum_add_packet(sum, packet, header->transport));
        checksum = checksum == 0 && header->protocol == IP_UDP ? UINT16_MAX : checksum; // 0: none
    }
    memcpy(at + place, &checksum, sizeof checksum);
}

// May be left to the interface, where it fits.
static void checksum_settle(const struct netif *netif, struct packet *packet,
                            const struct ip_header *header, bool fits)
{
    if (packet->is_trusted) {
        checksum_put(packet, header, fits && (netif->flags & NETIF_CHECKSUMS) != 0);
        packet->is_trusted = false;
    }
}

void net_output_checksum(const struct netif *netif, struct packet *packet,
                         const struct ip_header *header)
{
    checksum_settle(netif, packet, header, true);
}

static uint32_t parts_of(const struct packet *packet)
{
    uint32_t count = 0;
    for (; packet != NULL; packet = packet->more) {
        ++count;
    }
    return count;
}

// The interface cuts it, and none of the segments is too long for it.
static bool netif_cuts(const struct netif *netif, const struct packet *packet,
                       const struct ip_header *header)
{
    const unsigned flag = address_is_v4(&header->target) ? NETIF_SEGMENTS_V4 : NETIF_SEGMENTS_V6;
    const uint32_t heads = header->transport + tcp_header_length(packet->data + header->transport);
    return (netif->flags & flag) != 0 && packet->segment_size + heads <= netif->mtu &&
           parts_of(packet) <= netif->parts_max;
}

// It has more parts than the interface takes, and will not be cut.
static bool is_scattered(const struct netif *netif, const struct packet *packet)
{
    return packet->more != NULL && packet->segment_size == 0 && netif->parts_max != 0 &&
           parts_of(packet) > netif->parts_max;
}

// A datagram of ours that the interface cuts into fragments.
static bool netif_fragments(const struct netif *netif, const struct packet *packet,
                            const struct ip_header *header)
{
    const unsigned both = NETIF_FRAGMENTS | NETIF_CHECKSUMS;
    return (netif->flags & both) == both && header->protocol == IP_UDP && header->may_cut &&
           packet->is_trusted;
}

// One that is not to be cut by us.
static void whole_send(const struct route *route, struct packet *packet,
                       const struct ip_header *header)
{
    struct netif *netif = route->netif;
    const uint32_t mtu = header->may_cut ? path_mtu(&header->target, netif->mtu) : netif->mtu;
    const bool fits = packet->segment_size != 0 || packet_size(packet) <= mtu;
    packet = is_scattered(netif, packet) ? packet_join(packet) : packet;
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return;
    }
    const bool is_left = !fits && netif_fragments(netif, packet, header);
    checksum_settle(netif, packet, header, fits || is_left);
    if (is_left) {
        fragments_leave(packet, header, mtu);
    }
    if (fits || is_left) {
        netif->send(netif, packet, &route->hop);
    } else if (header->may_cut) {
        packet = packet_join(packet);
        if (packet != NULL) {
            fragments_send(route, packet, header, mtu);
        } else {
            net_count(NET_NO_MEMORY);
        }
    } else {
        drop(packet, NET_IP_TOO_LONG);
    }
}

// On an interface that leads out of this machine.
static void send_out(const struct route *route, struct packet *packet)
{
    struct ip_header header;
    const bool is_ours = packet->transport != 0; // else the program has written it all
    if ((is_ours ? ip_packet_read_again : ip_packet_read)(&header, packet) != 0) {
        drop(packet, NET_IP_DAMAGED);
        return;
    }
    const bool is_udp = header.protocol == IP_UDP; // cut before, where the interface does not
    if (packet->segment_size == 0 || is_udp || netif_cuts(route->netif, packet, &header)) {
        whole_send(route, packet, &header);
        return;
    }
    struct packet *piece = segments_cut(packet, &header);
    while (piece != NULL) {
        struct packet *next = piece->next;
        piece->next = NULL;
        header.size = packet_size(piece) - header.transport;
        whole_send(route, piece, &header);
        piece = next;
    }
}

void net_output_by(const struct route *route, struct packet *packet)
{
    if ((route->netif->flags & NETIF_LOOPBACK) != 0) {
        route->netif->send(route->netif, packet, &route->hop);
    } else {
        net_count(NET_IP_SENT);
        send_out(route, packet);
    }
}

void net_output(struct packet *packet)
{
    const struct net_address target = ip_target(packet);
    struct netif *by = packet->netif != 0 ? netif_at(packet->netif) : NULL;
    struct route route;
    const bool is_nowhere = packet->netif != 0 && by == NULL;
    if (is_nowhere || route_find_by(&target, by, &route) != 0) {
        drop(packet, NET_IP_NO_ROUTE);
        return;
    }
    net_output_by(&route, packet);
}

uint32_t net_output_mtu(const struct net_address *target, struct netif *by)
{
    struct route route;
    const int error = route_find_by(target, by, &route);
    return error == 0 ? path_mtu(target, route.netif->mtu) : loopback.mtu;
}
