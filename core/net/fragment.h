// SPDX-License-Identifier: BSD-3-Clause
// fragment.h: packets in several pieces (RFC 791, 3.2; RFC 8200, 4.5).
//
// Thread context, may block; the caller holds no lock of the network's and is in no RCU section.
#ifndef CORE_NET_FRAGMENT_H
#define CORE_NET_FRAGMENT_H

#include <stdint.h>

#include "hal/hal.h"

struct ip_header;
struct packet;
struct route;

enum {
    FRAGMENT_PACKETS_MAX = 64,    // that are put together at a time
    FRAGMENT_BYTES_MAX = 4 << 20, // of all of them, as net.ipv4.ipfrag_high_thresh of Linux
    FRAGMENT_PIECES_MAX = 128,    // of one packet
};

// Takes the packet, with *header, which is longer than mtu, and sends it in pieces that are not.
void fragments_send(const struct route *route, struct packet *packet,
                    const struct ip_header *header, uint32_t mtu);

// The same of a datagram that the interface is to cut: says into how long fragments, and what they
// have in common.
void fragments_leave(struct packet *packet, const struct ip_header *header, uint32_t mtu);

// A fragment with *header has come, and is taken. Answers the packet that is whole by it, or NULL.
// Pieces that overlap make all of their packet be dropped (RFC 5722).
struct packet *fragment_input(struct packet *packet, const struct ip_header *header, hal_ns now);

#endif
