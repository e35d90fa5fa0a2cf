// SPDX-License-Identifier: BSD-3-Clause
// netlinkaddress.c: what rtnetlink(7) says of the addresses of interfaces, and takes.
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/netlink.h"
#include "core/net/interface.h"
#include "core/net/netif.h"
#include "core/net/route.h"

enum { LISTED_MAX = ROUTE_ADDRESS_MAX + 2 }; // and the loopback network's

static uint8_t scope_of(const struct route_address *own)
{
    const struct net_address v6 = address_loopback(false);
    const bool is_host = address_is_v4(&own->address) ? address_v4_bytes(&own->address)[0] == 127
                                                      : address_is_equal(&own->address, &v6);
    return is_host                                ? RT_SCOPE_HOST
           : address_is_link_local(&own->address) ? RT_SCOPE_LINK
                                                  : RT_SCOPE_UNIVERSE;
}

static void v4_put(struct netlink_answer *answer, const struct route_address *own)
{
    netlink_put_address(answer, IFA_ADDRESS, &own->address);
    netlink_put_address(answer, IFA_LOCAL, &own->address);
    if (own->netif != &loopback && own->bits < ROUTE_V4_BITS - 1) {
        const struct net_address last = address_last(&own->address, own->bits);
        netlink_put_address(answer, IFA_BROADCAST, &last);
    }
    netlink_put_text(answer, IFA_LABEL, own->netif->name);
}

// Seconds; a part of one is one.
static uint32_t lifetime_of(hal_ns until, hal_ns now)
{
    enum { SECOND = 1000000000 };
    if (until == 0 || until == UINT64_MAX) {
        return LIFETIME_FOREVER;
    }
    return until <= now ? 0 : (uint32_t)((until - now + SECOND - 1) / SECOND);
}

void netlink_address_put(struct netlink_answer *answer, uint16_t type,
                         const struct route_address *own)
{
    const hal_ns now = hal_clock_ns();
    struct address_times times = {lifetime_of(own->preferred_until, now),
                                  lifetime_of(own->valid_until, now), 0, 0};
    const uint8_t flags = (times.valid == LIFETIME_FOREVER ? IFA_F_PERMANENT : 0) |
                          (times.preferred == 0 ? IFA_F_DEPRECATED : 0);
    struct address_head *head = netlink_begin(answer, type, sizeof *head);
    if (head != NULL) {
        *head = (struct address_head){netlink_family(&own->address), own->bits, flags,
                                      scope_of(own), own->netif->index};
    }
    if (address_is_v4(&own->address)) {
        times.preferred = times.valid == LIFETIME_FOREVER ? LIFETIME_FOREVER : times.preferred;
        v4_put(answer, own);
    } else {
        netlink_put_address(answer, IFA_ADDRESS, &own->address);
    }
    netlink_put_number(answer, IFA_FLAGS, flags);
    netlink_put(answer, IFA_CACHEINFO, &times, sizeof times);
}

// ---- Listing -----------------------------------------------------------------------------

static uint32_t addresses_list(struct route_address list[LISTED_MAX])
{
    list[0] =
        (struct route_address){.address = address_loopback(true), .bits = 8, .netif = &loopback};
    list[1] = (struct route_address){
        .address = address_loopback(false), .bits = ROUTE_V6_BITS, .netif = &loopback};
    return 2 + route_address_list(list + 2);
}

// Interface by interface, as Linux has it.
static void family_dump(struct netlink_answer *answer, uint8_t family, uint32_t index)
{
    struct route_address list[LISTED_MAX];
    const uint32_t count = addresses_list(list);
    const struct netif *netif;
    for (uint32_t at = 1; (netif = netif_at(at)) != NULL; ++at) {
        for (uint32_t i = 0; i < count && (index == 0 || index == at); ++i) {
            if (list[i].netif == netif && netlink_family(&list[i].address) == family) {
                netlink_address_put(answer, RTM_NEWADDR, &list[i]);
            }
        }
    }
}

