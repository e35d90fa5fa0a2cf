// SPDX-License-Identifier: BSD-3-Clause
// netlinklink.c: what rtnetlink(7) says of interfaces. They are up as long as the machine runs, and
// there is no making of new ones.
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/netlink.h"
#include "core/linux/socketcalls.h"
#include "core/mem/heap.h"
#include "core/net/netif.h"

enum {
    LINK_IS_UP = 1 << 16 /* IFF_LOWER_UP */,
    MTU_MIN = 68,
    MTU_MAX = 65535,
    MASTER = 10,
    LINK_INFO = 18
};

static void figures_put(struct netlink_answer *answer, const struct netif *netif)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0; // what is sent there has come
    const uint64_t figures[LINK_FIGURES] = {
        [LINK_RECEIVED] = netif_figure(netif, is_lo ? NETIF_SENT : NETIF_RECEIVED),
        [LINK_SENT] = netif_figure(netif, NETIF_SENT),
        [LINK_RECEIVED_BYTES] =
            netif_figure(netif, is_lo ? NETIF_SENT_BYTES : NETIF_RECEIVED_BYTES),
        [LINK_SENT_BYTES] = netif_figure(netif, NETIF_SENT_BYTES),
        [LINK_RECEIVED_DROPPED] = netif_figure(netif, NETIF_RECEIVED_DROPPED),
        [LINK_SENT_DROPPED] = netif_figure(netif, NETIF_SENT_DROPPED),
        [LINK_RECEIVED_NOHANDLER] = netif_figure(netif, NETIF_RECEIVED_STRANGE),
    };
    uint32_t shorter[LINK_FIGURES_SHORT];
    for (int i = 0; i < LINK_FIGURES_SHORT; ++i) {
        shorter[i] = (uint32_t)figures[i];
    }
    netlink_put(answer, IFLA_STATS64, figures, sizeof figures);
    netlink_put(answer, IFLA_STATS, shorter, sizeof shorter);
}

static uint8_t state_of(const struct netif *netif)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0;
    return is_lo                         ? LINK_STATE_UNKNOWN
           : atomic_load(&netif->is_cut) ? LINK_STATE_DOWN
                                         : LINK_STATE_UP;
}

// What is said of it to who asks for IPv6's.
static void v6_link_put(struct netlink_answer *answer, const struct netif *netif)
{
    netlink_put_text(answer, IFLA_IFNAME, netif->name);
    netlink_put(answer, IFLA_ADDRESS, netif->hardware, sizeof netif->hardware);
    netlink_put_number(answer, IFLA_MTU, netif->mtu);
    netlink_put_byte(answer, IFLA_OPERSTATE, state_of(netif));
}

static void link_put(struct netlink_answer *answer, uint8_t family, const struct netif *netif)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0, is_cut = atomic_load(&netif->is_cut);
    uint8_t all[NETIF_HARDWARE_SIZE];
    struct link_head *head = netlink_begin(answer, RTM_NEWLINK, sizeof *head);
    if (head != NULL) {
        *head = (struct link_head){
            .family = family,
            .type = is_lo ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
            .index = (int32_t)netif->index,
            .flags = interface_flags(netif) | (is_cut ? 0 : LINK_IS_UP),
        };
    }
    if (family == AF_INET6) {
        v6_link_put(answer, netif);
        return;
    }
    netlink_put_text(answer, IFLA_IFNAME, netif->name);
    netlink_put_number(answer, IFLA_TXQLEN, INTERFACE_QUEUE_LENGTH);
    netlink_put_byte(answer, IFLA_OPERSTATE, state_of(netif));
    netlink_put_byte(answer, IFLA_LINKMODE, 0);
    netlink_put_number(answer, IFLA_MTU, netif->mtu);
    netlink_put_number(answer, IFLA_MIN_MTU, is_lo ? 0 : MTU_MIN);
    netlink_put_number(answer, IFLA_MAX_MTU, is_lo ? 0 : MTU_MAX);
    netlink_put_number(answer, IFLA_GROUP, 0);
    netlink_put_number(answer, IFLA_PROMISCUITY, 0);
    netlink_put_number(answer, IFLA_NUM_TX_QUEUES, 1);
    netlink_put_number(answer, IFLA_NUM_RX_QUEUES, 1);
    netlink_put_byte(answer, IFLA_CARRIER, !is_cut);
    netlink_put_text(answer, IFLA_QDISC, "noqueue");
    netlink_put_number(answer, IFLA_CARRIER_CHANGES, 0);
    netlink_put_byte(answer, IFLA_PROTO_DOWN, 0);
    netlink_put(answer, IFLA_ADDRESS, netif->hardware, sizeof netif->hardware);
    memset(all, is_lo ? 0 : 0xff, sizeof all);
    netlink_put(answer, IFLA_BROADCAST, all, sizeof all);
    figures_put(answer, netif);
}

