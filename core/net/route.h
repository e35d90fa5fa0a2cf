// SPDX-License-Identifier: BSD-3-Clause
// route.h: this machine's addresses, and through which interface others are reached.
//
// Finding takes no lock and does not block. What changes is a new table (RCU).
#ifndef CORE_NET_ROUTE_H
#define CORE_NET_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"
#include "hal/hal.h"

struct netif;

enum { ROUTE_MAX = 64, ROUTE_ADDRESS_MAX = 32, ROUTE_V4_BITS = 32, ROUTE_V6_BITS = 128 };

struct route {
    struct netif *netif;
    struct net_address source; // where the sender has not chosen one
    struct net_address hop;    // who is to get the packet on netif's link
};

enum route_origin { // who has said so, as rtnetlink(7) numbers them
    ROUTE_ORIGIN_NONE = 0,
    ROUTE_ORIGIN_KERNEL = 2, // an address: its network is on the link
    ROUTE_ORIGIN_HAND = 3,
    ROUTE_ORIGIN_ROUTER = 9, // its advertisement
    ROUTE_ORIGIN_DHCP = 16,
};

struct route_entry {
    struct net_address target;
    uint8_t bits; // of target: the prefix's length, ROUTE_V4_BITS or ROUTE_V6_BITS at most
    struct netif *netif;
    struct net_address gateway; // any: target is on the link
    struct net_address source;
    uint8_t origin;  // enum route_origin, or another number of who has said so
    uint32_t metric; // the least is taken, of those with equally long prefixes
};

struct route_address { // one of this machine's, besides the loopback network's
    struct net_address address;
    uint8_t bits; // of the network on the link
    struct netif *netif;
    // As who has given it says; it is he who takes it back. 0, UINT64_MAX: for ever.
    hal_ns preferred_until, valid_until;
    bool is_by_hand; // interface_address_add's
};

// -ENETUNREACH.
HAL_MUST_CHECK int route_find(const struct net_address *target, struct route *route);

// The same by that interface alone. Where no route of IPv4 leads, target is taken to be on its
// link, as Linux has it.
HAL_MUST_CHECK int route_find_on(const struct net_address *target, struct netif *by,
                                 struct route *route);

// by: the interface that somebody has chosen, or NULL.
HAL_MUST_CHECK static inline int route_find_by(const struct net_address *target, struct netif *by,
                                               struct route *route)
{
    return by == NULL ? route_find(target, route) : route_find_on(target, by, route);
}

// May packets with that source go this way? -ENETUNREACH: the route is of the other version.
// -EINVAL: it leads out, and the address is the loopback network's.
HAL_MUST_CHECK int route_check_source(const struct route *route, const struct net_address *source);

// The source that a sender has chosen for one packet becomes the route's; any: it stays.
// -ENETUNREACH, of IPv6 -EINVAL: it is not this machine's; as above.
HAL_MUST_CHECK int route_source_take(struct route *route, const struct net_address *source);

bool route_is_local(const struct net_address *address); // one of this machine's

bool route_has(const struct netif *netif, const struct net_address *address); // as one of its own

// The interface that has the address; lo where no other has it.
struct netif *route_owner(const struct net_address *address);

// A packet to address that has come through netif is for this machine.
bool route_takes(const struct netif *netif, const struct net_address *address);

// What most packets are: from another machine, to an address of this one's alone. False also of
// what is within the loopback network. Costs one look where the functions above cost several.
bool route_is_plain(const struct net_address *source, const struct net_address *target);

// All on a link: 255.255.255.255, or the last address of a network of this machine's, the loopback
// network among them.
bool route_is_broadcast(const struct net_address *address);

// The first address of netif on the network that neighbour is on; with link_only, one of IPv6 that
// is good on the link alone. False: it has none.
bool route_source(const struct netif *netif, const struct net_address *neighbour, bool link_only,
                  struct net_address *source);

// The first address of netif of that version; with link_only, as above. False: it has none.
bool route_source_any(const struct netif *netif, bool is_v4, bool link_only,
                      struct net_address *source);

// ---- Changes: thread context, may block ------------------------------------------

// The address is netif's, and others on its network are on the link. -EEXIST, -ENOSPC, -ENOMEM.
HAL_MUST_CHECK int route_address_add(const struct route_address *address);
// Its times, if they have changed. -EADDRNOTAVAIL, -ENOMEM.
HAL_MUST_CHECK int route_address_renew(const struct route_address *address);
// With the routes whose source it is. -EADDRNOTAVAIL, -ENOMEM.
HAL_MUST_CHECK int route_address_remove(const struct net_address *address);

// In place of one with the same target, bits, netif, gateway and metric. -ENOSPC, -ENOMEM.
HAL_MUST_CHECK int route_add(const struct route_entry *entry);
// -ESRCH: there is none with its target, bits, netif, gateway and metric. -ENOMEM.
HAL_MUST_CHECK int route_remove(const struct route_entry *entry);
// former, if it is there, makes place for entry, at once. -ENOSPC, -ENOMEM: nothing has changed.
HAL_MUST_CHECK int route_replace(const struct route_entry *former, const struct route_entry *entry);

enum route_event {
    ROUTE_ADDRESS_ADDED, // or it has other times
    ROUTE_ADDRESS_REMOVED,
    ROUTE_ADDED,
    ROUTE_REMOVED,
};

struct route_change {
    enum route_event event;
    union {
        struct route_address address;
        struct route_entry entry;
    };
};

// From now on told is called after each change, one at a time, with a lock held: it calls none of
// these functions. Again with the same is nothing.
void route_watch(void (*told)(const struct route_change *change));

// Copies of all, in the order in which they are looked at. Answers how many.
uint32_t route_list(struct route_entry entries[ROUTE_MAX]);
uint32_t route_address_list(struct route_address addresses[ROUTE_ADDRESS_MAX]);

#endif
