// SPDX-License-Identifier: BSD-3-Clause
// member.c: see member.h. A socket's memberships are looked at in RCU sections, and a change is a
// new list of them.
#include "core/net/member.h"

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/mem/heap.h"
#include "core/net/group_link.h"
#include "core/net/netif.h"
#include "core/net/socket.h"

static void memberships_end(struct rcu_head *head)
{
    heap_free(container_of(head, struct net_memberships, end));
}

// With the socket's lock held. In place of the former, which may be NULL, as now may.
static void memberships_publish(struct net_socket *socket, struct net_memberships *now)
{
    struct net_memberships *former =
        atomic_load_explicit(&socket->memberships, memory_order_relaxed);
    atomic_store_explicit(&socket->memberships, now, memory_order_release); // pairs with takes
    if (former != NULL) {
        rcu_defer(&former->end, memberships_end);
    }
}

static uint32_t count_of(const struct net_memberships *memberships)
{
    return memberships == NULL ? 0 : memberships->count;
}

static uint32_t find(const struct net_memberships *memberships, const struct netif *netif,
                     const struct net_address *group)
{
    uint32_t at = 0;
    while (at < count_of(memberships) && !((netif == NULL || memberships->all[at].netif == netif) &&
                                           address_is_equal(&memberships->all[at].group, group))) {
        ++at;
    }
    return at;
}

// One that has gone is in no group.
static void leave_all(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    struct net_memberships *all = atomic_load_explicit(&socket->memberships, memory_order_relaxed);
    mutex_unlock(&socket->lock);
    for (uint32_t i = 0; i < count_of(all); ++i) { // nobody changes them any more
        netif_leave(all->all[i].netif, &all->all[i].group);
    }
    mutex_lock(&socket->lock);
    memberships_publish(socket, NULL);
    heap_free(socket->group_options);
    socket->group_options = NULL;
    mutex_unlock(&socket->lock);
}

const struct net_group_options *member_options(const struct net_socket *socket)
{
    static const struct net_group_options at_first = {.hops = {1, 1}, .loops = {true, true}};
    return socket->group_options != NULL ? socket->group_options : &at_first;
}

struct net_group_options *member_options_own(struct net_socket *socket)
{
    if (socket->group_options == NULL) {
        struct net_group_options *own = heap_alloc(sizeof *own);
        if (own != NULL) {
            *own = *member_options(socket);
            socket->group_options = own;
            socket->leave = leave_all;
        }
    }
    return socket->group_options;
}

// With the socket's lock held.
static int membership_add(struct net_socket *socket, struct netif *netif,
                          const struct net_address *group)
{
    const struct net_memberships *former =
        atomic_load_explicit(&socket->memberships, memory_order_relaxed);
    const uint32_t count = count_of(former);
    if (find(former, netif, group) < count) {
        return -EADDRINUSE;
    }
    if (count == MEMBER_MAX) {
        return -ENOBUFS;
    }
    struct net_memberships *now = heap_alloc(sizeof *now + (count + 1) * sizeof now->all[0]);
    if (now == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; ++i) {
        now->all[i] = former->all[i];
    }
    now->all[count] = (struct net_membership){*group, netif};
    now->count = count + 1;
    socket->leave = leave_all;
    memberships_publish(socket, now);
    return 0;
}

int member_join(struct net_socket *socket, struct netif *netif, const struct net_address *group)
{
    int error = netif_join(netif, group);
    if (error != 0) {
        return error;
    }
    mutex_lock(&socket->lock);
    error = membership_add(socket, netif, group);
    mutex_unlock(&socket->lock);
    if (error != 0) {
        netif_leave(netif, group);
    }
    return error;
}

// With the socket's lock held. *left: the interface.
static int membership_cut(struct net_socket *socket, struct netif *netif,
                          const struct net_address *group, struct netif **left)
{
    const struct net_memberships *former =
        atomic_load_explicit(&socket->memberships, memory_order_relaxed);
    const uint32_t count = count_of(former), at = find(former, netif, group);
    if (at == count) {
        return -EADDRNOTAVAIL;
    }
    struct net_memberships *now = heap_alloc(sizeof *now + count * sizeof now->all[0]);
    if (now == NULL) {
        return -ENOMEM;
    }
    *left = former->all[at].netif;
    for (uint32_t i = 0; i + 1 < count; ++i) {
        now->all[i] = former->all[i < at ? i : i + 1];
    }
    now->count = count - 1;
    memberships_publish(socket, now);
    return 0;
}

int member_leave(struct net_socket *socket, struct netif *netif, const struct net_address *group)
{
    struct netif *left = NULL;
    mutex_lock(&socket->lock);
    const int error = membership_cut(socket, netif, group, &left);
    mutex_unlock(&socket->lock);
    if (error == 0) {
        netif_leave(left, group);
    }
    return error;
}

bool member_takes(const struct netif *netif, const struct net_address *address)
{
    return !address_is_multicast(address) || group_is_silent(address) ||
           group_is_joined(netif->groups, address);
}
