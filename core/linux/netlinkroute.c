// SPDX-License-Identifier: BSD-3-Clause
// netlinkroute.c: what rtnetlink(7) says of routes, neighbours and rules, and takes of routes.
//
// Linux has two tables: main, which is core/net's, and local: what this machine's addresses make
// its own. Of the second nothing is kept here; it is made of the addresses.
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/linux/netlink.h"
#include "core/mem/heap.h"
#include "core/net/neighbour.h"
#include "core/net/netif.h"
#include "core/net/route.h"

enum {
    METRIC_V6_LINK = 256, // what Linux takes where none is given
    METRIC_V6 = 1024,
};

static uint8_t bits_of(const struct net_address *address)
{
    return address_is_v4(address) ? ROUTE_V4_BITS : ROUTE_V6_BITS;
}

// ---- Routes, listed ------------------------------------------------------------------------

struct listing { // of routes
    struct netlink_answer *answer;
    uint16_t type;  // of the messages
    uint8_t family; // AF_UNSPEC: all
    uint32_t table; // 0: all
    uint32_t index; // of the interface; 0: all
};

static void head_put(struct netlink_answer *answer, uint16_t type, const struct route_head *head)
{
    void *to = netlink_begin(answer, type, sizeof *head);
    if (to != NULL) {
        memcpy(to, head, sizeof *head);
    }
    netlink_put_number(answer, RTA_TABLE, head->table);
}

static void v6_end_put(struct netlink_answer *answer, const struct route_entry *entry)
{
    static const uint8_t no_times[ROUTE_TIMES_SIZE];
    const uint32_t usual = address_is_any(&entry->gateway) ? METRIC_V6_LINK : METRIC_V6;
    netlink_put_number(answer, RTA_PRIORITY, entry->metric == 0 ? usual : entry->metric);
    netlink_put_number(answer, RTA_OIF, entry->netif->index);
    netlink_put(answer, RTA_CACHEINFO, no_times, sizeof no_times);
    netlink_put_byte(answer, RTA_PREF, 0);
}

static void entry_put(const struct listing *listing, const struct route_entry *entry)
{
    struct netlink_answer *answer = listing->answer;
    const bool is_v4 = address_is_v4(&entry->target);
    const bool is_link = address_is_any(&entry->gateway);
    if ((listing->family != AF_UNSPEC && listing->family != netlink_family(&entry->target)) ||
        (listing->index != 0 && listing->index != entry->netif->index)) {
        return;
    }
    head_put(answer, listing->type,
             &(const struct route_head){
                 .family = netlink_family(&entry->target),
                 .target_bits = entry->bits,
                 .table = RT_TABLE_MAIN,
                 .protocol = entry->origin,
                 .scope = is_v4 && is_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
                 .type = RTN_UNICAST,
             });
    if (entry->bits > 0) {
        netlink_put_address(answer, RTA_DST, &entry->target);
    }
    if (!is_link) {
        netlink_put_address(answer, RTA_GATEWAY, &entry->gateway);
    }
    if (!is_v4) {
        v6_end_put(answer, entry);
        return;
    }
    if (entry->metric != 0) {
        netlink_put_number(answer, RTA_PRIORITY, entry->metric);
    }
    if (entry->origin != ROUTE_ORIGIN_HAND) {
        netlink_put_address(answer, RTA_PREFSRC, &entry->source);
    }
    netlink_put_number(answer, RTA_OIF, entry->netif->index);
}

// Each in Linux's order: of IPv4 the shortest prefix first, of IPv6 the longest.
static int main_put(const struct listing *listing)
{
    struct route_entry *entries = heap_alloc(ROUTE_MAX * sizeof *entries);
    if (entries == NULL) {
        return -ENOMEM;
    }
    const uint32_t count = route_list(entries);
    for (uint32_t i = count; i-- > 0;) {
        if (address_is_v4(&entries[i].target)) {
            entry_put(listing, &entries[i]);
        }
    }
    for (uint32_t i = 0; i < count; ++i) {
        if (!address_is_v4(&entries[i].target)) {
            entry_put(listing, &entries[i]);
        }
    }
    heap_free(entries);
    return 0;
}

