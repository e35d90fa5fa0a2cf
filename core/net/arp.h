// SPDX-License-Identifier: BSD-3-Clause
// arp.h: ARP for IPv4 on Ethernet (RFC 826, 5227). Thread context, may block; no lock is held.
#ifndef CORE_NET_ARP_H
#define CORE_NET_ARP_H

struct ethernet;
struct neighbour_step;
struct net_address;
struct packet;

// A packet has come, its data behind the Ethernet header, and is taken.
void arp_input(struct ethernet *ethernet, struct packet *packet);

// Asks who has step->address: all on the link, or step->hardware alone.
void arp_ask(struct ethernet *ethernet, const struct neighbour_step *step);

// Asks who has address on behalf of nobody (RFC 5227, 2.1): others learn nothing by it.
void arp_probe(struct ethernet *ethernet, const struct net_address *address);

// Tells all that this machine has address.
void arp_announce(struct ethernet *ethernet, const struct net_address *address);

#endif
