// SPDX-License-Identifier: BSD-3-Clause
// output.h: packets of IP that are to be sent.
//
// Thread context, may block; the caller holds no lock of the network's and is in no RCU section.
#ifndef CORE_NET_OUTPUT_H
#define CORE_NET_OUTPUT_H

#include <stdint.h>

struct ip_header;
struct net_address;
struct netif;
struct packet;
struct route;

// Takes the packet, which is complete from its IP header on, but that the checksum of a transport
// of one that is_trusted may be missing, and sends it to where it is addressed: by the interface of
// index packet->netif, if that is not 0.
void net_output(struct packet *packet);

// The same, on a way that route_find has told.
void net_output_by(const struct route *route, struct packet *packet);

// Of a packet that the caller sends by netif itself, from its IP header on, which is *header: the
// checksum that is_trusted leaves out is put in, or left to netif.
void net_output_checksum(const struct netif *netif, struct packet *packet,
                         const struct ip_header *header);

// The longest packet that goes to target in one piece, bytes; of one that is not reached, too. by:
// as route_find_by.
uint32_t net_output_mtu(const struct net_address *target, struct netif *by);

#endif
