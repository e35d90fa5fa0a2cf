// SPDX-License-Identifier: BSD-3-Clause
// loopback.c: the interface "lo": what is sent there has come at once, in the sender's thread.
#include "core/dev/packet.h"
#include "core/net/netif.h"

static void loopback_send(struct netif *netif, struct packet *packet, const struct net_address *hop)
{
    (void)hop;
    while (packet != NULL) { // an answer, of which there is no other
        netif_count(netif, NETIF_SENT, 1);
        netif_count(netif, NETIF_SENT_BYTES, packet_size(packet));
        packet = net_input(netif, packet);
    }
}

struct netif loopback = {
    .name = "lo",
    .index = 1,
    .mtu = 65536,
    .flags = NETIF_LOOPBACK,
    .send = loopback_send,
};