static int addresses_dump(const struct netlink_request *request, struct netlink_answer *answer)
{
    const uint8_t family = request->size == 0 ? 0 : (uint8_t)request->body[0];
    struct address_head head = {0};
    answer->is_dump = true;
    if (request->is_strict) {
        if (request->size < sizeof head) {
            return -EINVAL;
        }
        memcpy(&head, request->body, sizeof head);
        if (head.bits != 0 || head.flags != 0 || head.scope != 0) {
            return -EINVAL;
        }
        if (head.index != 0) {
            answer->flags |= NLM_F_DUMP_FILTERED;
            if (netif_at(head.index) == NULL) {
                return -ENODEV;
            }
        }
    }
    if (family != AF_INET6) {
        family_dump(answer, AF_INET, head.index);
    }
    if (family != AF_INET) {
        family_dump(answer, AF_INET6, head.index);
    }
    return 0;
}

// ---- Changes -----------------------------------------------------------------------------

static hal_ns time_after(hal_ns now, uint32_t seconds)
{
    return seconds == LIFETIME_FOREVER ? 0 : now + seconds * UINT64_C(1000000000);
}

// For ever, if it is not said.
static int times_read(const struct netlink_request *request, struct route_address *own)
{
    struct address_times times;
    uint32_t size;
    const hal_ns now = hal_clock_ns();
    const void *said = netlink_find(request, sizeof(struct address_head), IFA_CACHEINFO, &size);
    own->preferred_until = own->valid_until = 0;
    if (said == NULL) {
        return 0;
    }
    if (size < sizeof times) {
        return -EINVAL;
    }
    memcpy(&times, said, sizeof times);
    own->valid_until = time_after(now, times.valid);
    // IPv4's that are good for ever are preferred for ever, or not at all, as Linux has it.
    if (own->valid_until != 0 || times.preferred == 0 || !address_is_v4(&own->address)) {
        own->preferred_until = time_after(now, times.preferred);
    }
    return times.valid == 0 || times.preferred > times.valid ? -EINVAL : 0;
}

static int own_read(const struct netlink_request *request, struct route_address *own)
{
    struct address_head head;
    if (request->size < sizeof head) {
        return -EINVAL;
    }
    memcpy(&head, request->body, sizeof head);
    const uint8_t bits_max = head.family == AF_INET ? ROUTE_V4_BITS : ROUTE_V6_BITS;
    own->bits = head.bits;
    own->netif = netif_at(head.index);
    if (head.family != AF_INET && head.family != AF_INET6) {
        return -EOPNOTSUPP;
    }
    if (head.bits > bits_max || (!netlink_address(request, sizeof(struct address_head), IFA_LOCAL,
                                                  head.family, &own->address) &&
                                 !netlink_address(request, sizeof(struct address_head), IFA_ADDRESS,
                                                  head.family, &own->address))) {
        return -EINVAL;
    }
    if (own->netif == NULL) {
        return -ENODEV;
    }
    return address_is_any(&own->address) || address_is_multicast(&own->address) ? -EINVAL : 0;
}

static int own_add(const struct netlink_request *request, const struct route_address *own)
{
    const bool may_be_there = (request->header->flags & NLM_F_REPLACE) != 0;
    const int error = interface_address_add(own);
    return error == -EEXIST && may_be_there ? interface_address_renew(own) : error;
}

int netlink_address_asked(const struct netlink_request *request, struct netlink_answer *answer)
{
    struct route_address own = {.netif = NULL};
    if (request->header->type == RTM_GETADDR) {
        return (request->header->flags & NLM_F_DUMP) != 0 ? addresses_dump(request, answer)
                                                          : -EOPNOTSUPP;
    }
    int error = own_read(request, &own);
    if (error == 0 && request->header->type == RTM_NEWADDR) {
        error = times_read(request, &own);
        return error != 0 ? error : own_add(request, &own);
    }
    if (error != 0) {
        return error;
    }
    return route_has(own.netif, &own.address) ? route_address_remove(&own.address) : -EADDRNOTAVAIL;
}
