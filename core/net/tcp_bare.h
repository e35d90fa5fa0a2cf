// SPDX-License-Identifier: BSD-3-Clause
// tcp_bare.h: segments between two ends on this machine, which have no headers as long as nobody
// looks at those.
//
// In place of them such a packet (packet.is_bare) has what they would say in its headroom. Only who
// knows the flow that it is for has one: net_output, packet filters and raw sockets get it dressed.
#ifndef CORE_NET_TCP_BARE_H
#define CORE_NET_TCP_BARE_H

#include <stdint.h>

#include "core/dev/packet.h"
#include "core/net/tcp.h"

struct flow;
struct ip_header;
struct tcp_ports;

struct tcp_bare {
    struct tcp_segment segment;
    uint16_t source; // port
    uint8_t hops, service;
};

enum { TCP_BARE_START = (PACKET_ROOM_START + 7) / 8 * 8 }; // in a packet, which is aligned to 16

_Static_assert(TCP_BARE_START + sizeof(struct tcp_bare) <= PACKET_ROOM_START + PACKET_HEADROOM,
               "in front of the data");

static inline struct tcp_bare *tcp_bare_of(struct packet *packet)
{
    return (struct tcp_bare *)(void *)((char *)packet + TCP_BARE_START);
}

// As headers would be read, of a packet that is bare.
static inline void tcp_bare_read(struct tcp_segment *segment, struct packet *packet)
{
    *segment = tcp_bare_of(packet)->segment;
    segment->piece = 0;
    segment->data = packet->data;
}

// Bytes of the headers that a bare packet for flow would have.
uint32_t tcp_bare_length(struct packet *packet, const struct flow *flow);

// Gives a packet for flow its headers, if it is bare.
void tcp_bare_dress(struct packet *packet, const struct flow *flow);

// Puts the headers of segment in front of what packet has.
void tcp_headers_put(struct packet *packet, const struct tcp_segment *segment,
                     const struct tcp_ports *ports, const struct ip_header *header);

#endif
