// SPDX-License-Identifier: BSD-3-Clause
// inetgroup.c: the options of ip(7) and ipv6(7) about multicast: which groups a socket is a member
// of, and how what it sends to groups goes.
#include <net/if.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/net/member.h"
#include "core/net/netif.h"
#include "core/net/route.h"

enum { HOPS_MAX = 255 };

bool inet_group_option(int level, int name)
{
    if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP) {
        return true;
    }
    if (level == IPPROTO_IP) {
        return name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP || name == IP_MULTICAST_IF ||
               name == IP_MULTICAST_TTL || name == IP_MULTICAST_LOOP || name == IP_MULTICAST_ALL;
    }
    return name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP || name == IPV6_MULTICAST_IF ||
           name == IPV6_MULTICAST_HOPS || name == IPV6_MULTICAST_LOOP || name == IPV6_MULTICAST_ALL;
}

// ---- Which interface -----------------------------------------------------------------------

// Whose address it is. NULL: nobody's.
static struct netif *netif_of(const struct net_address *address)
{
    struct netif *netif;
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        if (route_has(netif, address) ||
            ((netif->flags & NETIF_LOOPBACK) != 0 && address_v4_bytes(address)[0] == 127)) {
            return netif;
        }
    }
    return NULL;
}

// The one with that index, or with that address, or that leads to the group, in this order. NULL:
// there is none.
static struct netif *netif_choose(int index, const struct in_addr *address,
                                  const struct net_address *group)
{
    struct route route;
    if (index != 0) {
        return index < 0 ? NULL : netif_at((uint32_t)index);
    }
    if (address != NULL && address->s_addr != 0) {
        const struct net_address own = address_of_v4(address);
        return netif_of(&own);
    }
    if (route_find(group, &route) == 0) {
        return route.netif;
    }
    return address_is_v4(group) ? NULL : netif_at(loopback.index + 1);
}

// ---- Members -------------------------------------------------------------------------------

struct membership { // as an option says it
    struct net_address group;
    struct in_addr address; // of the interface
    int index;
    bool has_interface;
};

// A sockaddr of the family that goes with the level.
static int group_read(int level, const struct sockaddr_storage *from, struct net_address *group)
{
    if (from->ss_family != (level == IPPROTO_IP ? AF_INET : AF_INET6)) {
        return level == IPPROTO_IP ? -EINVAL : -EADDRNOTAVAIL;
    }
    *group = level == IPPROTO_IP
                 ? address_of_v4(&((const struct sockaddr_in *)(const void *)from)->sin_addr)
                 : address_of_v6(&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr);
    return 0;
}

static int request_read(int level, const void *user, uint32_t size, struct membership *membership)
{
    struct group_req request;
    if (size < sizeof request) {
        return -EINVAL;
    }
    const int error = user_read(&request, user, sizeof request);
    membership->index = (int)request.gr_interface;
    membership->has_interface = membership->index != 0;
    return error != 0 ? error : group_read(level, &request.gr_group, &membership->group);
}

static int v4_read(const void *user, uint32_t size, struct membership *membership)
{
    struct ip_mreqn request = {.imr_ifindex = 0};
    if (size < sizeof(struct ip_mreq)) {
        return -EINVAL;
    }
    const int error =
        user_read(&request, user, size < sizeof request ? sizeof(struct ip_mreq) : sizeof request);
    membership->group = address_of_v4(&request.imr_multiaddr);
    membership->address = request.imr_address;
    membership->index = request.imr_ifindex;
    membership->has_interface = request.imr_ifindex != 0 || request.imr_address.s_addr != 0;
    return error;
}

static int v6_read(const void *user, uint32_t size, struct membership *membership)
{
    struct ipv6_mreq request;
    if (size < sizeof request) {
        return -EINVAL;
    }
    const int error = user_read(&request, user, sizeof request);
    membership->group = address_of_v6(&request.ipv6mr_multiaddr);
    membership->index = (int)request.ipv6mr_interface;
    membership->has_interface = request.ipv6mr_interface != 0;
    return error;
}

static int membership_set(struct inet_socket *inet, int level, int name, const void *user,
                          uint32_t size)
{
    struct membership membership = {.index = 0};
    const bool is_join = name == MCAST_JOIN_GROUP ||
                         name == (level == IPPROTO_IP ? IP_ADD_MEMBERSHIP : IPV6_JOIN_GROUP);
    const bool is_general = name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP;
    int error = is_general            ? request_read(level, user, size, &membership)
                : level == IPPROTO_IP ? v4_read(user, size, &membership)
                                      : v6_read(user, size, &membership);
    if (error != 0) {
        return error;
    }
    if (!address_is_multicast(&membership.group)) {
        return level == IPPROTO_IP && !is_join ? -EADDRNOTAVAIL : -EINVAL;
    }
    struct netif *netif =
        membership.has_interface || is_join
            ? netif_choose(membership.index, &membership.address, &membership.group)
            : NULL;
    if (netif == NULL && (is_join || membership.has_interface)) {
        return -ENODEV;
    }
    return is_join ? member_join(&inet->socket, netif, &membership.group)
                   : member_leave(&inet->socket, netif, &membership.group);
}

// ---- What is sent --------------------------------------------------------------------------

