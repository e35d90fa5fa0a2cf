// SPDX-License-Identifier: BSD-3-Clause
// tcp_loss.c: what was lost, and how it is made good.
//
// Loss is seen by time (RFC 8985): what was sent before something that has arrived, by more than a
// quarter of the shortest round trip where the network is known to reorder, is lost. A peer
// without selective acknowledgements shows it by three duplicates (RFC 5681, 3.2; RFC 6582). A tail
// that nobody acknowledges is probed once before the timeout, which takes all for lost. While it is
// made good, as much goes out as has arrived, in proportion to how far the window is to shrink
// (RFC 6937).
#include "core/net/tcp.h"

enum {
    DUPLICATES = 3,  // RFC 5681, 3.2
    PERSIST = 16,    // recoveries (RFC 8985, 6.2)
    REORDER_MIN = 1, // ms: no timer is set for less
};

#define MILLISECOND UINT64_C(1000000)
#define TAIL_UNKNOWN (1000 * MILLISECOND)
#define TAIL_ALONE (200 * MILLISECOND) // the peer may wait with its acknowledgement (Linux's)
#define TAIL_MIN (10 * MILLISECOND)

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t clock_us(const struct tcp *tcp)
{
    return (uint32_t)(tcp->now / 1000);
}

static bool is_sent_after(uint32_t at, uint32_t end, uint32_t other_at, uint32_t other_end)
{
    return tcp_is_before(other_at, at) || (at == other_at && tcp_is_before(other_end, end));
}

// RFC 8985, 6.2, steps 1 to 3.
void tcp_loss_arrived(struct tcp *tcp, const struct tcp_flight *flight, uint32_t end)
{
    const uint32_t rtt = clock_us(tcp) - flight->sent_at;
    const bool is_resent = (flight->state & TCP_FLIGHT_RESENT) != 0;
    if (is_resent && (tcp->undo.is_original || (tcp->rack.is_known && rtt < tcp->rack.rtt_min))) {
        return; // it was the first one that arrived
    }
    if (!tcp->rack.is_known) {
        tcp->rack.is_known = true;
        tcp->rack.rtt_min = tcp->rack.rtt = rtt;
        tcp->rack.sent_at = flight->sent_at;
        tcp->rack.end = tcp->rack.highest = end;
        return;
    }
    tcp->rack.rtt_min = is_resent ? tcp->rack.rtt_min : min(tcp->rack.rtt_min, rtt);
    if (is_sent_after(flight->sent_at, end, tcp->rack.sent_at, tcp->rack.end)) {
        tcp->rack.sent_at = flight->sent_at;
        tcp->rack.end = end;
        tcp->rack.rtt = rtt;
    }
    tcp->rack.sees_reordering |= tcp_is_before(end, tcp->rack.highest) && !is_resent;
    tcp->rack.highest = tcp_later(tcp->rack.highest, end);
}

// Step 4.
static uint32_t reordering_window(const struct tcp *tcp)
{
    const bool has_many = tcp->duplicates >= DUPLICATES || tcp->sacked > 2u * tcp->mss;
    if (!tcp->rack.sees_reordering && (tcp->recovery != TCP_RECOVERY_NONE || has_many)) {
        return 0;
    }
    const uint64_t window = (uint64_t)tcp->rack.multiplier * tcp->rack.rtt_min / 4;
    return window < tcp->rtt / 1000 ? (uint32_t)window : (uint32_t)(tcp->rtt / 1000);
}

static void repetition_take(struct tcp *tcp)
{
    ++tcp->counts.repeated;
    if (!tcp->rack.has_round) {
        tcp->rack.has_round = true;
        tcp->rack.round = tcp->next;
        ++tcp->rack.multiplier;
        tcp->rack.persist = PERSIST;
    }
}

// Step 5.
static void losses_find(struct tcp *tcp)
{
    const uint32_t window = reordering_window(tcp);
    hal_ns wait = 0;
    tcp->reorder_at = UINT64_MAX;
    for (uint32_t i = 0; tcp->rack.is_known && i < tcp->flight_count; ++i) {
        const struct tcp_flight *flight = &tcp->flights[i];
        if ((flight->state & (TCP_FLIGHT_SACKED | TCP_FLIGHT_LOST)) != 0 ||
            !is_sent_after(tcp->rack.sent_at, tcp->rack.end, flight->sent_at, flight->end)) {
            continue;
        }
        const uint32_t until = flight->sent_at + tcp->rack.rtt + window;
        if (!tcp_is_before(clock_us(tcp), until)) {
            tcp_flight_lose(tcp, i);
        } else {
            const hal_ns left = (hal_ns)(until - clock_us(tcp)) * 1000;
            wait = left > wait ? left : wait;
        }
    }
    if (wait > 0) {
        const hal_ns least = REORDER_MIN * MILLISECOND;
        tcp->reorder_at = tcp->now + (wait > least ? wait : least);
    }
}

// ---- Recovery ------------------------------------------------------------------------

