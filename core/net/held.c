// SPDX-License-Identifier: BSD-3-Clause
// held.c: see held.h.
#include "core/net/held.h"

#include "core/net/netif.h"
#include "core/net/socket.h"

enum { NEXT_NS = 20000 }; // between two sends: the next is near

static bool is_near(struct net_held *held)
{
    const hal_ns now = hal_clock_ns(), before = held->sent_ns;
    held->sent_ns = now;
    return now - before < NEXT_NS;
}

bool held_may(struct net_socket *socket, struct netif *netif, bool has_next)
{
    struct net_held *held = &socket->held;
    const bool is_other = held->netif != NULL && held->netif != netif;
    const bool may = !is_other && held->count + 1 < HELD_MAX &&
                     (has_next || (socket->first != NULL && is_near(held)));
    held->count = may ? held->count + 1 : 0;
    held->netif = may || is_other ? netif : NULL; // another's are its thread's to send
    return may;
}

void held_flush(struct net_socket *socket)
{
    struct netif *netif = socket->held.netif;
    socket->held.netif = NULL;
    socket->held.count = 0;
    mutex_unlock(&socket->lock);
    netif->flush(netif);
    mutex_lock(&socket->lock);
}