void netlink_link_changed(const struct netif *netif)
{
    struct netlink_answer message = {.flags = 0};
    link_put(&message, AF_UNSPEC, netif);
    netlink_tell(RTNLGRP_LINK, &message);
    heap_free(message.data);
}

// ---- Which one ---------------------------------------------------------------------------

static const struct netif *named(const struct netlink_request *request, uint16_t type)
{
    char name[IFNAMSIZ] = "";
    uint32_t size = 0;
    const void *text = netlink_find(request, sizeof(struct link_head), type, &size);
    if (text == NULL || size > sizeof name) {
        return NULL;
    }
    memcpy(name, text, size);
    name[sizeof name - 1] = 0;
    return netif_find(name);
}

static int link_find(const struct netlink_request *request, const struct link_head *head,
                     const struct netif **netif)
{
    uint32_t size;
    const uint32_t skip = sizeof *head;
    if (head->index > 0) {
        *netif = netif_at((uint32_t)head->index);
    } else if (netlink_find(request, skip, IFLA_IFNAME, &size) != NULL) {
        *netif = named(request, IFLA_IFNAME);
    } else if (netlink_find(request, skip, IFLA_ALT_IFNAME, &size) != NULL) {
        *netif = named(request, IFLA_ALT_IFNAME);
    } else {
        return -EINVAL;
    }
    return *netif != NULL ? 0 : -ENODEV;
}

// ---- What is asked -----------------------------------------------------------------------

static int links_dump(const struct netlink_request *request, struct netlink_answer *answer)
{
    struct link_head head = {0};
    uint32_t size;
    const struct netif *netif;
    const bool is_v6 = request->size > 0 && request->body[0] == AF_INET6;
    answer->is_dump = true;
    if (request->is_strict) {
        if (request->size < sizeof head) {
            return -EINVAL;
        }
        memcpy(&head, request->body, sizeof head);
        if (head.unused != 0 || head.type != 0 || head.flags != 0 || head.change != 0 ||
            head.index != 0) {
            return -EINVAL;
        }
    }
    if (netlink_find(request, sizeof head, LINK_INFO, &size) != NULL ||
        netlink_find(request, sizeof head, MASTER, &size) != NULL) {
        answer->flags |= NLM_F_DUMP_FILTERED;
        return 0; // none is of a kind that has a name, or belongs to another
    }
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        link_put(answer, is_v6 ? AF_INET6 : AF_UNSPEC, netif);
    }
    return 0;
}

// What would change nothing is done.
static int link_change(const struct netlink_request *request, struct netlink_answer *answer,
                       const struct link_head *head, const struct netif *netif)
{
    static const uint16_t names[] = {IFLA_IFNAME, IFLA_ALT_IFNAME, IFLA_EXT_MASK, IFLA_MTU};
    const uint32_t flags = interface_flags(netif);
    uint32_t mtu = netif->mtu;
    const bool has_mtu = netlink_number(request, sizeof *head, IFLA_MTU, &mtu);
    uint32_t known = 0, size = 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; ++i) {
        const bool is_there = netlink_find(request, sizeof *head, names[i], &size) != NULL;
        known += is_there ? (size + sizeof(struct netlink_attribute) + 3) & ~3u : 0;
    }
    if (((head->flags ^ flags) & head->change) != 0) {
        answer->why = "interfaces are up, and stay as they are";
        return -EOPNOTSUPP;
    }
    if ((has_mtu && mtu != netif->mtu) || known + sizeof *head < request->size) {
        answer->why = "interfaces stay as they are";
        return -EOPNOTSUPP;
    }
    return 0;
}

int netlink_link_asked(const struct netlink_request *request, struct netlink_answer *answer)
{
    const uint16_t type = request->header->type;
    const struct netif *netif = NULL;
    struct link_head head;
    if (type == RTM_GETLINK && (request->header->flags & NLM_F_DUMP) != 0) {
        return links_dump(request, answer);
    }
    if (request->size < sizeof head) {
        return -EINVAL;
    }
    memcpy(&head, request->body, sizeof head);
    int error = link_find(request, &head, &netif);
    error = type == RTM_NEWLINK && error == -EINVAL ? -ENODEV : error; // as ip wants it
    if (type == RTM_NEWLINK && error != 0 && (request->header->flags & NLM_F_CREATE) != 0) {
        answer->why = "there is no making of interfaces";
        return -EOPNOTSUPP;
    }
    if (error == 0 && type == RTM_GETLINK) {
        link_put(answer, AF_UNSPEC, netif);
    } else if (error == 0 && type == RTM_DELLINK) {
        error = -EOPNOTSUPP;
    } else if (error == 0) {
        error = link_change(request, answer, &head, netif);
    }
    return error;
}
