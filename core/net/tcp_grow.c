// SPDX-License-Identifier: BSD-3-Clause
// tcp_grow.c: buffers of connections that become larger where what is under way does not fit, as
// long as all of them together take no more than a share of memory for that.
//
// On the loopback network nothing is under way for long, and more room only costs caches.
#include "core/mem/frame.h"
#include "core/net/route.h"
#include "core/net/tcp_socket.h"

enum {
    ROOM_MAX = 6291456, // net.ipv4.tcp_rmem of Linux
    SEND_MAX = 4194304, // net.ipv4.tcp_wmem
    SHARE = 16,         // of memory
    COST = 2,           // of a byte in a channel: packets are charged with more than they have
};

static struct mutex grown_lock;
static size_t grown; // bytes by which all are larger. Under it

static bool grow(struct tcp_socket *tcp, uint32_t size)
{
    const size_t most = frame_total_count() * HAL_PAGE_SIZE / SHARE;
    mutex_lock(&grown_lock);
    const bool is_granted = grown + size <= most;
    grown += is_granted ? size : 0;
    mutex_unlock(&grown_lock);
    tcp->grown += is_granted ? size : 0;
    return is_granted;
}

void tcp_grown_end(struct tcp_socket *tcp)
{
    if (tcp->grown != 0) {
        mutex_lock(&grown_lock);
        grown -= tcp->grown;
        mutex_unlock(&grown_lock);
        tcp->grown = 0;
    }
    tcp->send_max = tcp->settings.room_max = tcp->tcp.settings.room_max = 0;
}

void tcp_growth_begin(struct tcp_socket *tcp, const struct net_address *target)
{
    tcp_grown_end(tcp);
    const bool may_grow = !route_is_local(target);
    tcp->settings.is_near = !may_grow;
    tcp->settings.room_max = may_grow && !tcp->is_room_fixed ? ROOM_MAX : 0;
    tcp->send_limit = tcp->is_send_fixed ? tcp->send_limit : TCP_SEND_ROOM;
    tcp->send_max = may_grow && !tcp->is_send_fixed ? SEND_MAX : 0;
}

bool tcp_room_may_grow(struct tcp *connection, uint32_t size)
{
    struct tcp_socket *tcp = container_of(connection, struct tcp_socket, tcp);
    if (!grow(tcp, size)) {
        return false;
    }
    atomic_fetch_add_explicit(&tcp->socket.receive_limit, size * COST, memory_order_relaxed);
    return true;
}

bool tcp_send_grow(struct tcp_socket *tcp)
{
    const uint64_t wanted = 2 * (uint64_t)tcp->tcp.congestion;
    const uint32_t limit = wanted < tcp->send_max ? (uint32_t)wanted : tcp->send_max;
    if (limit <= tcp->send_limit || !grow(tcp, limit - tcp->send_limit)) {
        return false;
    }
    tcp->send_limit = limit;
    return true;
}
