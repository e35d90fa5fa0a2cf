// SPDX-License-Identifier: BSD-3-Clause
// linkfiles.c: /proc/net of interfaces, routes and neighbours, as proc(5) has them. Programs parse
// them by column.
#include "core/linux/linkfiles.h"

#include "core/lib/string.h"
#include "core/linux/netfiles.h"
#include "core/net/neighbour.h"
#include "core/net/netif.h"
#include "core/net/route.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vfs/vfs.h"

enum { ROUTE_UP = 1, ROUTE_GATEWAY = 2, ROUTE_HOST = 4, ROUTE_LINE = 127 };
enum {
    SCOPE_HOST = 0x10,
    SCOPE_LINK = 0x20,
    IS_PERMANENT = 0x80,
    IS_ETHERNET = 1,
    IS_COMPLETE = 2
};

static void device_put(struct writer *writer, const struct netif *netif)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0; // what is sent there has come
    writer_put(writer,
               "%6s: %7lu %7lu %4u %4lu %4u %5u %10u %9u %8lu %7lu %4u %4lu %4u %5u %7u %10u\n",
               netif->name, netif_figure(netif, is_lo ? NETIF_SENT_BYTES : NETIF_RECEIVED_BYTES),
               netif_figure(netif, is_lo ? NETIF_SENT : NETIF_RECEIVED), 0,
               netif_figure(netif, NETIF_RECEIVED_DROPPED), 0, 0, 0, 0,
               netif_figure(netif, NETIF_SENT_BYTES), netif_figure(netif, NETIF_SENT), 0,
               netif_figure(netif, NETIF_SENT_DROPPED), 0, 0, 0, 0);
}

static size_t dev_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const struct netif *netif;
    (void)argument;
    writer_put(&writer,
               "Inter-|   Receive                                                |  Transmit\n"
               " face |bytes    packets errs drop fifo frame compressed multicast|"
               "bytes    packets errs drop fifo colls carrier compressed\n");
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        device_put(&writer, netif);
    }
    return writer.length;
}

// As Linux prints it: the bytes as a number of this machine.
static uint32_t word_of(const struct net_address *address)
{
    uint32_t word;
    memcpy(&word, address_v4_bytes(address), sizeof word);
    return word;
}

static void hex8_put(struct writer *writer, uint32_t value)
{
    for (int i = 8; i-- > 0;) {
        writer_put(writer, "%c", "0123456789ABCDEF"[value >> 4 * i & 15]);
    }
    writer_put(writer, "\t");
}

static void padded(struct writer *writer, size_t start)
{
    const size_t length = writer->length - start;
    writer_put(writer, "%*s\n", length < ROUTE_LINE ? (int)(ROUTE_LINE - length) : 0, "");
}

static void route_put(struct writer *writer, const struct route_entry *entry)
{
    const bool has_gateway = !address_is_any(&entry->gateway);
    const uint8_t ones[] = {255, 255, 255, 255};
    const struct net_address all = address_of_v4(ones);
    const struct net_address mask = address_prefix(&all, entry->bits);
    const size_t start = writer->length;
    writer_put(writer, "%s\t", entry->netif->name);
    hex8_put(writer, word_of(&entry->target));
    hex8_put(writer, word_of(&entry->gateway));
    writer_put(writer, "%04x\t0\t0\t%u\t",
               ROUTE_UP | (has_gateway ? ROUTE_GATEWAY : 0) |
                   (entry->bits == ROUTE_V4_BITS ? ROUTE_HOST : 0),
               entry->metric);
    hex8_put(writer, word_of(&mask));
    writer_put(writer, "0\t0\t0");
    padded(writer, start);
}

// Linux begins with the default route.
static size_t route_make(char *text, size_t size, void *argument)
{
    static struct mutex lock; // for entries
    static struct route_entry entries[ROUTE_MAX];
    struct writer writer = {text, size, 0};
    (void)argument;
    mutex_lock(&lock);
    writer_put(&writer, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t"
                        "Window\tIRTT");
    padded(&writer, 0);
    for (uint32_t i = route_list(entries); i-- > 0;) {
        if (address_is_v4(&entries[i].target)) {
            route_put(&writer, &entries[i]);
        }
    }
    mutex_unlock(&lock);
    return writer.length;
}