static void recovery_begin(struct tcp *tcp)
{
    ++tcp->counts.fast_recoveries;
    tcp_undo_begin(tcp);
    tcp->before = tcp->congestion;
    tcp_congestion_lost(tcp);
    tcp->recovery = TCP_RECOVERY_FAST;
    tcp->recovery_end = tcp->next;
    tcp->delivered = tcp->out = 0;
    tcp->tail.is_out = false;
    tcp->tail_at = UINT64_MAX;
}

static void recovery_end(struct tcp *tcp)
{
    if (tcp->recovery == TCP_RECOVERY_FAST) {
        tcp->congestion = tcp->threshold;
    }
    tcp->recovery = TCP_RECOVERY_NONE;
    tcp->duplicates = 0;
    if (tcp->rack.persist > 0 && --tcp->rack.persist == 0) {
        tcp->rack.multiplier = 1;
    }
}

// RFC 6937, 3, with Linux's choice of the bound.
static void window_reduce(struct tcp *tcp, uint32_t arrived, bool has_advanced)
{
    const uint32_t under_way = tcp_pipe(tcp);
    uint32_t room;
    tcp->delivered += arrived;
    if (under_way > tcp->threshold) {
        const uint64_t due =
            ((uint64_t)tcp->threshold * tcp->delivered + tcp->before - 1) / tcp->before;
        room = due > tcp->out ? (uint32_t)due - tcp->out : 0;
    } else {
        const uint32_t owed = tcp->delivered > tcp->out ? tcp->delivered - tcp->out : 0;
        room = (owed > arrived ? owed : arrived) + (has_advanced ? tcp->mss : 0u);
        room = min(tcp->threshold - under_way, room);
    }
    if (tcp->out == 0 && room < tcp->mss) {
        room = tcp->mss; // the first is sent again at once
    }
    tcp->congestion = under_way + room;
}

// Without selective acknowledgements each duplicate stands for a segment that has arrived, until
// it is acknowledged. Answers how many bytes have arrived now.
static uint32_t duplicates_settle(struct tcp *tcp, const struct tcp_arrival *arrival,
                                  bool has_advanced)
{
    if (!has_advanced) {
        return tcp->mss;
    }
    const uint32_t segments = arrival->bytes / tcp->mss;
    const uint32_t known = min(tcp->duplicates, segments > 0 ? segments - 1 : 0);
    tcp->duplicates -= known;
    return arrival->bytes - known * tcp->mss;
}

// A peer without selective acknowledgements (RFC 5681, 3.2; RFC 6582, 3.2).
static void duplicates_judge(struct tcp *tcp, bool has_advanced)
{
    const bool is_third = tcp->recovery == TCP_RECOVERY_NONE && tcp->duplicates == DUPLICATES &&
                          tcp_is_before(tcp->recovery_end, tcp->una);
    const bool is_partial = tcp->recovery == TCP_RECOVERY_FAST && has_advanced;
    if ((is_third || is_partial) && tcp->flight_count > 0 &&
        (tcp->flights[0].state & TCP_FLIGHT_LOST) == 0) {
        tcp_flight_lose_first(tcp, tcp->mss);
    }
}

// RFC 8985, 7.4.
static void tail_judge(struct tcp *tcp, const struct tcp_segment *segment, bool has_advanced,
                       bool is_repeated)
{
    if (!tcp->tail.is_out || tcp_is_before(segment->acknowledgement, tcp->tail.end)) {
        return;
    }
    const bool is_unharmed =
        !tcp->tail.is_resent || is_repeated || (!has_advanced && segment->sack_count == 0);
    if (is_unharmed) {
        tcp->tail.is_out = false;
    } else if (tcp_is_before(tcp->tail.end, tcp->una)) { // the probe has repaired a loss
        tcp->tail.is_out = false;
        recovery_begin(tcp);
        recovery_end(tcp);
    }
}

