// SPDX-License-Identifier: BSD-3-Clause
// tcp_counts.c: see tcp_counts.h. A connection counts by itself; the sum is made when somebody
// asks.
#include "core/net/tcp_counts.h"

#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/tcp_socket.h"

enum { COUNTS = sizeof(struct tcp_counts) / sizeof(uint64_t) };

static struct tcp_counts ended; // by those that are over. Under the flows' lock

static void add(struct tcp_counts *sum, const struct tcp_counts *counts)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)counts;
    for (unsigned i = 0; i < COUNTS; ++i) {
        to[i] += from[i];
    }
}

static void ended_add(void *argument)
{
    const struct tcp *tcp = argument;
    add(&ended, &tcp->counts);
}

void tcp_counts_end(struct tcp *tcp, struct flow *flow)
{
    flow_leave_then(flow, ended_add, tcp);
}

static void ended_take(void *argument)
{
    struct tcp_totals *totals = argument;
    add(&totals->counts, &ended);
}

static void flow_sum(const struct flow *flow, void *argument)
{
    struct tcp_totals *totals = argument;
    const struct tcp_socket *socket = tcp_socket_of(flow->socket);
    const struct tcp *tcp = &socket->tcp;
    const bool waits = socket->stage == TCP_STAGE_CONNECTION && tcp->state == TCP_STATE_TIME_WAIT;
    ++totals->used;
    totals->used_v6 += !flow->socket->is_v4 && !waits;
    if (socket->stage != TCP_STAGE_CONNECTION) {
        return;
    }
    add(&totals->counts, &tcp->counts);
    totals->open += tcp->state == TCP_STATE_ESTABLISHED || tcp->state == TCP_STATE_CLOSE_WAIT;
    totals->waiting += waits;
    totals->orphans += socket->is_orphan && !waits;
    totals->bytes += socket->sending.taken + channel_cost(&socket->socket.channel);
}

void tcp_counts_sum(struct tcp_totals *totals)
{
    *totals = (struct tcp_totals){.open = 0};
    flow_leave_then(NULL, ended_take, totals);
    flow_walk(IP_TCP, flow_sum, totals);
}
