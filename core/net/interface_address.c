// SPDX-License-Identifier: BSD-3-Clause
// interface_address.c: addresses that interfaces are given by hand.
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/net/address_text.h"
#include "core/net/ethernet.h"
#include "core/net/interface.h"

int interface_address_add(const struct route_address *own)
{
    struct netif *netif = own->netif;
    const bool is_v4 = address_is_v4(&own->address);
    const uint32_t mtu_min = is_v4 ? ETHERNET_MTU_MIN : ETHERNET_MTU_V6_MIN;
    const int error = netif->mtu < mtu_min ? -EMSGSIZE : route_address_add(own);
    if (error == 0 && netif->neighbours != NULL) {
        ethernet_announce(container_of(netif, struct ethernet, netif), &own->address);
    }
    return error;
}

int interface_address_set(struct ethernet *ethernet, const struct interface_address *address)
{
    struct netif *netif = &ethernet->netif;
    const struct route_address own = {
        .address = address->address, .bits = address->bits, .netif = netif};
    int error = interface_address_add(&own);
    if (error == 0 && !address_is_any(&address->gateway)) {
        const struct route_entry all = {
            .target = address_any(address_is_v4(&address->address)),
            .netif = netif,
            .gateway = address->gateway,
            .source = address->address,
            .origin = ROUTE_ORIGIN_HAND,
        };
        error = route_add(&all);
    }
    return error;
}

// Who is on the network, or reached on the link whatever its address.
static bool is_near(const struct interface_address *address)
{
    const struct net_address here = address_prefix(&address->address, address->bits);
    const struct net_address there = address_prefix(&address->gateway, address->bits);
    return address_is_v4(&address->address) == address_is_v4(&address->gateway) &&
           (address_is_equal(&here, &there) || address_is_link_local(&address->gateway));
}

int interface_address_read(struct interface_address *address, const char *text)
{
    int error = address_network_read(&address->address, &address->bits, &text);
    if (error != 0 || address_is_any(&address->address) ||
        address_is_multicast(&address->address) || address->bits == 0) {
        return -EINVAL;
    }
    address->gateway = address_any(address_is_v4(&address->address));
    if (*text == ',') {
        ++text;
        error = address_read(&address->gateway, &text);
        error = error == 0 && !is_near(address) ? -EINVAL : error;
    }
    return error == 0 && *text != 0 ? -EINVAL : error;
}
