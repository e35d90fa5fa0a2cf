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

enum ip_protocol {
    IP_ICMP = 1,
    IP_IGMP = 2,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_FRAGMENT = 44, // of IPv6
    IP_ICMPV6 = 58,
    IP_NOTHING = 59, // of IPv6
};

enum {
    IP_HOPS_DEFAULT = 64,
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    IP6_FRAGMENT_HEADER = 8,
    IP_SIZE_MAX = 65535
};

// What the header in front of a packet says.
struct ip_header {
    struct net_address source, target;
    uint8_t protocol, hops, service; // service: the type of service, or traffic class
    bool has_more;                   // of a fragment: it is not the last
    bool may_cut;                    // it may be sent in fragments
    uint16_t transport;              // where the header behind all of IP's begins, bytes
    uint16_t fragment;               // of a fragment: where IPv6's header about it begins, or 0
    uint32_t size;                   // from there to the end
    uint32_t offset;                 // of a fragment: where it begins in the whole, behind IP's
    uint32_t number;                 // of a fragment: the same in all of a packet's
};

// Reads the header of size bytes at data. is_cut: they are the beginning of a packet. -EINVAL: it
// is none, is longer than size, or its checksum is wrong. -EOPNOTSUPP: a fragment, and *header says
// which. -EPROTONOSUPPORT: with what is not to be understood, or of IPv6 between
// addresses that stand for IPv4's (draft-itojun-v6ops-v4mapped-harmful), so that it is to be
// dropped.
HAL_MUST_CHECK int ip_header_read(struct ip_header *header, const char *data, uint32_t size,
                                  bool is_cut);

// The same, of a packet, in whose first part all of IP's headers lie.
HAL_MUST_CHECK int ip_packet_read(struct ip_header *header, const struct packet *packet);

// The same of a packet that was read, trimmed and its transport noted, or whose header was pushed
// here: IPv4's is not looked at again.
HAL_MUST_CHECK int ip_packet_read_again(struct ip_header *header, const struct packet *packet);

// Puts a header with what *header says of all but transport, fragment and size in front of the
// packet.
void ip_header_push(struct packet *packet, const struct ip_header *header);

// The packet, which begins with a header, gets a number that its fragments will have. IPv6 has none
// before there are fragments.
void ip_number_put(struct packet *packet, uint32_t number);

// Routers are to look at the packet, which begins with a header without options that has just been
// pushed: it gets one more (RFC 2113, 2711).
void ip_alert_insert(struct packet *packet);

// The target of a packet of ours, which is whole.
struct net_address ip_target(const struct packet *packet);

#endif
