// SPDX-License-Identifier: BSD-3-Clause
// groupfiles.c: /proc/net of groups of multicast: which interfaces are members of them. Programs
// parse them by column.
#include "core/lib/string.h"
#include "core/linux/linkfiles.h"
#include "core/linux/netfiles.h"
#include "core/net/group.h"
#include "core/net/netif.h"
#include "core/vfs/proctext.h"
#include "core/vfs/vfs.h"

enum { ALL_FLAGS_LINK = 0x0c, ALL_FLAGS_MACHINE = 0x08, FLAGS = 0x04 }; // of igmp6, as on Linux

static const uint8_t all_v4[ADDRESS_V4_SIZE] = {224, 0, 0, 1}; // of which all are members

static void v4_put(struct writer *writer, const struct net_address *group, uint32_t users)
{
    uint32_t word; // as a number of this machine
    memcpy(&word, address_v4_bytes(group), sizeof word);
    writer_put(writer, "\t\t\t\t");
    net_hex_put(writer, word, 8);
    writer_put(writer, " %5u 0:00000000\t\t0\n", users);
}

static uint32_t v4_count(const struct netif *netif)
{
    struct net_address group;
    uint32_t count = 1;
    for (uint32_t at = 0; at < GROUP_MAX; ++at) {
        count += group_at(netif->groups, at, &group) > 0 && address_is_v4(&group);
    }
    return count;
}

static size_t igmp_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const struct net_address all = address_of_v4(all_v4);
    const struct netif *netif;
    struct net_address group;
    (void)argument;
    writer_put(&writer, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        writer_put(&writer, "%u\t%-10s: %5u      V%u\n", i, netif->name, v4_count(netif),
                   (unsigned)group_version_of(netif->groups, true, hal_clock_ns()));
        for (uint32_t at = GROUP_MAX; at-- > 0;) { // the newest first
            const uint32_t users = group_at(netif->groups, at, &group);
            if (users > 0 && address_is_v4(&group)) {
                v4_put(&writer, &group, users);
            }
        }
        v4_put(&writer, &all, 1);
    }
    return writer.length;
}

static void v6_put(struct writer *writer, const struct netif *netif,
                   const struct net_address *group, uint32_t users, unsigned flags)
{
    writer_put(writer, "%-4u %-15s ", netif->index, netif->name);
    net_v6_put(writer, group);
    writer_put(writer, " %5u ", users);
    net_hex_put(writer, flags, 8);
    writer_put(writer, " 0\n");
}

static size_t igmp6_make(char *text, size_t size, void *argument)
{
    static const uint8_t link[ADDRESS_V6_SIZE] = {0xff, 2, [15] = 1};
    static const uint8_t machine[ADDRESS_V6_SIZE] = {0xff, 1, [15] = 1};
    const struct net_address all_link = address_of_v6(link), all_machine = address_of_v6(machine);
    struct writer writer = {text, size, 0};
    const struct netif *netif;
    struct net_address group;
    (void)argument;
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        for (uint32_t at = GROUP_MAX; at-- > 0;) {
            const uint32_t users = group_at(netif->groups, at, &group);
            if (users > 0 && !address_is_v4(&group)) {
                v6_put(&writer, netif, &group, users, FLAGS);
            }
        }
        v6_put(&writer, netif, &all_link, 1, ALL_FLAGS_LINK);
        v6_put(&writer, netif, &all_machine, 1, ALL_FLAGS_MACHINE);
    }
    return writer.length;
}

int groupfiles_add(void)
{
    const int error = procfs_add("net/igmp", igmp_make, NULL);
    return error != 0 ? error : procfs_add("net/igmp6", igmp6_make, NULL);
}