static int v4_netif_set(struct inet_socket *inet, const void *user, uint32_t size)
{
    struct ip_mreqn request = {.imr_ifindex = 0};
    int error = size >= sizeof request           ? user_read(&request, user, sizeof request)
                : size >= sizeof(struct ip_mreq) ? user_read(&request, user, sizeof(struct ip_mreq))
                : size >= sizeof(struct in_addr)
                    ? user_read(&request.imr_address, user, sizeof request.imr_address)
                    : -EINVAL;
    if (error != 0) {
        return error;
    }
    const bool is_none = request.imr_ifindex == 0 && request.imr_address.s_addr == 0;
    const struct net_address any = address_any(true);
    struct netif *netif =
        is_none ? NULL : netif_choose(request.imr_ifindex, &request.imr_address, &any);
    if (!is_none && netif == NULL) {
        return -EADDRNOTAVAIL;
    }
    mutex_lock(&inet->socket.lock);
    struct net_group_options *options = member_options_own(&inet->socket);
    if (options != NULL) {
        options->netif[true] = netif;
        options->source = address_of_v4(&request.imr_address);
    }
    mutex_unlock(&inet->socket.lock);
    return options == NULL ? -ENOBUFS : 0;
}

static int v6_netif_set(struct inet_socket *inet, int index)
{
    struct netif *netif = index <= 0 ? NULL : netif_at((uint32_t)index);
    if (index != 0 && netif == NULL) {
        return -ENODEV;
    }
    mutex_lock(&inet->socket.lock);
    struct net_group_options *options = member_options_own(&inet->socket);
    if (options != NULL) {
        options->netif[false] = netif;
    }
    mutex_unlock(&inet->socket.lock);
    return options == NULL ? -ENOBUFS : 0;
}

// With the socket's lock held.
static int number_set(struct inet_socket *inet, int level, int name, int value)
{
    const bool is_v4 = level == IPPROTO_IP;
    const bool is_hops = name == (is_v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS);
    const bool is_loop = name == (is_v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP);
    const bool is_switch = !is_hops && !(is_loop && is_v4);
    if (is_hops ? value < -1 || value > HOPS_MAX : is_switch && value != 0 && value != 1) {
        return -EINVAL;
    }
    if (!is_hops && !is_loop) {
        atomic_store(&inet->socket.takes_all[is_v4], value != 0);
        return 0;
    }
    struct net_group_options *options = member_options_own(&inet->socket);
    if (options == NULL) {
        return -ENOBUFS;
    }
    if (is_hops) {
        options->hops[is_v4] = value == -1 ? 1 : (uint8_t)value;
    } else {
        options->loops[is_v4] = value != 0;
    }
    return 0;
}

static int number_read(int level, const void *user, uint32_t size, int *value)
{
    uint8_t byte = 0;
    if (size >= sizeof *value) {
        return user_read(value, user, sizeof *value);
    }
    const int error = level != IPPROTO_IP || size == 0 ? -EINVAL : user_read(&byte, user, 1);
    *value = byte;
    return error;
}

int inet_group_set(struct inet_socket *inet, int level, int name, const void *user, uint32_t size)
{
    const bool is_v4 = level == IPPROTO_IP;
    const bool is_number =
        is_v4 ? name == IP_MULTICAST_TTL || name == IP_MULTICAST_LOOP || name == IP_MULTICAST_ALL
              : name == IPV6_MULTICAST_HOPS || name == IPV6_MULTICAST_LOOP ||
                    name == IPV6_MULTICAST_ALL || name == IPV6_MULTICAST_IF;
    int value = 0;
    if (is_v4 && name == IP_MULTICAST_IF) {
        return inet_is_stream(inet) ? -EINVAL : v4_netif_set(inet, user, size);
    }
    if (!is_number) {
        return inet_is_stream(inet) ? -EPROTO : membership_set(inet, level, name, user, size);
    }
    int error = number_read(level, user, size, &value);
    if (error != 0) {
        return error;
    }
    if (inet_is_stream(inet) && (name == (is_v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS) ||
                                 (!is_v4 && name == IPV6_MULTICAST_IF))) {
        return is_v4 ? -EINVAL : -ENOPROTOOPT;
    }
    if (!is_v4 && name == IPV6_MULTICAST_IF) {
        return v6_netif_set(inet, value);
    }
    mutex_lock(&inet->socket.lock);
    error = number_set(inet, level, name, value);
    mutex_unlock(&inet->socket.lock);
    return error;
}

int inet_group_get(struct inet_socket *inet, int level, int name, union socket_option *value)
{
    const bool is_v4 = level == IPPROTO_IP;
    int size = sizeof value->number;
    mutex_lock(&inet->socket.lock);
    const struct net_group_options *options = member_options(&inet->socket);
    if (name == (is_v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS)) {
        value->number = options->hops[is_v4];
    } else if (name == (is_v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP)) {
        value->number = options->loops[is_v4];
    } else if (name == (is_v4 ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL)) {
        value->number = atomic_load(&inet->socket.takes_all[is_v4]);
    } else if (is_v4 && name == IP_MULTICAST_IF) {
        memcpy(&value->address, address_v4_bytes(&options->source), sizeof value->address);
        size = sizeof value->address;
    } else if (!is_v4 && name == IPV6_MULTICAST_IF) {
        value->number = options->netif[false] == NULL ? 0 : (int)options->netif[false]->index;
    } else {
        size = -ENOPROTOOPT;
    }
    mutex_unlock(&inet->socket.lock);
    return size;
}
