// SPDX-License-Identifier: BSD-3-Clause
// ip.h: headers of IPv4 (RFC 791) and IPv6 (RFC 8200).
#ifndef CORE_NET_IP_H
#define CORE_NET_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"
#include "hal/hal.h"

struct netif;
struct packet;

enum ip_protocol { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMPV6 = 58 };

enum { IP_HOPS_DEFAULT = 64, IP4_HEADER = 20, IP6_HEADER = 40, IP_SIZE_MAX = 65535 };

// What the header in front of a packet says.
struct ip_header {
    struct net_address source, target;
    uint8_t protocol, hops, service; // service: the type of service, or traffic class
    uint16_t transport;              // where the header behind this one begins, bytes
    uint32_t size;                   // from there to the end
};

// Reads the header of size bytes at data. is_cut: they are the beginning of a packet. -EINVAL: it
// is none, is longer than size, or its checksum is wrong. -EOPNOTSUPP: a fragment, or IPv6 with
// further headers.
HAL_MUST_CHECK int ip_header_read(struct ip_header *header, const char *data, uint32_t size,
                                  bool is_cut);

// Puts a header with the addresses, protocol, hops and service of *header in front of the packet.
void ip_header_push(struct packet *packet, const struct ip_header *header);

#endif
