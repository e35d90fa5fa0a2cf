// SPDX-License-Identifier: BSD-3-Clause
// route.h: through which interface an address is reached, and from which address.
#ifndef CORE_NET_ROUTE_H
#define CORE_NET_ROUTE_H

#include <stdbool.h>

#include "core/net/address.h"
#include "hal/hal.h"

struct netif;

struct route {
    struct netif *netif;
    struct net_address source; // where the sender has not chosen one
};

// -ENETUNREACH.
HAL_MUST_CHECK int route_find(const struct net_address *target, struct route *route);

bool route_is_local(const struct net_address *address); // one of this machine's

#endif
