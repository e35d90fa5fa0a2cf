// SPDX-License-Identifier: BSD-3-Clause
// interfaces.c: the names and addresses of interfaces. musl asks a netlink socket for them; core
// knows them, and there is one.
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

enum {
    FLAGS = IFF_UP | IFF_LOOPBACK | IFF_RUNNING | 1 << 16, // IFF_LOWER_UP
    HARDWARE_SIZE = 6,
};

enum { LINK, V4, V6, COUNT };

// As glibc lays it out: one block, which freeifaddrs frees.
struct listing {
    struct ifaddrs all[COUNT];
    struct sockaddr_ll link, link_broadcast;
    struct sockaddr_in v4, v4_mask;
    struct sockaddr_in6 v6, v6_mask;
    uint32_t figures[23]; // struct rtnl_link_stats: packets and bytes come first
    char name[IF_NAMESIZE];
};

static void link_fill(struct listing *listing)
{
    const uint32_t packets = (uint32_t)netif_figure(&loopback, NETIF_SENT);
    const uint32_t bytes = (uint32_t)netif_figure(&loopback, NETIF_SENT_BYTES);
    listing->link = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                         .sll_ifindex = (int)loopback.index,
                                         .sll_hatype = ARPHRD_LOOPBACK,
                                         .sll_halen = HARDWARE_SIZE};
    listing->link_broadcast = listing->link;
    listing->figures[0] = listing->figures[1] = packets;
    listing->figures[2] = listing->figures[3] = bytes;
    listing->all[LINK].ifa_addr = (struct sockaddr *)&listing->link;
    listing->all[LINK].ifa_broadaddr = (struct sockaddr *)&listing->link_broadcast;
    listing->all[LINK].ifa_data = listing->figures;
}

static void addresses_fill(struct listing *listing)
{
    listing->v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listing->v4_mask =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(IN_CLASSA_NET)};
    listing->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    listing->v6_mask = (struct sockaddr_in6){.sin6_family = AF_INET6};
    memset(&listing->v6_mask.sin6_addr, 0xff, sizeof listing->v6_mask.sin6_addr);
    listing->all[V4].ifa_addr = (struct sockaddr *)&listing->v4;
    listing->all[V4].ifa_dstaddr = (struct sockaddr *)&listing->v4;
    listing->all[V4].ifa_netmask = (struct sockaddr *)&listing->v4_mask;
    listing->all[V6].ifa_addr = (struct sockaddr *)&listing->v6;
    listing->all[V6].ifa_netmask = (struct sockaddr *)&listing->v6_mask;
}

EXPORT(int, getifaddrs, struct ifaddrs **result)
{
    struct listing *listing = libc_calloc(1, sizeof *listing);
    if (listing == NULL) {
        return -1;
    }
    strcpy(listing->name, loopback.name);
    for (int i = 0; i < COUNT; ++i) {
        listing->all[i].ifa_next = i + 1 < COUNT ? &listing->all[i + 1] : NULL;
        listing->all[i].ifa_name = listing->name;
        listing->all[i].ifa_flags = FLAGS;
    }
    link_fill(listing);
    addresses_fill(listing);
    *result = listing->all;
    return 0;
}

EXPORT(void, freeifaddrs, struct ifaddrs *list)
{
    libc_free(list);
}

EXPORT(struct if_nameindex *, if_nameindex, void)
{
    struct names {
        struct if_nameindex all[2]; // and the end
        char name[IF_NAMESIZE];
    } *names = libc_calloc(1, sizeof *names);
    if (names == NULL) {
        errno = ENOBUFS;
        return NULL;
    }
    strcpy(names->name, loopback.name);
    names->all[0] = (struct if_nameindex){loopback.index, names->name};
    return names->all;
}

EXPORT(void, if_freenameindex, struct if_nameindex *names)
{
    libc_free(names);
}
