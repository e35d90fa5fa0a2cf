// SPDX-License-Identifier: BSD-3-Clause
// route.c: see route.h. The addresses of this machine are those of the loopback network:
// 127.0.0.0/8 and ::1.
#include "core/net/route.h"

#include "core/lib/errno.h"
#include "core/net/netif.h"

bool route_is_local(const struct net_address *address)
{
    const struct net_address v6 = address_loopback(false);
    return address_is_v4(address) ? address_v4_bytes(address)[0] == 127
                                  : address_is_equal(address, &v6);
}

int route_find(const struct net_address *target, struct route *route)
{
    if (!route_is_local(target)) {
        return -ENETUNREACH;
    }
    route->netif = &loopback;
    route->source = address_loopback(address_is_v4(target));
    return 0;
}
