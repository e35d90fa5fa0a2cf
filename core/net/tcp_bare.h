// SPDX-License-Identifier: BSD-3-Clause
// tcp_bare.h: segments between two ends on this machine, which have no headers as long as nobody
// looks at those.
//
// In place of them such a packet (packet.is_bare) has what they would say in its headroom. Only who
// knows the flow that it is for has one: net_output, packet filters and raw sockets get it dressed.
// A SYN without data (packet.is_call) says both ends itself, and is for whoever listens.
#ifndef CORE_NET_TCP_BARE_H
#define CORE_NET_TCP_BARE_H

#include <stdint.h>

#include "core/dev/packet.h"
#include "core/net/address.h"
#include "core/net/tcp.h"

struct flow;
struct ip_header;
struct tcp_ports;

struct tcp_bare {
    struct tcp_segment segment;
    uint16_t source; // port
    uint8_t hops, service;
};

struct tcp_bare_call {
    struct tcp_bare bare;
    struct net_end source, target;
};

enum {
    TCP_BARE_START = (PACKET_ROOM_START + 7) / 8 * 8, // in a packet, which is aligned to 16
    // The room behind the headroom that a call needs.
    TCP_BARE_CALL_ROOM =
        TCP_BARE_START + (int)sizeof(struct tcp_bare_call) - PACKET_ROOM_START - PACKET_HEADROOM,
};

_Static_assert(TCP_BARE_START + sizeof(struct tcp_bare) <= PACKET_ROOM_START + PACKET_HEADROOM,
               "in front of the data");

static inline struct tcp_bare *tcp_bare_of(struct packet *packet)
{
    return (struct tcp_bare *)(void *)((char *)packet + TCP_BARE_START);
}

static inline struct tcp_bare_call *tcp_bare_call_of(struct packet *packet)
{
    return (struct tcp_bare_call *)(void *)tcp_bare_of(packet);
}

// As headers would be read, of a packet that is bare.
static inline void tcp_bare_read(struct tcp_segment *segment, struct packet *packet)
{
    *segment = tcp_bare_of(packet)->segment;
    segment->piece = 0;
    segment->data = packet->data;
}

// The same of the whole: a call's headers.
void tcp_bare_call_read(struct ip_header *header, struct tcp_ports *ports,
                        struct tcp_segment *segment, struct packet *packet);

// Bytes of the headers that a bare packet for flow would have; of a call flow may be NULL.
uint32_t tcp_bare_length(struct packet *packet, const struct flow *flow);

// Gives a packet for flow its headers, if it is bare; the same.
void tcp_bare_dress(struct packet *packet, const struct flow *flow);

// Puts the headers of segment in front of what packet has.
void tcp_headers_put(struct packet *packet, const struct tcp_segment *segment,
                     const struct tcp_ports *ports, const struct ip_header *header);

#endif
