// SPDX-License-Identifier: BSD-3-Clause
// dhcp_client.h: an interface that gets its address by DHCP: it asks when it is started, and keeps
// what it got, as long as its server lets it. No thread of its own: what comes is looked at where
// it comes, and the rest is an alarm's.
//
// Thread context, may block; the caller holds no lock of the network's and is in no RCU section.
#ifndef CORE_NET_DHCP_CLIENT_H
#define CORE_NET_DHCP_CLIENT_H

#include <stdbool.h>

#include "hal/hal.h"

struct dhcp_client;
struct ethernet;
struct net_address;
struct packet;

// ethernet->dhcp, of an interface that has been started, and where nothing has come yet. -ENOMEM.
HAL_MUST_CHECK int dhcp_client_make(struct ethernet *ethernet);

// Begins to ask.
void dhcp_client_start(struct dhcp_client *client);

// Its link was cut, and is whole again.
void dhcp_client_link_returned(struct dhcp_client *client);

// Waits until the interface has an address. False: it has none at deadline.
bool dhcp_client_await(struct dhcp_client *client, hal_ns deadline);

// ---- For ethernet.c and arp.c --------------------------------------------------------

// True: packet, which begins with an IPv4 header, is a DHCP server's, and is taken.
bool dhcp_client_input(struct dhcp_client *client, struct packet *packet);

// Somebody else on the link says that he has the address, or asks for it as one who wants it.
void dhcp_client_heard(struct dhcp_client *client, const struct net_address *address);

#endif
