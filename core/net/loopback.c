// SPDX-License-Identifier: BSD-3-Clause
// loopback.c: the interface "lo": what is sent there has come at once, in the sender's thread.
#include "core/dev/packet.h"
#include "core/net/netif.h"

static void loopback_send(struct netif *netif, struct packet *packet)
{
    while (packet != NULL) { // an answer, of which there is no other
        atomic_fetch_add_explicit(&netif->packet_count, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&netif->byte_count, packet->size, memory_order_relaxed);
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
