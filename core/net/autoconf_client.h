// SPDX-License-Identifier: BSD-3-Clause
// autoconf_client.h: an interface that makes its addresses of IPv6 itself, and hears routers: what
// autoconf.h says is done. No thread of its own: what comes is looked at where it comes, and the
// rest is an alarm's.
//
// Thread context, may block; the caller holds no lock of the network's and is in no RCU section.
#ifndef CORE_NET_AUTOCONF_CLIENT_H
#define CORE_NET_AUTOCONF_CLIENT_H

#include <stdbool.h>

#include "hal/hal.h"

struct autoconf_client;
struct ethernet;
struct ip_header;
struct net_address;
struct packet;

// ethernet->autoconf, of an interface that has been started, and where nothing has come yet.
// -ENOMEM.
HAL_MUST_CHECK int autoconf_client_make(struct ethernet *ethernet);

// Begins.
void autoconf_client_start(struct autoconf_client *client);

// Its link was cut, and is whole again.
void autoconf_client_link_returned(struct autoconf_client *client);

// ---- For nd.c ------------------------------------------------------------------------------

// A message of a router has come, from another machine on the link. False: it is damaged.
bool autoconf_client_input(struct autoconf_client *client, const struct packet *packet,
                           const struct ip_header *header);

// Somebody else on the link says that he has the address, or asks for it as one who wants it.
void autoconf_client_heard(struct autoconf_client *client, const struct net_address *address);

#endif
