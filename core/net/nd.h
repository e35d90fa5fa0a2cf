// SPDX-License-Identifier: BSD-3-Clause
// nd.h: neighbour discovery for IPv6 on Ethernet (RFC 4861). Thread context, may block; no lock is
// held.
#ifndef CORE_NET_ND_H
#define CORE_NET_ND_H

#include <stdbool.h>

#include "hal/hal.h"

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

// Asks, from nobody, whether somebody has address, which this machine wants (RFC 4862, 5.4.2).
void nd_probe(struct ethernet *ethernet, const struct net_address *address);

// Asks all routers, from source, to say what they offer (RFC 4861, 4.1).
void nd_solicit(struct ethernet *ethernet, const struct net_address *source);

// The group that who asks for address asks: who has that is a member. -ENOBUFS.
HAL_MUST_CHECK int nd_group_join(struct ethernet *ethernet, const struct net_address *address);
void nd_group_leave(struct ethernet *ethernet, const struct net_address *address);

// Tells all that this machine has address.
void nd_announce(struct ethernet *ethernet, const struct net_address *address);

#endif
