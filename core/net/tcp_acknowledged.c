// SPDX-License-Identifier: BSD-3-Clause
// tcp_acknowledged.c: what acknowledgement and window of a segment that came do (RFC 9293,
// 3.10.7.4, fifth): round-trip times, what is under way, the peer's window, our own end.
#include "core/net/tcp.h"

#define SECOND UINT64_C(1000000000)
#define TIME_WAIT (60 * SECOND)  // Linux's TCP_TIMEWAIT_LEN
#define TIMEOUT_MIN (SECOND / 5) // Linux's TCP_RTO_MIN
#define TIMEOUT_MAX (120 * SECOND)
#define TIMEOUT_UNKNOWN (3 * SECOND)  // RFC 6298, 5.7
#define GRANULARITY UINT64_C(1000000) // of timestamps

// ---- Round-trip times (RFC 6298) -----------------------------------------------------

void tcp_rtt_take(struct tcp *tcp, hal_ns sample)
{
    if (tcp->rtt == 0) {
        tcp->rtt = sample;
        tcp->rtt_variation = sample / 2;
    } else {
        const hal_ns off = tcp->rtt > sample ? tcp->rtt - sample : sample - tcp->rtt;
        tcp->rtt_variation += off / 4 - tcp->rtt_variation / 4;
        tcp->rtt += sample / 8 - tcp->rtt / 8; // modulo 2^64: it may shrink
    }
    tcp->rtt = tcp->rtt == 0 ? 1 : tcp->rtt;
    const hal_ns spread = 4 * tcp->rtt_variation;
    const hal_ns timeout = tcp->rtt + (spread > GRANULARITY ? spread : GRANULARITY);
    tcp->timeout = timeout < TIMEOUT_MIN   ? TIMEOUT_MIN
                   : timeout > TIMEOUT_MAX ? TIMEOUT_MAX
                                           : timeout;
}

// What was sent twice is timed by its echo alone (Karn).
static void rtt_measure(struct tcp *tcp, const struct tcp_segment *segment,
                        const struct tcp_arrival *arrival)
{
    if (arrival->bytes > 0 && !arrival->has_resent) {
        tcp_rtt_take(tcp, (hal_ns)((uint32_t)(tcp->now / 1000) - arrival->sent_at) * 1000);
    } else if (tcp->has_timestamps && segment->has_timestamps && segment->echo != 0) {
        const uint32_t passed = (uint32_t)(tcp->now / GRANULARITY) - segment->echo;
        if (passed < 1u << 30) {
            tcp_rtt_take(tcp, passed * GRANULARITY);
        }
    }
}

// Our SYN is acknowledged.
static void syn_acknowledged(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct tcp_arrival none = {.bytes = 0};
    tcp->una = tcp->flight_count > 0 ? tcp->iss + 1 : segment->acknowledgement;
    tcp->retransmit_at = UINT64_MAX;
    if (tcp->retries == 0) {
        tcp_rtt_take(tcp, tcp->now - tcp->first_try);
    } else {
        tcp->timeout = TIMEOUT_UNKNOWN;
        rtt_measure(tcp, segment, &none);
    }
    if (tcp->retries > 1) { // RFC 6298, 5.7; RFC 5681, 3.1
        tcp->congestion = tcp->mss;
    }
    tcp->retries = 0;
    if (tcp->flight_count > 0) { // Fast Open's
        tcp->first_try = tcp->now;
        tcp_timeout_restart(tcp);
    }
    tcp->window_sequence = segment->sequence;
    tcp->window_acknowledgement = segment->acknowledgement;
}

// ---- Windows -------------------------------------------------------------------------

// Not of one that was overtaken (RFC 9293, 3.10.7.4): its window is counted from what it
// acknowledges.
static void window_update(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (tcp_is_before(segment->acknowledgement, tcp->una) ||
        tcp_is_before(segment->sequence, tcp->window_sequence) ||
        (segment->sequence == tcp->window_sequence &&
         tcp_is_before(segment->acknowledgement, tcp->window_acknowledgement))) {
        return;
    }
    tcp->window = segment->window << tcp->send_scale;
    tcp->window_sequence = segment->sequence;
    tcp->window_acknowledgement = segment->acknowledgement;
    tcp->window_max = tcp->window > tcp->window_max ? tcp->window : tcp->window_max;
}

// ---- What has arrived ----------------------------------------------------------------

