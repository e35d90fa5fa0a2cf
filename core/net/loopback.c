// SPDX-License-Identifier: BSD-3-Clause
// loopback.c: the interface "lo": what is sent there has come at once, in the sender's thread.
#include "core/dev/packet.h"
#include "core/lib/count.h"
#include "core/lib/string.h"
#include "core/net/ethernet.h"
#include "core/net/filter.h"
#include "core/net/flow.h"
#include "core/net/group.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/packet_socket.h"
#include "core/net/percpu.h"
#include "core/net/raw.h"
#include "core/net/route.h"
#include "core/net/socket.h"
#include "core/net/tcp_bare.h"
#include "core/sync/rcu.h"

// In an RCU section.
static void sent_count(uint32_t size)
{
    struct net_cpu *cpu = net_cpu_self();
    count_add(&cpu->sent, 1);
    count_add(&cpu->sent_bytes, size);
}

uint64_t loopback_figure(enum netif_count which)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; net_cpus != NULL && i < sched_cpu_count(); ++i) {
        sum += which == NETIF_SENT         ? count_get(&net_cpus[i].sent)
               : which == NETIF_SENT_BYTES ? count_get(&net_cpus[i].sent_bytes)
                                           : 0;
    }
    return sum;
}

// is_shown: sockets that see all have seen it.
static void send(struct netif *netif, struct packet *packet, bool is_shown)
{
    while (packet != NULL) { // an answer, of which there is no other
        rcu_read_begin();
        sent_count(packet_size(packet));
        rcu_read_end();
        if (packet_sockets_are_there() && !is_shown) {
            packet_sockets_show_bare(packet, PACKET_WAY_SENT);
            packet_sockets_show_bare(packet, PACKET_WAY_HERE);
        }
        is_shown = false;
        if (net_has_early()) {
            if (packet_sockets_take(netif, packet)) {
                return;
            }
            if (net_is_filtered()) {
                net_filter_push(netif, packet);
                return;
            }
        }
        packet = net_input(netif, packet);
    }
}

static void loopback_send(struct netif *netif, struct packet *packet, const struct net_address *hop)
{
    (void)hop;
    send(netif, packet, false);
}

// What comes from an address of IPv4 of this machine's own the machine has sent (RFC
// 1122, 3.2.1.3).
static bool is_forged(const struct packet *packet)
{
    struct ip_header header;
    return ip_packet_read(&header, packet) != 0 ||
           (address_is_v4(&header.source) && route_is_local(&header.source));
}

// What is no packet of IP, or not for lo's own address, nobody but such sockets gets.
static void loopback_send_frame(struct netif *netif, struct packet *frame,
                                const struct packet_socket *sender)
{
    static const uint8_t here[NETIF_HARDWARE_SIZE];
    uint16_t kind;
    memcpy(&kind, frame->data + 2 * NETIF_HARDWARE_SIZE, sizeof kind);
    kind = net_order16(kind);
    const bool is_here = memcmp(frame->data, here, sizeof here) == 0;
    packet_sockets_show(netif, frame, PACKET_WAY_SENT, sender);
    packet_sockets_show(netif, frame, is_here ? PACKET_WAY_HERE : PACKET_WAY_ELSEWHERE, NULL);
    frame->data += ETHERNET_HEADER;
    frame->size -= ETHERNET_HEADER;
    if (is_here && frame->size >= IP4_HEADER && (kind == ETHERNET_V4 || kind == ETHERNET_V6) &&
        !is_forged(frame)) {
        send(netif, frame, true);
    } else {
        packet_free(frame);
    }
}

// In an RCU section. NULL: nobody listens.
static const struct flow *called(struct packet *packet)
{
    const struct tcp_bare_call *call = tcp_bare_call_of(packet);
    packet->netif = (uint8_t)loopback.index;
    return flow_find(IP_TCP, &call->target, &call->source, loopback.index);
}

void loopback_send_to(const struct flow *flow, struct packet *packet)
{
    if (raw_wants_flows() || net_has_early()) { // others want it, too
        tcp_bare_dress(packet, flow);
        loopback_send(&loopback, packet, NULL);
        return;
    }
    const uint32_t size =
        packet_size(packet) + (packet->is_bare ? tcp_bare_length(packet, flow) : 0);
    packet->cost = size + NET_PACKET_COST;
    rcu_read_begin();
    sent_count(size);
    if (!net_socket_deliver_by(packet->is_call ? called(packet) : flow, packet)) {
        tcp_bare_dress(packet, flow);
        packet = net_input(&loopback, packet);
        if (packet != NULL) {
            loopback_send(&loopback, packet, NULL);
        }
    }
}

static void loopback_filtered(struct netif *netif, struct packet *packet, bool has_more)
{
    const enum net_verdict verdict = net_filter_look(netif, &packet);
    struct packet *answer = verdict == NET_PASS     ? net_input(netif, packet)
                            : verdict == NET_ANSWER ? packet
                                                    : NULL;
    if (answer != NULL) {
        loopback_send(netif, answer, NULL);
    }
}

static struct groups groups; // without a random number: nobody is told

struct netif loopback = {
    .name = "lo",
    .index = 1,
    .mtu = 65536,
    .flags = NETIF_LOOPBACK,
    .send = loopback_send,
    .send_frame = loopback_send_frame,
    .filtered = loopback_filtered,
    .groups = &groups,
};
