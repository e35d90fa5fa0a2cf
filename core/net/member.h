// SPDX-License-Identifier: BSD-3-Clause
// member.h: sockets as members of groups of multicast. Thread context, may block; no lock is held.
#ifndef CORE_NET_MEMBER_H
#define CORE_NET_MEMBER_H

#include <stdbool.h>

#include "core/net/address.h"
#include "hal/hal.h"

struct net_group_options;
struct net_socket;
struct netif;

enum { MEMBER_MAX = 20 }; // groups of one socket (net.ipv4.igmp_max_memberships of Linux)

// -EADDRINUSE: it is one already. -ENOBUFS: of too many, or the interface is. -ENOMEM.
HAL_MUST_CHECK int member_join(struct net_socket *socket, struct netif *netif,
                               const struct net_address *group);

// netif NULL: the first of its memberships of that group. -EADDRNOTAVAIL: there is none. -ENOMEM.
HAL_MUST_CHECK int member_leave(struct net_socket *socket, struct netif *netif,
                                const struct net_address *group);

// Of what the socket sends to groups, with its lock held; to be read only.
const struct net_group_options *member_options(const struct net_socket *socket);
// The same, to be changed. NULL: there is no memory.
struct net_group_options *member_options_own(struct net_socket *socket);

// Is a packet to the address, which is for several, that has come by netif for somebody here?
bool member_takes(const struct netif *netif, const struct net_address *address);

#endif
