// SPDX-License-Identifier: BSD-3-Clause
// group_link.h: groups of IP's multicast on Ethernet: the messages of IGMP and MLD, when they are
// sent, and what comes. Thread context, may block; no lock is held.
#ifndef CORE_NET_GROUP_LINK_H
#define CORE_NET_GROUP_LINK_H

#include <stdbool.h>

#include "core/net/group.h"
#include "core/sync/alarm.h"

struct ethernet;
struct ip_header;
struct netif;
struct packet;

struct group_link {
    struct groups groups;
    struct alarm alarm;      // of groups
    struct mutex alarm_lock; // held while it is set
    struct ethernet *ethernet;
};

// link is all-zero; it is ethernet's netif's from now on.
void group_link_start(struct group_link *link, struct ethernet *ethernet);

// As group_join and group_leave, of any interface; and all are told.
HAL_MUST_CHECK int netif_join(struct netif *netif, const struct net_address *address);
void netif_leave(struct netif *netif, const struct net_address *address);

// A message of IGMP or ICMPv6 with *header has come, whose data begins with the IP header. True: it
// is about groups, and is taken.
bool group_input(struct group_link *link, struct packet *packet, const struct ip_header *header);

#endif
