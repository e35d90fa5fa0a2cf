// SPDX-License-Identifier: BSD-3-Clause
// tcp_counts.h: what all connections of TCP have counted, those that are over included.
#ifndef CORE_NET_TCP_COUNTS_H
#define CORE_NET_TCP_COUNTS_H

#include <stdint.h>

#include "core/net/tcp.h"

struct flow;

struct tcp_totals {
    struct tcp_counts counts;
    uint32_t open;    // established, or closed by the peer alone
    uint32_t waiting; // in TIME-WAIT
    uint32_t used;    // sockets with a port, those of connections that are over excluded
    uint32_t used_v6; // of those, not in TIME-WAIT, whose names are IPv6's
    uint32_t orphans; // without a file, but for those in TIME-WAIT
    uint64_t bytes;   // under way in both directions
};

// A connection is over: what it has counted is the ended ones' from now on, and flow, its own or
// NULL, has left (flow_leave_then). Thread context, may block.
void tcp_counts_end(struct tcp *tcp, struct flow *flow);

// Thread context, may block. Those that are in use meanwhile are looked at without their locks.
void tcp_counts_sum(struct tcp_totals *totals);

#endif
