// SPDX-License-Identifier: BSD-3-Clause
// loopback.c: the interface "lo": what is sent there has come at once, in the sender's thread.
#include "core/dev/packet.h"
#include "core/net/filter.h"
#include "core/net/group.h"
#include "core/net/netif.h"
#include "core/net/raw.h"
#include "core/net/socket.h"

static void sent_count(const struct packet *packet)
{
    netif_count(&loopback, NETIF_SENT, 1);
    netif_count(&loopback, NETIF_SENT_BYTES, packet_size(packet));
}

static void loopback_send(struct netif *netif, struct packet *packet, const struct net_address *hop)
{
    (void)hop;
    while (packet != NULL) { // an answer, of which there is no other
        sent_count(packet);
        if (net_is_filtered()) {
            net_filter_push(netif, packet);
            return;
        }
        packet = net_input(netif, packet);
    }
}

// Headers that we have just written need no reading, unless others want the packet, too.
void loopback_send_to(const struct flow *flow, struct packet *packet)
{
    if (raw_wants_flows() || net_is_filtered()) {
        loopback_send(&loopback, packet, NULL);
        return;
    }
    sent_count(packet);
    packet->cost = packet_size(packet) + NET_PACKET_COST;
    if (!net_socket_deliver_by(flow, packet)) {
        packet = net_input(&loopback, packet);
        if (packet != NULL) {
            loopback_send(&loopback, packet, NULL);
        }
    }
}

static void loopback_filtered(struct netif *netif, struct packet *packet)
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
    .filtered = loopback_filtered,
    .groups = &groups,
};