static void local_entry_put(const struct listing *listing, const struct route_address *own,
                            const struct net_address *target, uint8_t bits, uint8_t type)
{
    const bool is_v4 = address_is_v4(target);
    if ((listing->family != AF_UNSPEC && listing->family != netlink_family(target)) ||
        (listing->index != 0 && listing->index != own->netif->index)) {
        return;
    }
    head_put(listing->answer, listing->type,
             &(const struct route_head){
                 .family = netlink_family(target),
                 .target_bits = bits,
                 .table = RT_TABLE_LOCAL,
                 .protocol = ROUTE_ORIGIN_KERNEL,
                 .scope = !is_v4              ? RT_SCOPE_UNIVERSE
                          : type == RTN_LOCAL ? RT_SCOPE_HOST
                                              : RT_SCOPE_LINK,
                 .type = type,
             });
    netlink_put_address(listing->answer, RTA_DST, target);
    if (is_v4) {
        netlink_put_address(listing->answer, RTA_PREFSRC, &own->address);
    } else {
        netlink_put_number(listing->answer, RTA_PRIORITY, 0);
    }
    netlink_put_number(listing->answer, RTA_OIF, own->netif->index);
    if (!is_v4) {
        netlink_put_byte(listing->answer, RTA_PREF, 0);
    }
}

static void own_put(const struct listing *listing, const struct route_address *own)
{
    const bool is_v4 = address_is_v4(&own->address);
    const struct net_address network = address_prefix(&own->address, own->bits);
    if (own->netif == &loopback && is_v4 && own->bits < ROUTE_V4_BITS) {
        local_entry_put(listing, own, &network, own->bits, RTN_LOCAL);
    }
    local_entry_put(listing, own, &own->address, bits_of(&own->address), RTN_LOCAL);
    if (is_v4 && own->bits < ROUTE_V4_BITS - 1) {
        const struct net_address last = address_last(&own->address, own->bits);
        local_entry_put(listing, own, &last, ROUTE_V4_BITS, RTN_BROADCAST);
    }
}

static void local_put(const struct listing *listing)
{
    const struct route_address v4 = {
        .address = address_loopback(true), .bits = 8, .netif = &loopback};
    const struct route_address v6 = {
        .address = address_loopback(false), .bits = ROUTE_V6_BITS, .netif = &loopback};
    struct route_address addresses[ROUTE_ADDRESS_MAX];
    const uint32_t count = route_address_list(addresses);
    own_put(listing, &v4);
    for (uint32_t i = 0; i < count; ++i) {
        if (address_is_v4(&addresses[i].address)) {
            own_put(listing, &addresses[i]);
        }
    }
    own_put(listing, &v6);
    for (uint32_t i = 0; i < count; ++i) {
        if (!address_is_v4(&addresses[i].address)) {
            own_put(listing, &addresses[i]);
        }
    }
}

static int routes_dump(const struct netlink_request *request, struct netlink_answer *answer)
{
    struct route_head head = {.family = request->size == 0 ? 0 : (uint8_t)request->body[0]};
    struct listing listing = {answer, RTM_NEWROUTE, head.family, 0, 0};
    int error = 0;
    answer->is_dump = true;
    if (request->is_strict) {
        if (request->size < sizeof head) {
            return -EINVAL;
        }
        memcpy(&head, request->body, sizeof head);
        if (head.source_bits != 0 || head.target_bits != 0 || head.service != 0 ||
            head.scope != 0) {
            return -EINVAL;
        }
        listing.table = head.table;
        (void)netlink_number(request, sizeof head, RTA_TABLE, &listing.table);
        (void)netlink_number(request, sizeof head, RTA_OIF, &listing.index);
        const bool is_filtered =
            listing.table != 0 || listing.index != 0 || head.protocol != 0 || head.type != 0;
        answer->flags |= is_filtered ? NLM_F_DUMP_FILTERED : 0;
        if (listing.index != 0 && netif_at(listing.index) == NULL) {
            return -ENODEV;
        }
    }
    if (listing.table == 0 || listing.table == RT_TABLE_MAIN) {
        error = main_put(&listing);
    }
    if (error == 0 && (listing.table == 0 || listing.table == RT_TABLE_LOCAL)) {
        local_put(&listing);
    }
    return error;
}

// ---- One route -----------------------------------------------------------------------------

