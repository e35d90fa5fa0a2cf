// SPDX-License-Identifier: BSD-3-Clause
// interfaces.c: the names and addresses of interfaces. musl asks a netlink socket for them; core
// knows them.
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/net/netif.h"
#include "core/net/route.h"

enum {
    FLAGS = IFF_UP | IFF_RUNNING | 1 << 16, // IFF_LOWER_UP
    FLAGS_LO = IFF_LOOPBACK,
    FLAGS_WIRE = IFF_BROADCAST | IFF_MULTICAST,
    ENTRIES_MAX = NETIF_MAX + ROUTE_ADDRESS_MAX + 2, // and the loopback network's addresses
    FIGURES = 23, // struct rtnl_link_stats: packets and bytes come first
};

union address {
    struct sockaddr_ll link;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct entry {
    struct ifaddrs item;
    union address address, mask, broadcast;
    uint32_t figures[FIGURES];
    char name[IF_NAMESIZE];
};

// As glibc lays it out: one block, which freeifaddrs frees.
struct listing {
    struct entry entries[ENTRIES_MAX];
    size_t count;
    struct route_address addresses[ROUTE_ADDRESS_MAX + 2];
};

static struct entry *entry_add(struct listing *listing, const struct netif *netif)
{
    struct entry *entry = &listing->entries[listing->count++];
    strcpy(entry->name, netif->name);
    entry->item.ifa_name = entry->name;
    entry->item.ifa_flags = FLAGS | ((netif->flags & NETIF_LOOPBACK) != 0 ? FLAGS_LO : FLAGS_WIRE);
    entry->item.ifa_addr = (struct sockaddr *)&entry->address;
    return entry;
}

static void link_add(struct listing *listing, const struct netif *netif)
{
    struct entry *entry = entry_add(listing, netif);
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0; // what is sent there has come
    struct sockaddr_ll *link = &entry->address.link;
    *link = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_ifindex = (int)netif->index,
                                 .sll_hatype = is_lo ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
                                 .sll_halen = NETIF_HARDWARE_SIZE};
    memcpy(link->sll_addr, netif->hardware, NETIF_HARDWARE_SIZE);
    entry->broadcast.link = *link;
    memset(entry->broadcast.link.sll_addr, is_lo ? 0 : 0xff, NETIF_HARDWARE_SIZE);
    entry->figures[0] = (uint32_t)netif_figure(netif, is_lo ? NETIF_SENT : NETIF_RECEIVED);
    entry->figures[1] = (uint32_t)netif_figure(netif, NETIF_SENT);
    entry->figures[2] =
        (uint32_t)netif_figure(netif, is_lo ? NETIF_SENT_BYTES : NETIF_RECEIVED_BYTES);
    entry->figures[3] = (uint32_t)netif_figure(netif, NETIF_SENT_BYTES);
    entry->item.ifa_broadaddr = (struct sockaddr *)&entry->broadcast;
    entry->item.ifa_data = entry->figures;
}

static void v4_add(struct listing *listing, const struct route_address *own)
{
    struct entry *entry = entry_add(listing, own->netif);
    const in_addr_t mask = own->bits == 0 ? 0 : htonl(UINT32_MAX << (32 - own->bits));
    struct sockaddr_in *address = &entry->address.v4;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&address->sin_addr, address_v4_bytes(&own->address), ADDRESS_V4_SIZE);
    entry->mask.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = mask};
    entry->item.ifa_netmask = (struct sockaddr *)&entry->mask;
    entry->item.ifa_dstaddr = (struct sockaddr *)address;
    if (own->netif != &loopback) {
        entry->broadcast.v4 = *address;
        entry->broadcast.v4.sin_addr.s_addr |= ~mask;
        entry->item.ifa_broadaddr = (struct sockaddr *)&entry->broadcast;
    }
}

static void v6_add(struct listing *listing, const struct route_address *own)
{
    struct entry *entry = entry_add(listing, own->netif);
    struct net_address ones, mask;
    memset(&ones, 0xff, sizeof ones);
    mask = address_prefix(&ones, own->bits);
    entry->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
    entry->mask.v6 = entry->address.v6;
    memcpy(&entry->address.v6.sin6_addr, &own->address, sizeof own->address);
    memcpy(&entry->mask.v6.sin6_addr, &mask, sizeof mask);
    if (address_is_link_local(&own->address)) {
        entry->address.v6.sin6_scope_id = own->netif->index;
    }
    entry->item.ifa_netmask = (struct sockaddr *)&entry->mask;
}

// Links, then addresses of IPv4, then of IPv6; of each version the loopback network's first.
static void entries_add(struct listing *listing)
{
    struct route_address *addresses = listing->addresses;
    const struct netif *netif;
    addresses[0] =
        (struct route_address){.address = address_loopback(true), .bits = 8, .netif = &loopback};
    addresses[1] =
        (struct route_address){.address = address_loopback(false), .bits = 128, .netif = &loopback};
    const uint32_t count = 2 + route_address_list(addresses + 2);
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        link_add(listing, netif);
    }
    for (uint32_t i = 0; i < count; ++i) {
        if (address_is_v4(&addresses[i].address)) {
            v4_add(listing, &addresses[i]);
        }
    }
    for (uint32_t i = 0; i < count; ++i) {
        if (!address_is_v4(&addresses[i].address)) {
            v6_add(listing, &addresses[i]);
        }
    }
}

EXPORT(int, getifaddrs, struct ifaddrs **result)
{
    struct listing *listing = libc_calloc(1, sizeof *listing);
    if (listing == NULL) {
        return -1;
    }
    entries_add(listing);
    for (size_t i = 0; i + 1 < listing->count; ++i) {
        listing->entries[i].item.ifa_next = &listing->entries[i + 1].item;
    }
    *result = &listing->entries[0].item;
    return 0;
}

EXPORT(void, freeifaddrs, struct ifaddrs *list)
{
    libc_free(list);
}

EXPORT(struct if_nameindex *, if_nameindex, void)
{
    struct names {
        struct if_nameindex all[NETIF_MAX + 1]; // and the end
        char names[NETIF_MAX][IF_NAMESIZE];
    } *names = libc_calloc(1, sizeof *names);
    const struct netif *netif;
    if (names == NULL) {
        errno = ENOBUFS;
        return NULL;
    }
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        strcpy(names->names[i - 1], netif->name);
        names->all[i - 1] = (struct if_nameindex){i, names->names[i - 1]};
    }
    return names->all;
}

EXPORT(void, if_freenameindex, struct if_nameindex *names)
{
    libc_free(names);
}
