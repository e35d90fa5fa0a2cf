// SPDX-License-Identifier: BSD-3-Clause
// tcp_error.c: messages of ICMP about segments that we have sent (RFC 1122, 4.2.3.9). They wait in
// the channel of their connection, like segments. Only those about what is under way are believed
// (RFC 5927, 4.1).
#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/tcp_header.h"
#include "core/net/tcp_socket.h"

enum {
    QUOTED = 8,        // what a message has of the header at least (RFC 792): up to the number
    PACKET_COST = 640, // as in udp.c
    SEQUENCE = 4,      // where it lies in the header
};

bool tcp_error_input(struct packet *packet, const struct ip_header *about, uint32_t quoted)
{
    struct {
        uint16_t source, target;
    } ports;
    const uint32_t start = quoted + about->transport;
    if (packet->size < start + QUOTED) {
        return false;
    }
    memcpy(&ports, packet->data + start, sizeof ports);
    const struct net_end local = {about->source, net_order16(ports.source)};
    const struct net_end remote = {about->target, net_order16(ports.target)};
    packet->cost = packet->size + PACKET_COST;
    packet->is_message = true;
    return net_socket_deliver(IP_TCP, &local, &remote, packet);
}

static uint16_t mss_for(uint32_t mtu, bool is_v4)
{
    const uint32_t most = mtu < IP_SIZE_MAX ? mtu : IP_SIZE_MAX;
    return (uint16_t)(most - TCP_HEADER_MIN - (is_v4 ? IP4_HEADER : IP6_HEADER));
}

void tcp_error_run(struct tcp_socket *tcp, const struct packet *packet)
{
    struct ip_header header, about;
    uint32_t quoted, sequence;
    int error = ip_packet_read(&header, packet);
    error = error == 0 ? icmp_error_read(packet, &header, &about, &quoted) : 0;
    const bool is_ours = error != 0 && about.protocol == IP_TCP &&
                         address_is_equal(&about.target, &tcp->socket.remote.address);
    if (!is_ours || tcp->stage != TCP_STAGE_CONNECTION) {
        net_count(NET_ICMP_DROPPED);
        return;
    }
    memcpy(&sequence, packet->data + quoted + about.transport + SEQUENCE, sizeof sequence);
    sequence = __builtin_bswap32(sequence);
    if (error == -EMSGSIZE) {
        if (tcp_is_under_way(&tcp->tcp, sequence)) {
            const uint32_t mtu = path_learn(&about.target, icmp_error_mtu(packet, &header));
            tcp_path_learn(&tcp->tcp, mss_for(mtu, address_is_v4(&about.target)), sequence,
                           tcp_now(tcp));
        }
    } else {
        tcp_unreachable(&tcp->tcp, error, sequence, tcp_now(tcp));
    }
}