// As Linux has it while there are no rules but its own: of IPv4 all are of table main.
static void way_put(struct netlink_answer *answer, const struct net_address *target,
                    const struct route *route)
{
    static const uint8_t no_times[ROUTE_TIMES_SIZE];
    const bool is_v4 = address_is_v4(target), is_local = route_is_local(target);
    const bool is_near = address_is_equal(&route->hop, target);
    const struct route_head head = {
        .family = netlink_family(target),
        .target_bits = bits_of(target),
        .source_bits = is_v4 ? 0 : ROUTE_V6_BITS,
        .table = is_local && !is_v4 ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
        .protocol = is_v4 ? ROUTE_ORIGIN_NONE : ROUTE_ORIGIN_KERNEL,
        .type = is_local                     ? RTN_LOCAL
                : route_is_broadcast(target) ? RTN_BROADCAST
                                             : RTN_UNICAST,
        .flags = !is_v4     ? 0
                 : is_local ? (uint32_t)ROUTE_IS_LOCAL | RTM_F_CLONED
                            : RTM_F_CLONED,
    };
    head_put(answer, RTM_NEWROUTE, &head);
    netlink_put_address(answer, RTA_DST, target);
    if (!is_v4) {
        const struct net_address any = address_any(false);
        netlink_put_address(answer, RTA_SRC, &any);
    }
    netlink_put_number(answer, RTA_OIF, route->netif->index);
    netlink_put_address(answer, RTA_PREFSRC, &route->source);
    if (!is_near) {
        netlink_put_address(answer, RTA_GATEWAY, &route->hop);
    }
    if (is_v4) {
        netlink_put_number(answer, RTA_UID, credentials_user().effective);
    } else {
        netlink_put_number(answer, RTA_PRIORITY,
                           is_local  ? 0
                           : is_near ? METRIC_V6_LINK
                                     : METRIC_V6);
    }
    netlink_put(answer, RTA_CACHEINFO, no_times, sizeof no_times);
    if (!is_v4) {
        netlink_put_byte(answer, RTA_PREF, 0);
    }
}

static int route_get(const struct netlink_request *request, struct netlink_answer *answer,
                     const struct route_head *head)
{
    struct net_address target = address_any(head->family == AF_INET);
    struct route route;
    uint32_t index = 0;
    (void)netlink_address(request, sizeof(struct route_head), RTA_DST, head->family, &target);
    (void)netlink_number(request, sizeof *head, RTA_OIF, &index);
    struct netif *by = index != 0 ? netif_at(index) : NULL;
    const int error = index != 0 && by == NULL ? -ENODEV : route_find_by(&target, by, &route);
    if (error == 0) {
        way_put(answer, &target, &route);
    }
    return error;
}

// ---- Changes -------------------------------------------------------------------------------

struct wanted { // what a request says of a route
    struct route_entry entry;
    bool has_gateway, has_metric; // of a removal: those that are not said may be any
};

static int wanted_read(const struct netlink_request *request, const struct route_head *head,
                       struct wanted *wanted)
{
    struct route_entry *entry = &wanted->entry;
    uint32_t index = 0;
    *entry = (struct route_entry){
        .target = address_any(head->family == AF_INET),
        .bits = head->target_bits,
        .gateway = address_any(head->family == AF_INET),
        .origin = head->protocol,
    };
    (void)netlink_address(request, sizeof(struct route_head), RTA_DST, head->family,
                          &entry->target);
    wanted->has_gateway = netlink_address(request, sizeof(struct route_head), RTA_GATEWAY,
                                          head->family, &entry->gateway);
    wanted->has_metric = netlink_number(request, sizeof *head, RTA_PRIORITY, &entry->metric);
    if (entry->bits > bits_of(&entry->target) || head->source_bits != 0) {
        return -EINVAL;
    }
    const struct net_address prefix = address_prefix(&entry->target, entry->bits);
    if (!address_is_equal(&prefix, &entry->target)) {
        return -EINVAL;
    }
    if (netlink_number(request, sizeof *head, RTA_OIF, &index)) {
        entry->netif = netif_at(index);
        return entry->netif == NULL ? -ENODEV : 0;
    }
    return 0;
}

static bool is_wanted(const struct wanted *wanted, const struct route_entry *entry)
{
    const struct route_entry *want = &wanted->entry;
    return entry->bits == want->bits && address_is_equal(&entry->target, &want->target) &&
           (want->netif == NULL || want->netif == entry->netif) &&
           (!wanted->has_gateway || address_is_equal(&want->gateway, &entry->gateway)) &&
           (!wanted->has_metric || want->metric == entry->metric);
}

// -ESRCH, -ENOMEM.
static int wanted_find(const struct wanted *wanted, struct route_entry *found)
{
    struct route_entry *entries = heap_alloc(ROUTE_MAX * sizeof *entries);
    int error = entries == NULL ? -ENOMEM : -ESRCH;
    const uint32_t count = entries == NULL ? 0 : route_list(entries);
    for (uint32_t i = 0; i < count && error != 0; ++i) {
        if (is_wanted(wanted, &entries[i])) {
            *found = entries[i];
            error = 0;
        }
    }
    heap_free(entries);
    return error;
}

