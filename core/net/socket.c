// SPDX-License-Identifier: BSD-3-Clause
// socket.c: see socket.h.
//
// Who finds a socket by its flow may use it until the end of an RCU section; to call ready, which
// may block, he counts it first. So its memory goes after its last reference and after such
// sections, with what was still pushed into its channel.
#include "core/net/socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/mark.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/percpu.h"
#include "core/net/route.h"
#include "core/net/run.h"
#include "core/net/tcp_bare.h"
#include "core/sync/once.h"

_Atomic uint64_t net_counts[NET_COUNTS];

enum { LIMIT_DEFAULT = 212992 }; // net.core.rmem_default of Linux

int net_start(void)
{
    static struct once once;
    if (once_is_done(&once) || !once_begin(&once)) {
        return 0;
    }
    int error = net_cpus_start();
    error = error != 0 ? error : flow_start();
    once_end(&once, error == 0);
    return error;
}

void net_socket_init(struct net_socket *socket, uint8_t protocol, bool is_v4)
{
    atomic_store_explicit(&socket->reference_count, 1, memory_order_relaxed);
    atomic_store_explicit(&socket->receive_limit, LIMIT_DEFAULT, memory_order_relaxed);
    socket->protocol = protocol;
    socket->is_v4 = is_v4;
    socket->local.address = socket->remote.address = address_any(is_v4);
    socket->options.hops = socket->options.hops_v6 = IP_HOPS_DEFAULT;
    socket->options.discover = socket->options.discover_v6 = PATH_WANT;
    atomic_store_explicit(&socket->takes_all[0], true, memory_order_relaxed);
    atomic_store_explicit(&socket->takes_all[1], true, memory_order_relaxed);
}

// ---- Counting --------------------------------------------------------------------

// How many that are not counted yet.
static uint32_t packets_free(struct packet *packet)
{
    uint32_t count = 0;
    while (packet != NULL) {
        struct packet *next = packet->next;
        count += !packet->is_message;
        packet_free(packet);
        packet = next;
    }
    return count;
}

static void socket_end(struct rcu_head *head)
{
    struct net_socket *socket = container_of(head, struct net_socket, end);
    for (uint32_t left = packets_free(channel_take(&socket->channel)); left > 0; --left) {
        net_count(NET_IP_DISCARDED);
    }
    (void)packets_free(socket->first);
    (void)packets_free(socket->report);
    packet_filter_end(&socket->filter);
    socket->release(socket);
}

void net_socket_get(struct net_socket *socket)
{
    atomic_fetch_add_explicit(&socket->reference_count, 1, memory_order_relaxed);
}

// In an RCU section. False: its end has begun.
static bool socket_get_unless_free(struct net_socket *socket)
{
    uint32_t count = atomic_load_explicit(&socket->reference_count, memory_order_relaxed);
    while (count != 0) {
        if (atomic_compare_exchange_weak(&socket->reference_count, &count, count + 1)) {
            return true;
        }
    }
    return false;
}

void net_socket_put(struct net_socket *socket)
{
    if (atomic_fetch_sub(&socket->reference_count, 1) == 1) {
        rcu_defer(&socket->end, socket_end);
    }
}

void net_socket_close(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    struct flow *flow = socket->flow;
    socket->flow = NULL;
    mutex_unlock(&socket->lock);
    if (flow != NULL) {
        flow_leave(flow);
    }
    if (socket->leave != NULL) {
        socket->leave(socket);
    }
    net_socket_put(socket);
}

// ---- Ends --------------------------------------------------------------------------

int net_socket_bound(const struct net_socket *socket, const struct net_address *target,
                     struct netif **by)
{
    *by = netif_at(net_socket_netif(socket));
    return *by != NULL ? 0 : address_is_v4(target) ? -ENODEV : -ENETUNREACH;
}

int net_socket_route(const struct net_socket *socket, struct net_end *remote, struct net_end *local)
{
    struct route route;
    struct netif *by = NULL;
    if (address_is_any(&remote->address)) {
        remote->address = address_loopback(address_is_v4(&remote->address));
    }
    int error = net_socket_by(socket, &remote->address, &by);
    error = error != 0 ? error : route_find_by(&remote->address, by, &route);
    if (error != 0) {
        return error;
    }
    *local = socket->local;
    if (!socket->has_address) {
        local->address = route.source;
        return 0;
    }
    return route_check_source(&route, &local->address);
}

static int flow_set(struct net_socket *socket, struct net_end local, struct net_end remote,
                    bool is_new)
{
    const uint8_t both = FLOW_V4 | FLOW_V6;
    struct flow_key key = {
        .protocol = socket->protocol,
        .takes = socket->is_v4                ? FLOW_V4
                 : socket->options.is_v6_only ? FLOW_V6
                                              : both,
        .shares = socket->options.shares,
        .netif = net_socket_netif(socket),
        .local = local,
        .remote = remote,
    };
    const int error = flow_enter(&socket->flow, &key, socket, socket->flow, is_new);
    if (error == 0) {
        socket->local = key.local;
        socket->remote = remote;
    }
    return error;
}

