// SPDX-License-Identifier: BSD-3-Clause
// netif.h: network interfaces: where packets of IP come from and go to.
#ifndef CORE_NET_NETIF_H
#define CORE_NET_NETIF_H

#include <stdatomic.h>
#include <stdint.h>

struct packet;

enum netif_flags {
    NETIF_LOOPBACK = 1, // what is sent comes back: payloads need no checksum
};

struct netif {
    const char *name;
    uint32_t index; // 1 ..
    uint32_t mtu;   // the longest packet, bytes from the IP header on
    unsigned flags; // enum netif_flags
    // Takes the packet, whose data begins with the IP header and has room in front for the link's.
    // Thread context; the caller holds no lock and is in no RCU section.
    void (*send)(struct netif *netif, struct packet *packet);
    _Atomic uint64_t packet_count, byte_count; // sent
};

extern struct netif loopback; // "lo"

// A packet of IP has come, and is taken. Answers one to be sent back, complete from its IP header
// on, or NULL. Thread context; the caller holds no lock and is in no RCU section.
struct packet *net_input(struct netif *netif, struct packet *packet);

#endif