static void neighbour_put(struct writer *writer, const struct netif *netif,
                          const struct neighbour *neighbour)
{
    char name[16];
    struct writer address = {name, sizeof name, 0};
    const uint8_t *bytes = address_v4_bytes(&neighbour->address);
    const bool is_complete = neighbour->state != NEIGHBOUR_INCOMPLETE;
    const uint8_t *hardware = neighbour->hardware;
    writer_put(&address, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    writer_put(writer, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n", name,
               IS_ETHERNET, is_complete ? IS_COMPLETE : 0, hardware[0], hardware[1], hardware[2],
               hardware[3], hardware[4], hardware[5], netif->name);
}

static size_t arp_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const struct netif *netif;
    (void)argument;
    writer_put(&writer, "IP address       HW type     Flags       HW address            Mask     "
                        "Device\n");
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        for (uint32_t at = 0; netif->neighbours != NULL && at < NEIGHBOUR_MAX; ++at) {
            const struct neighbour neighbour = neighbour_at(netif->neighbours, at);
            if (neighbour.state != NEIGHBOUR_FREE && address_is_v4(&neighbour.address)) {
                neighbour_put(&writer, netif, &neighbour);
            }
        }
    }
    return writer.length;
}

static void address_put(struct writer *writer, const struct route_address *own, unsigned scope)
{
    net_v6_put(writer, &own->address);
    writer_put(writer, " %02x %02x %02x %02x %8s\n", own->netif->index, own->bits, scope,
               IS_PERMANENT, own->netif->name);
}

static size_t inet6_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    struct route_address addresses[ROUTE_ADDRESS_MAX];
    const struct route_address own = {
        .address = address_loopback(false), .bits = ROUTE_V6_BITS, .netif = &loopback};
    const uint32_t count = route_address_list(addresses);
    (void)argument;
    address_put(&writer, &own, SCOPE_HOST);
    for (uint32_t i = 0; i < count; ++i) {
        const struct net_address *address = &addresses[i].address;
        if (!address_is_v4(address)) {
            address_put(&writer, &addresses[i], address_is_link_local(address) ? SCOPE_LINK : 0);
        }
    }
    return writer.length;
}

static void v6_route_put(struct writer *writer, const struct net_address *target, uint8_t bits,
                         const struct net_address *gateway, uint32_t metric, uint32_t flags,
                         const struct netif *netif)
{
    const struct net_address any = address_any(false);
    net_v6_put(writer, target);
    writer_put(writer, " %02x ", bits);
    net_v6_put(writer, &any);
    writer_put(writer, " 00 ");
    net_v6_put(writer, gateway);
    writer_put(writer, " %08x 00000001 00000000 %08x %8s\n", metric, flags, netif->name);
}

// Those of this machine's own addresses, too, and last that there are no others.
static size_t v6_route_make(char *text, size_t size, void *argument)
{
    enum { METRIC_LINK = 256, METRIC = 1024 };
    static const uint32_t local = 0x80200001, none = 0x00200200;
    static struct mutex lock; // for entries
    static struct route_entry entries[ROUTE_MAX];
    const struct net_address any = address_any(false), lo = address_loopback(false);
    struct route_address addresses[ROUTE_ADDRESS_MAX];
    struct writer writer = {text, size, 0};
    (void)argument;
    mutex_lock(&lock);
    const uint32_t count = route_list(entries);
    for (uint32_t i = 0; i < count; ++i) {
        const struct route_entry *entry = &entries[i];
        const bool has_gateway = !address_is_any(&entry->gateway);
        const uint32_t usual = has_gateway ? METRIC : METRIC_LINK;
        if (!address_is_v4(&entry->target)) {
            v6_route_put(&writer, &entry->target, entry->bits, &entry->gateway,
                         entry->metric == 0 ? usual : entry->metric,
                         ROUTE_UP | (has_gateway ? ROUTE_GATEWAY : 0), entry->netif);
        }
    }
    mutex_unlock(&lock);
    v6_route_put(&writer, &lo, ROUTE_V6_BITS, &any, 0, local, &loopback);
    const uint32_t address_count = route_address_list(addresses);
    for (uint32_t i = 0; i < address_count; ++i) {
        if (!address_is_v4(&addresses[i].address)) {
            v6_route_put(&writer, &addresses[i].address, ROUTE_V6_BITS, &any, 0, local,
                         addresses[i].netif);
        }
    }
    v6_route_put(&writer, &any, 0, &any, UINT32_MAX, none, &loopback);
    return writer.length;
}

static int rest_add(void)
{
    const int error = procfs_add("net/ipv6_route", v6_route_make, NULL);
    return error != 0 ? error : groupfiles_add();
}

// Some are there once somebody looks into /proc.
int linkfiles_add(void)
{
    procfs_fill_later(rest_add);
    int error = procfs_add("net/dev", dev_make, NULL);
    error = error != 0 ? error : procfs_add("net/route", route_make, NULL);
    error = error != 0 ? error : procfs_add("net/arp", arp_make, NULL);
    return error != 0 ? error : procfs_add("net/if_inet6", inet6_make, NULL);
}