// A connection's own ends are nobody else's, whoever has the port.
int net_socket_flow_set(struct net_socket *socket, struct net_end local, struct net_end remote)
{
    return flow_set(socket, local, remote, socket->flow == NULL && remote.port == 0);
}

int net_socket_flow_listen(struct net_socket *socket, struct net_end nobody)
{
    return flow_set(socket, socket->local, nobody, true);
}

int net_socket_netif_set(struct net_socket *socket, uint32_t netif)
{
    const uint32_t former = net_socket_netif(socket);
    int error = 0;
    atomic_store_explicit(&socket->netif, netif, memory_order_relaxed);
    if (socket->flow != NULL && netif != former) {
        error = net_socket_flow_set(socket, socket->local, socket->remote);
    }
    if (error != 0) {
        atomic_store_explicit(&socket->netif, former, memory_order_relaxed);
    }
    return error;
}

// Whose address it is matters where that is good on one link alone, or within this machine.
bool net_socket_may_have(const struct net_socket *socket, const struct net_address *local)
{
    const uint32_t index = net_socket_netif(socket);
    const bool is_wide = index == 0 || address_is_v4(local) ||
                         !(address_is_link_local(local) || address_is_loopback(local));
    return route_is_local(local) && (is_wide || route_owner(local)->index == index);
}

int net_socket_bind(struct net_socket *socket, const struct net_end *local)
{
    const bool is_any = address_is_any(&local->address);
    const bool is_of_many = socket->protocol == IP_UDP && (address_is_multicast(&local->address) ||
                                                           route_is_broadcast(&local->address));
    if (!is_any && !is_of_many && !net_socket_may_have(socket, &local->address)) {
        return -EADDRNOTAVAIL;
    }
    mutex_lock(&socket->lock);
    int error = socket->flow != NULL ? -EINVAL : 0;
    error = error != 0 ? error : net_socket_flow_set(socket, *local, socket->remote);
    if (error == 0) {
        socket->has_address = !is_any;
        socket->has_many = is_of_many;
        socket->has_port = local->port != 0;
    }
    mutex_unlock(&socket->lock);
    return error == -EAGAIN ? -EADDRINUSE : error;
}

void net_socket_ends(struct net_socket *socket, struct net_end *local, struct net_end *remote)
{
    mutex_lock(&socket->lock);
    *local = socket->local;
    *remote = socket->remote;
    mutex_unlock(&socket->lock);
}

// ---- Packets -----------------------------------------------------------------------

// What is to be done for a socket that a packet was for.
// REFUSED: the caller frees it.
enum delivery { DELIVERY_REFUSED, DELIVERY_DONE, DELIVERY_TOLD };

// In an RCU section.
static enum delivery packet_push(struct net_socket *socket, uint8_t protocol, struct packet *packet)
{
    if (atomic_load(&socket->filter) != NULL && !net_socket_wants(socket, packet)) {
        return DELIVERY_REFUSED;
    }
    const uint32_t limit = atomic_load_explicit(&socket->receive_limit, memory_order_relaxed);
    const unsigned pushed = channel_push(&socket->channel, packet, limit);
    if (pushed == 0) {
        atomic_fetch_add_explicit(&socket->drop_count, 1, memory_order_relaxed);
        net_count(socket->kind != NET_TRANSPORT ? NET_RAW_FULL
                  : protocol == IP_UDP          ? NET_UDP_FULL
                                                : NET_TCP_FULL);
        return DELIVERY_REFUSED;
    }
    // Who runs it tells those who poll what has come of it.
    if (socket->run != NULL) {
        return (pushed & CHANNEL_ALONE) != 0 ? DELIVERY_TOLD : DELIVERY_DONE;
    }
    return (pushed & CHANNEL_WATCHED) != 0 ? DELIVERY_TOLD : DELIVERY_DONE;
}

// It is counted; the count is put.
static void socket_look_after(struct net_socket *socket)
{
    if (socket->run != NULL) {
        net_run_later_counted(socket);
    } else {
        socket->ready(socket, NET_NEWS_INPUT);
        net_socket_put(socket);
    }
}

// In an RCU section, which it ends.
static bool flow_push(const struct flow *flow, struct packet *packet)
{
    if (flow == NULL) {
        rcu_read_end();
        return false;
    }
    struct net_socket *socket = flow->socket;
    const enum delivery delivery = packet_push(socket, flow->key.protocol, packet);
    const bool is_counted = delivery == DELIVERY_TOLD && socket_get_unless_free(socket);
    rcu_read_end();
    if (delivery == DELIVERY_REFUSED) {
        packet_free(packet);
    }
    if (is_counted) {
        socket_look_after(socket);
    }
    return true;
}