// The first range tells of a repetition where it lies before what is acknowledged, or in the
// second (RFC 2883, 4).
static bool tells_repetition(const struct tcp_segment *segment)
{
    const struct tcp_range *first = &segment->sacks[0], *second = &segment->sacks[1];
    return segment->sack_count > 0 && tcp_is_before(first->start, first->end) &&
           (!tcp_is_before(segment->acknowledgement, first->end) ||
            (segment->sack_count > 1 && !tcp_is_before(first->start, second->start) &&
             !tcp_is_before(second->end, first->end)));
}

static void sacks_take(struct tcp *tcp, const struct tcp_segment *segment,
                       struct tcp_arrival *arrival)
{
    for (uint32_t i = 0; i < segment->sack_count; ++i) {
        const struct tcp_range range = segment->sacks[i];
        // Its start must lie before next, too: "before" goes round half of all numbers.
        if (tcp_is_before(range.start, range.end) && tcp_is_before(tcp->una, range.start) &&
            tcp_is_before(range.start, tcp->next) && !tcp_is_before(tcp->next, range.end)) {
            tcp_flight_sacked(tcp, range, arrival);
        }
    }
}

static void timeout_advance(struct tcp *tcp)
{
    tcp->retries = 0;
    tcp->first_try = tcp->now;
    if (tcp->una == tcp->next) {
        tcp->retransmit_at = UINT64_MAX;
    } else {
        tcp_timeout_restart(tcp);
    }
}

static void closing_advance(struct tcp *tcp)
{
    if (!tcp->has_sent_fin || tcp->una != tcp->iss + 2 + (uint32_t)tcp->written) {
        return;
    }
    switch (tcp->state) {
    case TCP_STATE_FIN_WAIT_1:
        tcp->state = TCP_STATE_FIN_WAIT_2;
        tcp->end_at = tcp->end_after != 0 ? tcp->now + tcp->end_after : UINT64_MAX;
        break;
    case TCP_STATE_CLOSING:
        tcp->state = TCP_STATE_TIME_WAIT;
        tcp->end_at = tcp->now + TIME_WAIT;
        break;
    case TCP_STATE_LAST_ACK:
        tcp_end(tcp, 0);
        break;
    default:
        break;
    }
}

static bool is_duplicate(const struct tcp *tcp, const struct tcp_segment *segment,
                         uint32_t window_before, const struct tcp_arrival *arrival)
{
    return segment->acknowledgement == tcp->una && segment->size == 0 && tcp->next != tcp->una &&
           (segment->flags & TCP_FIN) == 0 &&
           (tcp->may_sack ? arrival->bytes > 0 : tcp->window == window_before);
}

bool tcp_acknowledgement_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t acknowledgement = segment->acknowledgement;
    if (tcp_is_before(tcp->next, acknowledgement) ||
        tcp_is_before(acknowledgement, tcp->una - tcp->window_max)) {
        tcp_challenge(tcp); // RFC 5961, 5.2
        return false;
    }
    if (tcp->state == TCP_STATE_SYN_SENT || tcp->state == TCP_STATE_SYN_RECEIVED) {
        syn_acknowledged(tcp, segment);
        tcp->state = tcp->is_closing ? TCP_STATE_FIN_WAIT_1 : TCP_STATE_ESTABLISHED;
        if (segment->flags & TCP_SYN) {
            return true;
        }
    }
    struct tcp_arrival arrival = {.bytes = 0};
    const uint32_t window = tcp->window;
    const bool has_advanced = tcp_is_before(tcp->una, acknowledgement);
    const bool is_repeated = tcp->may_sack && tells_repetition(segment);
    tcp->probes = 0;
    tcp->obstacle = 0;
    if (tcp->undo.count > 0) {
        tcp_undo_look(tcp, segment);
    }
    if (has_advanced) {
        tcp_flight_advance(tcp, acknowledgement, &arrival);
        rtt_measure(tcp, segment, &arrival);
        timeout_advance(tcp);
    }
    if (tcp->may_sack && segment->sack_count > 0) {
        sacks_take(tcp, segment, &arrival);
    }
    window_update(tcp, segment);
    if (!has_advanced && is_duplicate(tcp, segment, window, &arrival)) {
        ++tcp->duplicates;
        tcp_loss_acknowledged(tcp, &arrival, false, segment, is_repeated);
    } else if (has_advanced || is_repeated || arrival.bytes > 0) {
        tcp_loss_acknowledged(tcp, &arrival, has_advanced, segment, is_repeated);
    }
    closing_advance(tcp);
    return tcp->state != TCP_STATE_CLOSED;
}