// The one that was chosen, or the interface's that the gateway or the targets see.
static int source_choose(const struct netlink_request *request, uint8_t family,
                         struct route_entry *entry)
{
    const bool is_near = address_is_any(&entry->gateway);
    const struct net_address *near = is_near ? &entry->target : &entry->gateway;
    if (netlink_address(request, sizeof(struct route_head), RTA_PREFSRC, family, &entry->source)) {
        return route_is_local(&entry->source) ? 0 : -EINVAL;
    }
    if (route_source(entry->netif, near, address_is_link_local(near), &entry->source)) {
        return 0;
    }
    if (!is_near) {
        return family == AF_INET ? -ENETUNREACH : -EHOSTUNREACH;
    }
    return route_source_any(entry->netif, family == AF_INET, false, &entry->source)
               ? 0
               : -EADDRNOTAVAIL;
}

static int entry_add(const struct netlink_request *request, uint8_t family,
                     struct route_entry *entry)
{
    const struct wanted same = {
        {.target = entry->target, .bits = entry->bits, .metric = entry->metric}, false, true};
    const uint16_t flags = request->header->flags;
    struct route_entry former;
    struct route way;
    int error = wanted_find(&same, &former);
    if (error != 0 && error != -ESRCH) {
        return error;
    }
    const bool is_there = error == 0;
    if (is_there && (flags & NLM_F_EXCL) != 0) {
        return -EEXIST;
    }
    if (!is_there && (flags & (NLM_F_CREATE | NLM_F_REPLACE)) == 0) {
        return -ENOENT;
    }
    if (entry->netif == NULL && !address_is_any(&entry->gateway) &&
        route_find(&entry->gateway, &way) == 0) {
        entry->netif = way.netif;
    }
    if (entry->netif == NULL) {
        return address_is_any(&entry->gateway) ? -ENODEV : -ENETUNREACH;
    }
    error = source_choose(request, family, entry);
    const bool replaces = is_there && (flags & NLM_F_REPLACE) != 0;
    return error != 0 ? error : replaces ? route_replace(&former, entry) : route_add(entry);
}

static int route_change(const struct netlink_request *request, struct netlink_answer *answer,
                        const struct route_head *head)
{
    struct wanted wanted;
    struct route_entry found;
    uint32_t table = head->table, size;
    (void)netlink_number(request, sizeof *head, RTA_TABLE, &table);
    if ((table != 0 && table != RT_TABLE_MAIN) || head->type > RTN_UNICAST ||
        netlink_find(request, sizeof *head, RTA_MULTIPATH, &size) != NULL) {
        answer->why = "routes are those of table main, of type unicast, by one gateway";
        return -EOPNOTSUPP;
    }
    int error = wanted_read(request, head, &wanted);
    if (error != 0) {
        return error;
    }
    if (request->header->type == RTM_NEWROUTE) {
        return entry_add(request, head->family, &wanted.entry);
    }
    error = wanted_find(&wanted, &found);
    return error != 0 ? error : route_remove(&found);
}

void netlink_route_changed(const struct route_change *change)
{
    const bool is_address =
        change->event == ROUTE_ADDRESS_ADDED || change->event == ROUTE_ADDRESS_REMOVED;
    const bool is_v4 = address_is_v4(is_address ? &change->address.address : &change->entry.target);
    struct netlink_answer message = {.flags = 0};
    const struct listing listing = {
        &message, change->event == ROUTE_ADDED ? RTM_NEWROUTE : RTM_DELROUTE, AF_UNSPEC, 0, 0};
    if (is_address) {
        const bool is_new = change->event == ROUTE_ADDRESS_ADDED;
        netlink_address_put(&message, is_new ? RTM_NEWADDR : RTM_DELADDR, &change->address);
        netlink_tell(is_v4 ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR, &message);
    } else {
        entry_put(&listing, &change->entry);
        netlink_tell(is_v4 ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE, &message);
    }
    heap_free(message.data);
}

static int route_asked(const struct netlink_request *request, struct netlink_answer *answer)
{
    struct route_head head;
    if (request->header->type == RTM_GETROUTE && (request->header->flags & NLM_F_DUMP) != 0) {
        return routes_dump(request, answer);
    }
    if (request->size < sizeof head) {
        return -EINVAL;
    }
    memcpy(&head, request->body, sizeof head);
    if (head.family != AF_INET && head.family != AF_INET6) {
        return -EOPNOTSUPP;
    }
    return request->header->type == RTM_GETROUTE ? route_get(request, answer, &head)
                                                 : route_change(request, answer, &head);
}

// ---- Neighbours and rules ------------------------------------------------------------------

