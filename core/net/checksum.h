// SPDX-License-Identifier: BSD-3-Clause
// checksum.h: the Internet checksum (RFC 1071).
#ifndef CORE_NET_CHECKSUM_H
#define CORE_NET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

struct net_address;
struct packet;

// A sum so far, of the 16-bit words of what was added; 0 at first. Pieces begin at even offsets.
uint64_t checksum_add(uint64_t sum, const void *data, size_t size);

// The same, of the bytes of all parts but the first `from` of the first part.
uint64_t checksum_add_packet(uint64_t sum, const struct packet *packet, uint32_t from);

// What TCP, UDP and ICMPv6 add of the IP header (RFC 9293, 3.1; RFC 8200, 8.1). size: from the
// transport's header on.
uint64_t checksum_add_ends(uint64_t sum, const struct net_address *source,
                           const struct net_address *target, uint8_t protocol, uint32_t size);

// As it stands in a header; 0 where what was added has a right checksum in it.
uint16_t checksum_end(uint64_t sum);

#endif
