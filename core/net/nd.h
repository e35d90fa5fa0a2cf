// SPDX-License-Identifier: BSD-3-Clause
// nd.h: neighbour discovery for IPv6 on Ethernet (RFC 4861). Thread context, may block; no lock is
// held.
#ifndef CORE_NET_ND_H
#define CORE_NET_ND_H

#include <stdbool.h>

struct ethernet;
struct ip_header;
struct neighbour_step;
struct net_address;
struct packet;

// A message of ICMPv6 with *header has come, whose data begins with the IP header. True: it is
// about neighbours, and is taken.
bool nd_input(struct ethernet *ethernet, struct packet *packet, const struct ip_header *header);

// Asks who has step->address: all that may have it, or step->hardware alone.
void nd_ask(struct ethernet *ethernet, const struct neighbour_step *step);

// Tells all that this machine has address.
void nd_announce(struct ethernet *ethernet, const struct net_address *address);

#endif