static void neighbour_put(struct netlink_answer *answer, const struct netif *netif,
                          const struct neighbour *neighbour)
{
    static const uint16_t states[] = {
        [NEIGHBOUR_INCOMPLETE] = NUD_INCOMPLETE, [NEIGHBOUR_REACHABLE] = NUD_REACHABLE,
        [NEIGHBOUR_STALE] = NUD_STALE,           [NEIGHBOUR_DELAY] = NUD_DELAY,
        [NEIGHBOUR_PROBE] = NUD_PROBE,
    };
    struct neighbour_head *head = netlink_begin(answer, RTM_NEWNEIGH, sizeof *head);
    if (head != NULL) {
        *head = (struct neighbour_head){
            .family = netlink_family(&neighbour->address),
            .index = (int32_t)netif->index,
            .state = states[neighbour->state],
            .type = RTN_UNICAST,
        };
    }
    netlink_put_address(answer, NDA_DST, &neighbour->address);
    if (neighbour->state != NEIGHBOUR_INCOMPLETE) {
        netlink_put(answer, NDA_LLADDR, neighbour->hardware, sizeof neighbour->hardware);
    }
    netlink_put_number(answer, NDA_PROBES, neighbour->tries);
}

static int neighbours_dump(const struct netlink_request *request, struct netlink_answer *answer)
{
    const uint8_t family = request->size == 0 ? AF_UNSPEC : (uint8_t)request->body[0];
    const struct netif *netif;
    answer->is_dump = true;
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        for (uint32_t at = 0; netif->neighbours != NULL && at < NEIGHBOUR_MAX; ++at) {
            const struct neighbour neighbour = neighbour_at(netif->neighbours, at);
            if (neighbour.state != NEIGHBOUR_FREE &&
                (family == AF_UNSPEC || family == netlink_family(&neighbour.address))) {
                neighbour_put(answer, netif, &neighbour);
            }
        }
    }
    return 0;
}

static void rule_put(struct netlink_answer *answer, uint8_t family, uint32_t priority,
                     uint8_t table)
{
    struct rule_head *head = netlink_begin(answer, RTM_NEWRULE, sizeof *head);
    if (head != NULL) {
        *head = (struct rule_head){.family = family, .table = table, .action = FR_ACT_TO_TBL};
    }
    netlink_put_number(answer, FRA_TABLE, table);
    netlink_put_number(answer, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
    netlink_put_byte(answer, FRA_PROTOCOL, ROUTE_ORIGIN_KERNEL);
    if (priority != 0) {
        netlink_put_number(answer, FRA_PRIORITY, priority);
    }
}

// Those that Linux begins with; there are no others.
static int rules_dump(const struct netlink_request *request, struct netlink_answer *answer)
{
    enum { PRIORITY_MAIN = 32766, PRIORITY_DEFAULT = 32767 };
    const uint8_t family = request->size == 0 ? AF_UNSPEC : (uint8_t)request->body[0];
    answer->is_dump = true;
    for (uint8_t each = AF_INET; each <= AF_INET6; each += AF_INET6 - AF_INET) {
        if (family == AF_UNSPEC || family == each) {
            rule_put(answer, each, 0, RT_TABLE_LOCAL);
            rule_put(answer, each, PRIORITY_MAIN, RT_TABLE_MAIN);
        }
        if (each == AF_INET && family != AF_INET6) {
            rule_put(answer, each, PRIORITY_DEFAULT, RT_TABLE_DEFAULT);
        }
    }
    return 0;
}

// ---- All -----------------------------------------------------------------------------------

int netlink_route_asked(const struct netlink_request *request, struct netlink_answer *answer)
{
    enum { KINDS = 4, KIND_GET = 2 }; // new, remove, get, set
    const uint16_t type = request->header->type;
    const bool is_dump = (request->header->flags & NLM_F_DUMP) != 0;
    if (type > RTM_MAX) {
        return -EOPNOTSUPP;
    }
    if (request->size == 0) {
        return 0;
    }
    if (type % KINDS != KIND_GET && !credentials_may(CAPABILITY_NET_ADMIN)) {
        return -EPERM;
    }
    switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_GETLINK:
    case RTM_SETLINK:
        return netlink_link_asked(request, answer);
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_GETADDR:
        return netlink_address_asked(request, answer);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_GETROUTE:
        return route_asked(request, answer);
    case RTM_GETNEIGH:
        return is_dump ? neighbours_dump(request, answer) : -EOPNOTSUPP;
    case RTM_GETRULE:
        return is_dump ? rules_dump(request, answer) : -EOPNOTSUPP;
    default:
        return -EOPNOTSUPP;
    }
}
