// SPDX-License-Identifier: BSD-3-Clause
// flow.h: the classifier: which socket a packet is for.
//
// A flow says what packets a socket gets: those to a local end, from anybody or from one remote
// end. It does not change: a socket that is bound or connected anew gets another one. Finding takes
// no lock; the lists are found by a keyed hash, so that nobody can make them long from outside.
#ifndef CORE_NET_FLOW_H
#define CORE_NET_FLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/net/address.h"
#include "core/sync/rcu.h"
#include "core/sync/rcu_list.h"
#include "hal/hal.h"

struct net_socket;

enum flow_takes { FLOW_V4 = 1, FLOW_V6 = 2 }; // of a local address that is any

enum flow_shares {           // the port, with others that say the same
    FLOW_SHARES_ADDRESS = 1, // SO_REUSEADDR: the newest gets the packets
    FLOW_SHARES_PORT = 2,    // SO_REUSEPORT: each gets its part of the senders
    FLOW_LISTENS = 4,        // and shares the port by SO_REUSEPORT only
};

struct flow_key {
    uint8_t protocol;
    uint8_t takes;                // enum flow_takes
    uint8_t shares;               // enum flow_shares
    uint32_t netif;               // the index of the interface that they come by; 0: any
    struct net_end local, remote; // remote port 0: anybody
};

struct flow {
    struct rcu_node by_ends; // of those with a remote end
    uint64_t hash;           // the same: of both ends
    struct flow_key key;
    struct net_socket *socket;
    struct rcu_node by_port; // of those without one
    struct list connected;   // of those with one, by their port
    struct rcu_head end;
    _Atomic uint32_t reference_count; // 1 of the table's
    _Atomic bool is_gone;             // from the table: it is nobody's
};

// Before the first flow. -ENOMEM.
HAL_MUST_CHECK int flow_start(void);

// Packets find the socket from now on. Local port 0: takes one that is free and tells it in
// key->local.port. former: of the same socket, or NULL; it goes once the new one is there.
// is_new: whether the port is free is looked at, also where former has it. -EADDRINUSE: another has
// the port. -EAGAIN: none is free. -ENOMEM. Thread context.
HAL_MUST_CHECK int flow_enter(struct flow **flow, struct flow_key *key, struct net_socket *socket,
                              struct flow *former, bool is_new);
void flow_leave(struct flow *flow);
// The same, of one that may be NULL, and then, before another may walk, then(argument), which takes
// no lock. The flow is kept: the caller drops it once all RCU sections have ended that may have
// found it.
void flow_leave_then(struct flow *flow, void (*then)(void *argument), void *argument);

// The best flow for a packet that has come by the interface of that index. NULL: none. The caller
// is in an RCU section, until whose end flow and socket are there.
struct flow *flow_find(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                       uint32_t netif);

// Calls visit for each that takes packets from remote to local, by whatever interface, where they
// are for several. In an RCU section.
void flow_find_all(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                   void (*visit)(const struct flow *flow, void *argument), void *argument);

// For who sends one packet after the other to a flow: keeps one that was found, in the same RCU
// section. In a later one its socket is there if it is not gone, which flow_is_gone says.
void flow_keep(struct flow *flow);
void flow_drop(struct flow *flow);
void flow_drop_later(struct flow *flow); // once all RCU sections of now have ended

static inline bool flow_is_gone(const struct flow *flow)
{
    return atomic_load_explicit(&flow->is_gone, memory_order_relaxed); // before RCU's grace
}

// The flow of the other end of a connection within this machine. NULL: there is none. The caller is
// in an RCU section.
struct flow *flow_peer(const struct flow *flow);

// Where the numbers of a connection begin that has this flow: nobody outside can guess it, and it
// grows with time for the same ends (RFC 6528).
uint32_t flow_sequence(const struct flow *flow, hal_ns now);

// Calls visit for each flow of protocol, which stays meanwhile. visit enters and leaves none, and
// takes no lock.
void flow_walk(uint8_t protocol, void (*visit)(const struct flow *flow, void *argument),
               void *argument);

#endif