void tcp_loss_acknowledged(struct tcp *tcp, const struct tcp_arrival *arrival, bool has_advanced,
                           const struct tcp_segment *segment, bool is_repeated)
{
    const bool was_limited = tcp->is_limited;
    const uint32_t told = duplicates_settle(tcp, arrival, has_advanced);
    tail_judge(tcp, segment, has_advanced, is_repeated);
    if (is_repeated) {
        repetition_take(tcp);
    }
    if (tcp->undo.count > 0 && has_advanced) {
        tcp_undo_advanced(tcp, arrival);
    }
    if (tcp->undo.count > 0 && is_repeated) {
        tcp_undo_repeated(tcp, segment->sacks[0]);
    }
    if (tcp->doubt != TCP_DOUBT_NONE) {
        tcp_undo_doubted(tcp, arrival, has_advanced);
    }
    if (tcp->rack.has_round && !tcp_is_before(tcp->una, tcp->rack.round)) {
        tcp->rack.has_round = false;
    }
    if (tcp->recovery != TCP_RECOVERY_NONE && !tcp_is_before(tcp->una, tcp->recovery_end)) {
        recovery_end(tcp);
    } else if (tcp->recovery != TCP_RECOVERY_FAST && has_advanced && was_limited) {
        tcp_congestion_acknowledged(tcp, arrival->bytes);
    }
    if (has_advanced && tcp->recovery == TCP_RECOVERY_NONE) {
        if (tcp_is_before(tcp->recovery_end, tcp->una)) {
            tcp->recovery_end = tcp->una - 1; // or half of all numbers later it would lie ahead
        }
        tcp->duplicates = 0;
    }
    if (!tcp->may_sack) {
        duplicates_judge(tcp, has_advanced);
    } else if (tcp->flight_count > 0) {
        losses_find(tcp);
    }
    if (tcp->flight_count == 0) {
        tcp->reorder_at = UINT64_MAX;
    }
    if (tcp->lost > 0 && tcp->recovery == TCP_RECOVERY_NONE) {
        recovery_begin(tcp);
    }
    if (tcp->recovery == TCP_RECOVERY_FAST) {
        window_reduce(tcp, tcp->may_sack ? arrival->bytes : told, has_advanced);
    }
    if (has_advanced) {
        tcp_tail_restart(tcp);
    }
}

// RFC 6298, 5.4 to 5.7; RFC 5681, 3.1 (4); RFC 8985, 6.3.
void tcp_loss_timeout(struct tcp *tcp)
{
    const uint32_t window = tcp->rack.is_known ? reordering_window(tcp) : 0;
    ++tcp->counts.timeouts;
    if (tcp->recovery != TCP_RECOVERY_TIMEOUT || tcp->retries == 0) {
        if (tcp->recovery != TCP_RECOVERY_FAST) { // else what is to be undone began before
            tcp_undo_begin(tcp);
        }
        tcp_congestion_lost(tcp);
    }
    if (tcp->flight_count > 0 && (tcp->flights[0].state & TCP_FLIGHT_SACKED) != 0) {
        tcp_flight_distrust(tcp); // the peer has forgotten (RFC 2018, 8)
    }
    for (uint32_t i = 0; i < tcp->flight_count; ++i) {
        const struct tcp_flight *flight = &tcp->flights[i];
        const uint32_t until = flight->sent_at + tcp->rack.rtt + window;
        const bool is_late = !tcp->rack.is_known || !tcp_is_before(clock_us(tcp), until);
        if ((flight->state & (TCP_FLIGHT_SACKED | TCP_FLIGHT_LOST)) == 0 && (i == 0 || is_late)) {
            tcp_flight_lose(tcp, i);
        }
    }
    tcp->duplicates = 0;
    tcp->tail.is_out = false;
    tcp->tail_at = tcp->reorder_at = UINT64_MAX;
    tcp->recovery = TCP_RECOVERY_TIMEOUT;
    tcp->recovery_end = tcp->next;
    tcp->doubt = TCP_DOUBT_FIRST;
    tcp->congestion = tcp_pipe(tcp) + tcp->mss;
}

// ---- Timers --------------------------------------------------------------------------

// RFC 8985, 7.2. It comes in place of the timeout, never after it.
void tcp_tail_restart(struct tcp *tcp)
{
    tcp->tail_at = UINT64_MAX;
    if (!tcp->may_sack || tcp->tail.is_out || tcp->recovery != TCP_RECOVERY_NONE ||
        tcp->sacked > 0 || tcp->flight_count == 0 || tcp->state == TCP_STATE_SYN_RECEIVED) {
        return;
    }
    const bool is_alone = tcp->next - tcp->una <= tcp->mss;
    hal_ns span = tcp->rtt == 0 ? TAIL_UNKNOWN : 2 * tcp->rtt;
    span += is_alone ? TAIL_ALONE : 0;
    span = span < TAIL_MIN ? TAIL_MIN : span;
    const hal_ns at = tcp->now + span;
    tcp->tail_at = at < tcp->retransmit_at ? at : tcp->retransmit_at;
}

static void tail_tick(struct tcp *tcp)
{
    tcp->tail_at = UINT64_MAX;
    if (tcp->flight_count == 0) {
        return;
    }
    ++tcp->counts.tail_probes;
    tcp->tail.is_resent = !tcp_tail_send(tcp);
    tcp->tail.is_out = true;
    tcp->tail.end = tcp->next;
    tcp->tail_at = UINT64_MAX;
    tcp_timeout_restart(tcp);
}

void tcp_loss_tick(struct tcp *tcp)
{
    if (tcp->tail_at <= tcp->now) {
        tail_tick(tcp);
    }
    if (tcp->reorder_at <= tcp->now) {
        losses_find(tcp);
        if (tcp->lost > 0 && tcp->recovery == TCP_RECOVERY_NONE) {
            recovery_begin(tcp);
        }
        if (tcp->recovery == TCP_RECOVERY_FAST) {
            window_reduce(tcp, 0, false);
        }
        tcp_output(tcp);
    }
}
