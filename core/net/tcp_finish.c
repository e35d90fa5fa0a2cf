// SPDX-License-Identifier: BSD-3-Clause
// tcp_finish.c: see tcp_finish.h. On Linux the kernel goes on when a program has ended; here it
// ends with it, and with it what it has not sent yet.
#include "core/net/tcp_finish.h"

#include "core/mem/heap.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/route.h"
#include "core/net/tcp_socket.h"

struct connections {
    struct tcp_socket **sockets; // counted
    size_t count, room;          // count may be more than there was room for
};

// What stays on this machine ends with it.
static void visit(const struct flow *flow, void *argument)
{
    struct connections *all = argument;
    if (flow->key.remote.port == 0 || route_is_local(&flow->key.remote.address)) {
        return;
    }
    if (all->count < all->room) {
        net_socket_get(flow->socket);
        all->sockets[all->count] = tcp_socket_of(flow->socket);
    }
    ++all->count;
}

static void connections_find(struct connections *all)
{
    flow_walk(IP_TCP, visit, all);
    all->room = all->count;
    all->count = 0;
    all->sockets = all->room == 0 ? NULL : heap_alloc(all->room * sizeof *all->sockets);
    if (all->sockets == NULL) {
        return;
    }
    flow_walk(IP_TCP, visit, all);
    all->count = all->count < all->room ? all->count : all->room; // new ones are not ours to end
}

static bool is_delivered(const struct tcp *tcp)
{
    switch (tcp->state) {
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_SYN_RECEIVED:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
    case TCP_STATE_CLOSE_WAIT:
        return false;
    default:
        return true;
    }
}

static void delivered_await(struct tcp_socket *tcp, hal_ns patience)
{
    int error = 0;
    uint64_t before = UINT64_MAX;
    hal_ns deadline = 0;
    while (error == 0) {
        tcp_enter(tcp);
        const bool is_done = is_delivered(&tcp->tcp);
        const uint64_t acknowledged = tcp_acknowledged(&tcp->tcp);
        const uint32_t changes = tcp->changes;
        if (acknowledged != before) {
            before = acknowledged;
            deadline = tcp_now(tcp) + patience;
        }
        tcp_leave(tcp);
        const struct net_patience until = {.waits = !is_done, .deadline = deadline};
        error = tcp_await(tcp, changes, &until);
    }
}

void tcp_finish(hal_ns patience)
{
    struct connections all = {.count = 0};
    connections_find(&all);
    for (size_t i = 0; i < all.count; ++i) {
        tcp_connection_end(all.sockets[i]);
    }
    for (size_t i = 0; i < all.count; ++i) {
        delivered_await(all.sockets[i], patience);
        net_socket_put(&all.sockets[i]->socket);
    }
    heap_free(all.sockets);
}
