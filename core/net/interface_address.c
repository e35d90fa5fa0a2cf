// SPDX-License-Identifier: BSD-3-Clause
// interface_address.c: addresses that interfaces are given by hand.
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/net/address_text.h"
#include "core/net/ethernet.h"
#include "core/net/interface.h"
#include "core/sync/alarm.h"
#include "core/sync/mutex.h"

// ---- How long they are good ------------------------------------------------------------

#define RETRY UINT64_C(1000000000) // where there was no memory to take one back

static void ends_ring(struct alarm *alarm);

static struct mutex ends_lock; // while times change, and are looked at
static struct alarm ends_alarm = {.ring = ends_ring};

// When the address is to be looked at: it is taken back, if its time is over.
static hal_ns end_look(const struct route_address *own, hal_ns now)
{
    if (!own->is_by_hand || own->valid_until == 0) {
        return UINT64_MAX;
    }
    if (own->valid_until > now) {
        return own->valid_until;
    }
    return route_address_remove(&own->address) == -ENOMEM ? now + RETRY : UINT64_MAX;
}

// With ends_lock held: takes back those whose time is over. -ENOMEM: others will not be.
static int ends_look(void)
{
    struct route_address all[ROUTE_ADDRESS_MAX];
    const uint32_t count = route_address_list(all);
    const hal_ns now = hal_clock_ns();
    hal_ns first = UINT64_MAX;
    for (uint32_t i = 0; i < count; ++i) {
        const hal_ns end = end_look(&all[i], now);
        first = end < first ? end : first;
    }
    return alarm_set(&ends_alarm, first);
}

static void ends_ring(struct alarm *alarm)
{
    (void)alarm;
    mutex_lock(&ends_lock);
    const int error = ends_look();
    (void)error; // the alarm's thread is there
    mutex_unlock(&ends_lock);
}

// ---- Giving ----------------------------------------------------------------------------

// The same: with its end seen to, or not at all.
static int address_add(const struct route_address *own)
{
    struct route_address given = *own;
    given.is_by_hand = true;
    int error = route_address_add(&given);
    if (error == 0 && own->valid_until != 0) {
        error = ends_look();
        if (error != 0) {
            const int worse = route_address_remove(&own->address);
            (void)worse; // no memory: it stays
        }
    }
    return error;
}

int interface_address_add(const struct route_address *own)
{
    struct netif *netif = own->netif;
    const bool is_v4 = address_is_v4(&own->address);
    const uint32_t mtu_min = is_v4 ? ETHERNET_MTU_MIN : ETHERNET_MTU_V6_MIN;
    if (netif->mtu < mtu_min) {
        return -EMSGSIZE;
    }
    mutex_lock(&ends_lock);
    const int error = address_add(own);
    mutex_unlock(&ends_lock);
    if (error == 0 && netif->neighbours != NULL) {
        ethernet_announce(container_of(netif, struct ethernet, netif), &own->address);
    }
    return error;
}

static bool is_given(const struct net_address *address)
{
    struct route_address all[ROUTE_ADDRESS_MAX];
    const uint32_t count = route_address_list(all);
    uint32_t at = 0;
    while (at < count && !address_is_equal(&all[at].address, address)) {
        ++at;
    }
    return at < count && all[at].is_by_hand;
}

int interface_address_renew(const struct route_address *own)
{
    int error = 0;
    mutex_lock(&ends_lock);
    if (is_given(&own->address)) {
        error = route_address_renew(own);
        error = error != 0 ? error : ends_look();
    }
    mutex_unlock(&ends_lock);
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
