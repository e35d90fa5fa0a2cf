// SPDX-License-Identifier: BSD-3-Clause
// tcp_bare.c: see tcp_bare.h.
#include "core/net/tcp_bare.h"

#include "core/lib/string.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/tcp_header.h"

void tcp_headers_put(struct packet *packet, const struct tcp_segment *segment,
                     const struct tcp_ports *ports, const struct ip_header *header)
{
    char head[TCP_HEADER_MAX];
    const uint32_t length = tcp_header_write(head, segment, ports);
    packet->data -= length;
    packet->size += length;
    memcpy(packet->data, head, length);
    ip_header_push(packet, header);
}

uint32_t tcp_bare_length(struct packet *packet, const struct flow *flow)
{
    const struct tcp_segment *segment = &tcp_bare_of(packet)->segment;
    const struct net_end *target =
        packet->is_call ? &tcp_bare_call_of(packet)->target : &flow->key.local;
    const uint32_t ip = address_is_v4(&target->address) ? IP4_HEADER : IP6_HEADER;
    return ip + tcp_header_size(segment);
}

void tcp_bare_call_read(struct ip_header *header, struct tcp_ports *ports,
                        struct tcp_segment *segment, struct packet *packet)
{
    const struct tcp_bare_call *call = tcp_bare_call_of(packet);
    *header = (struct ip_header){
        .source = call->source.address,
        .target = call->target.address,
        .protocol = IP_TCP,
        .hops = call->bare.hops,
        .service = call->bare.service,
    };
    *ports = (struct tcp_ports){call->source.port, call->target.port};
    tcp_bare_read(segment, packet);
}

// The flow's local end is who gets it; a call says that itself.
void tcp_bare_dress(struct packet *packet, const struct flow *flow)
{
    if (!packet->is_bare) {
        return;
    }
    const struct tcp_bare bare = *tcp_bare_of(packet); // the headers lie where it does
    const struct tcp_bare_call *call = tcp_bare_call_of(packet);
    const struct net_end *source = packet->is_call ? &call->source : &flow->key.remote;
    const struct net_end *target = packet->is_call ? &call->target : &flow->key.local;
    const struct tcp_ports ports = {bare.source, target->port};
    const struct ip_header header = {
        .source = source->address,
        .target = target->address,
        .protocol = IP_TCP,
        .hops = bare.hops,
        .service = bare.service,
    };
    packet->is_bare = packet->is_call = false;
    tcp_headers_put(packet, &bare.segment, &ports, &header);
}
