// SPDX-License-Identifier: BSD-3-Clause
// held.h: datagrams that the device is told of together. A program that has more to read when it
// sends will soon send again, as a server does that answers what has come at once: until then, or
// until it has read all, the device need not hear of what it has sent (packet.has_more). A device
// that can take several for one (UDP segmentation offload) then does.
//
// It is for a socket whose sends follow each other closely, and for HELD_MAX datagrams at most.
// Whatever the program does then, the interface's own thread sends what is held as soon as it runs
// (netif.flush_soon): when the program waits, or has used the CPU for as long as it is trusted to.
#ifndef CORE_NET_HELD_H
#define CORE_NET_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct net_socket;
struct netif;
struct packet;

enum { HELD_MAX = 16 };

struct net_held {
    struct netif *netif; // by which it goes; NULL: nothing is held
    hal_ns sent_ns;      // when the socket last sent, and had something to read
    uint32_t count;
};

// With the socket's lock held: whether the datagram that it sends next, by netif, which has a
// flush_soon, may be held. has_next: another follows, whatever there is to read.
bool held_may(struct net_socket *socket, struct netif *netif, bool has_next);

// With the socket's lock held, which is given back meanwhile: something is held (held.netif), and
// there is nothing to read.
void held_flush(struct net_socket *socket);

#endif