bool net_socket_deliver(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                        struct packet *packet)
{
    rcu_read_begin();
    return flow_push(flow_find(protocol, local, remote, packet->netif), packet);
}

bool net_socket_pass(const struct net_end *local, const struct net_end *remote,
                     struct packet *packet)
{
    rcu_read_begin();
    const struct flow *flow = flow_find(IP_TCP, local, remote, packet->netif);
    return flow_push(flow != NULL && flow->key.remote.port != 0 ? flow : NULL, packet);
}

bool net_socket_deliver_by(const struct flow *flow, struct packet *packet)
{
    const bool is_gone = flow == NULL || flow_is_gone(flow);
    if (!is_gone && atomic_load_explicit(&flow->socket->filter, memory_order_relaxed) != NULL) {
        tcp_bare_dress(packet, flow); // a filter looks at headers
    }
    return flow_push(is_gone ? NULL : flow, packet);
}

struct delivery_to_all {
    const struct packet *packet;
    const struct net_address *target;
    const struct netif *netif;
    struct net_told told;
};

// In an RCU section.
static bool takes(struct net_socket *socket, const struct delivery_to_all *all)
{
    const struct net_memberships *memberships =
        atomic_load_explicit(&socket->memberships, memory_order_acquire); // pairs with member.c
    if (!address_is_multicast(all->target)) {
        return true;
    }
    for (uint32_t i = 0; memberships != NULL && i < memberships->count; ++i) {
        const struct net_membership *one = &memberships->all[i];
        if (one->netif == all->netif && address_is_equal(&one->group, all->target)) {
            return true;
        }
    }
    return atomic_load_explicit(&socket->takes_all[address_is_v4(all->target)],
                                memory_order_relaxed);
}

static void copy_deliver(const struct flow *flow, void *argument)
{
    struct delivery_to_all *all = argument;
    struct net_socket *socket = flow->socket;
    const bool is_bound_elsewhere = flow->key.netif != 0 && flow->key.netif != all->netif->index;
    struct packet *copy =
        !is_bound_elsewhere && takes(socket, all) ? packet_clone(all->packet) : NULL;
    if (copy == NULL) {
        return;
    }
    const enum delivery delivery = packet_push(socket, flow->key.protocol, copy);
    if (delivery == DELIVERY_REFUSED) {
        packet_free(copy);
    } else if (delivery == DELIVERY_TOLD && !atomic_exchange(&socket->is_told, true) &&
               socket_get_unless_free(socket)) {
        (void)net_told_push(&all->told, socket);
    }
}

void net_socket_deliver_all(uint8_t protocol, const struct net_end *local,
                            const struct net_end *remote, const struct netif *netif,
                            struct packet *packet)
{
    struct delivery_to_all all = {.packet = packet, .target = &local->address, .netif = netif};
    rcu_read_begin();
    flow_find_all(protocol, local, remote, copy_deliver, &all);
    rcu_read_end();
    packet_free(packet);
    (void)net_told_tell(&all.told);
}

void net_socket_give(struct net_socket *socket, struct packet *packet, struct net_socket **told)
{
    const enum delivery delivery = packet_push(socket, socket->protocol, packet);
    *told = NULL;
    if (delivery == DELIVERY_REFUSED) {
        packet_free(packet);
    } else if (delivery == DELIVERY_TOLD && atomic_load(&socket->is_attended)) {
        MARK("socket: who sends looks"); // seq_cst, as the push is: the packet is there by then
    } else if (delivery == DELIVERY_TOLD && !atomic_exchange(&socket->is_told, true)) {
        *told = socket_get_unless_free(socket) ? socket : NULL;
    } else if (delivery == DELIVERY_TOLD) {
        MARK("socket: another tells of it");
    }
}

bool net_socket_push(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                     struct packet *packet, struct net_socket **told)
{
    const struct flow *flow = flow_find(protocol, local, remote, packet->netif);
    *told = NULL;
    if (flow != NULL) {
        net_socket_give(flow->socket, packet, told);
    }
    return flow != NULL;
}

bool net_told_push(struct net_told *told, struct net_socket *socket)
{
    struct net_socket *newest = atomic_load_explicit(&told->newest, memory_order_relaxed);
    do {
        socket->told_next = newest;
    } while (!atomic_compare_exchange_weak(&told->newest, &newest, socket)); // it is gone
    return newest == NULL;
}

// What comes once is_told is false is told of again; what came before is seen by what this tells.
bool net_told_tell(struct net_told *told)
{
    struct net_socket *socket = atomic_exchange(&told->newest, NULL);
    const bool is_some = socket != NULL;
    while (socket != NULL) {
        struct net_socket *next = socket->told_next;
        atomic_store(&socket->is_told, false);
        socket_look_after(socket);
        socket = next;
    }
    return is_some;
}
