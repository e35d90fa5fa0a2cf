// SPDX-License-Identifier: BSD-3-Clause
// tcp_memory.c: what all connections may hold together, of bytes that peers have not acknowledged
// and bytes that nobody has read.
//
// Once that is their share of memory, each has a little only (TCP_HELD_LEAST) until it is less
// again: what programs write waits, peers are told of a small window, what they send beyond it is
// dropped and comes again, and connections without a file that hold more are broken off. So peers
// that take nothing, and programs that read nothing, slow others down, and no more.
//
// A connection is charged by powers of two, with what it holds or up to four times as much, so that
// few of its changes are seen by others, and none of one that holds a little.
#include "core/mem/frame.h"
#include "core/net/counts.h"
#include "core/net/tcp_socket.h"

enum { SHARE = 8 }; // of memory

_Atomic bool tcp_memory_is_short;

static struct mutex charge_lock;
static size_t charged; // by all. Under it

static uint32_t charge_for(uint32_t held)
{
    uint32_t charge = 2 * TCP_HELD_LEAST;
    while (charge < held) {
        charge *= 2;
    }
    return held > TCP_HELD_LEAST ? charge : 0;
}

void tcp_memory_charge(struct tcp_socket *tcp, uint32_t held)
{
    const size_t most = frame_total_count() * HAL_PAGE_SIZE / SHARE;
    if (held > tcp->charged || held < tcp->charged / 4) {
        const uint32_t charge = charge_for(held);
        mutex_lock(&charge_lock);
        charged = charged - tcp->charged + charge;
        const bool was_short = atomic_load_explicit(&tcp_memory_is_short, memory_order_relaxed);
        const bool is_short = charged > (was_short ? most / 8 * 7 : most);
        if (is_short != was_short) {
            atomic_store_explicit(&tcp_memory_is_short, is_short, memory_order_relaxed);
        }
        mutex_unlock(&charge_lock);
        tcp->charged = charge;
    }
    // Not one that got no more than that, in blocks that are larger.
    if (tcp->is_orphan && tcp->is_alive && held > 4 * TCP_HELD_LEAST && tcp_memory_is_over()) {
        net_count(NET_TCP_NO_MEMORY);
        tcp_abort(&tcp->tcp, tcp_now(tcp));
        ++tcp->changes;
        tcp->news |= NET_NEWS_INPUT; // for who lingers
    }
}

// What is next in order is kept though others wait behind it: without it they would for ever.
bool tcp_memory_may_keep(const struct tcp_socket *tcp, uint64_t from)
{
    const uint32_t cost = channel_cost(&tcp->socket.channel);
    const uint64_t received = tcp_received(&tcp->tcp);
    const bool is_next = from == received && received - tcp->tcp.taken <= TCP_HELD_LEAST;
    return is_next || cost <= 2 * TCP_HELD_LEAST;
}
