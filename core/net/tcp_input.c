// SPDX-License-Identifier: BSD-3-Clause
// tcp_input.c: what a segment that came does to a connection of TCP (RFC 9293, 3.10.7).
#include "core/net/tcp.h"

#include "core/lib/errno.h"

enum {
    DUPLICATES = 3,       // RFC 5681, 3.2
    CHALLENGES_MAX = 100, // per second (RFC 5961, 7)
};

#define SECOND UINT64_C(1000000000)
#define TIME_WAIT (60 * SECOND)        // Linux's TCP_TIMEWAIT_LEN
#define PAWS_AGE (24 * 86400 * SECOND) // RFC 7323, 5.5
#define TIMEOUT_MIN (SECOND / 5)       // Linux's TCP_RTO_MIN
#define TIMEOUT_MAX (120 * SECOND)
#define GRANULARITY UINT64_C(1000000) // of timestamps

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void challenge(struct tcp *tcp)
{
    if (tcp->now - tcp->challenges_since >= SECOND) {
        tcp->challenges_since = tcp->now;
        tcp->challenges = 0;
    }
    if (tcp->challenges++ < CHALLENGES_MAX) {
        ++tcp->counts.challenges;
        tcp_acknowledge(tcp);
    }
}

void tcp_end(struct tcp *tcp, int error)
{
    tcp->state = TCP_STATE_CLOSED;
    tcp->error = error;
    tcp->retransmit_at = tcp->acknowledge_at = tcp->probe_at = UINT64_MAX;
    tcp->keep_at = tcp->end_at = UINT64_MAX;
}

// ---- Round-trip times (RFC 6298) -----------------------------------------------------

static void rtt_take(struct tcp *tcp, hal_ns sample)
{
    if (tcp->rtt == 0) {
        tcp->rtt = sample;
        tcp->rtt_variation = sample / 2;
    } else {
        const hal_ns off = tcp->rtt > sample ? tcp->rtt - sample : sample - tcp->rtt;
        tcp->rtt_variation += off / 4;
        tcp->rtt_variation -= tcp->rtt_variation / 4;
        tcp->rtt += sample / 8;
        tcp->rtt -= tcp->rtt / 8;
    }
    tcp->rtt = tcp->rtt == 0 ? 1 : tcp->rtt;
    const hal_ns spread = 4 * tcp->rtt_variation;
    const hal_ns timeout = tcp->rtt + (spread > GRANULARITY ? spread : GRANULARITY);
    tcp->timeout = timeout < TIMEOUT_MIN   ? TIMEOUT_MIN
                   : timeout > TIMEOUT_MAX ? TIMEOUT_MAX
                                           : timeout;
}

static void rtt_measure(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (tcp->has_timestamps && segment->has_timestamps && segment->echo != 0) {
        const uint32_t passed = (uint32_t)(tcp->now / GRANULARITY) - segment->echo;
        if (passed < 1u << 30) {
            rtt_take(tcp, passed * GRANULARITY);
        }
    } else if (tcp->timed_at != 0 && !tcp_is_before(tcp->una, tcp->timed_end)) {
        rtt_take(tcp, tcp->now - tcp->timed_at);
    }
    if (!tcp_is_before(tcp->una, tcp->timed_end)) {
        tcp->timed_at = 0;
    }
}

// ---- Congestion ----------------------------------------------------------------------

static uint32_t halved(const struct tcp *tcp)
{
    const uint32_t half = (tcp->highest - tcp->una) / 2;
    return half < 2u * tcp->mss ? 2u * tcp->mss : half;
}

static void recovery_begin(struct tcp *tcp)
{
    ++tcp->counts.fast_recoveries;
    tcp->threshold = halved(tcp);
    tcp->congestion = tcp->threshold + (tcp->sacked_count == 0 ? DUPLICATES * tcp->mss : 0u);
    tcp->is_recovering = true;
    tcp->recovery_end = tcp->highest;
    tcp->resent = tcp->una;
    tcp_resend_first(tcp);
    tcp_timeout_restart(tcp);
}

static void duplicate_take(struct tcp *tcp)
{
    ++tcp->duplicates;
    if (tcp->is_recovering) {
        tcp->congestion += tcp->sacked_count == 0 ? tcp->mss : 0u; // another has left the network
        tcp_resend_holes(tcp);
    } else if (tcp->duplicates == DUPLICATES && !tcp_is_before(tcp->una, tcp->recovery_end)) {
        recovery_begin(tcp);
    }
}

// RFC 5681, 3.1; RFC 6582, 3.2.
static void congestion_advance(struct tcp *tcp, uint32_t bytes)
{
    tcp->duplicates = 0;
    if (tcp->is_recovering && tcp_is_before(tcp->una, tcp->recovery_end)) {
        if (tcp->sacked_count == 0) {
            tcp->congestion -= min(tcp->congestion - min(tcp->congestion, tcp->mss), bytes);
            tcp->congestion += tcp->mss;
            tcp_resend_first(tcp); // a partial acknowledgement: the next one was lost, too
        } else {
            tcp_resend_holes(tcp);
        }
        return;
    }
    if (tcp->is_recovering) {
        tcp->is_recovering = false;
        tcp->congestion = min(tcp->threshold, tcp->highest - tcp->una + tcp->mss);
        tcp->congestion = tcp->congestion < tcp->mss ? tcp->mss : tcp->congestion;
        return;
    }
    if (tcp->congestion < tcp->threshold) {
        tcp->congestion += min(bytes, 2u * tcp->mss);
    } else {
        const uint32_t step = (uint32_t)((uint64_t)tcp->mss * tcp->mss / tcp->congestion);
        tcp->congestion += step > 0 ? step : 1;
    }
}

// ---- Acknowledgements ------------------------------------------------------------------

static uint32_t window_of(const struct tcp *tcp, const struct tcp_segment *segment)
{
    return segment->window << (segment->flags & TCP_SYN ? 0 : tcp->send_scale);
}

static void window_update(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (tcp_is_before(segment->sequence, tcp->window_sequence) ||
        (segment->sequence == tcp->window_sequence &&
         tcp_is_before(segment->acknowledgement, tcp->window_acknowledgement))) {
        return;
    }
    tcp->window = window_of(tcp, segment);
    tcp->window_sequence = segment->sequence;
    tcp->window_acknowledgement = segment->acknowledgement;
    tcp->window_max = tcp->window > tcp->window_max ? tcp->window : tcp->window_max;
    if (tcp->window > 0) {
        tcp->probe_at = UINT64_MAX;
    }
}

// True: it told something new.
static bool sacks_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    bool is_news = false;
    for (uint32_t i = 0; tcp->may_sack && i < segment->sack_count; ++i) {
        const struct tcp_range range = segment->sacks[i];
        const bool is_sane = tcp_is_before(range.start, range.end) &&
                             tcp_is_before(tcp->una, range.start) &&
                             !tcp_is_before(tcp->highest, range.end);
        if (is_sane && !tcp_range_has(tcp->sacked, tcp->sacked_count, range.start, range.end)) {
            is_news |= tcp_range_add(tcp->sacked, &tcp->sacked_count, range);
        }
    }
    return is_news;
}

static void acknowledged_advance(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t bytes = segment->acknowledgement - tcp->una;
    tcp->una = segment->acknowledgement;
    tcp->next = tcp_later(tcp->next, tcp->una);
    tcp->retries = 0;
    tcp_range_cut(tcp->sacked, &tcp->sacked_count, tcp->una);
    rtt_measure(tcp, segment);
    if (tcp->una == tcp->highest) {
        tcp->retransmit_at = UINT64_MAX;
    } else {
        tcp_timeout_restart(tcp);
    }
    congestion_advance(tcp, bytes);
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

// False: the segment is done with.
static bool acknowledgement_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t acknowledgement = segment->acknowledgement;
    if (tcp->state == TCP_STATE_SYN_RECEIVED) {
        if (acknowledgement != tcp->iss + 1) {
            tcp_reset_send(tcp, acknowledgement);
            return false;
        }
        tcp->state = tcp->is_closing ? TCP_STATE_FIN_WAIT_1 : TCP_STATE_ESTABLISHED;
        tcp->window_sequence = segment->sequence - 1;
    }
    if (tcp_is_before(tcp->highest, acknowledgement) ||
        tcp_is_before(acknowledgement, tcp->una - tcp->window_max)) {
        challenge(tcp); // RFC 5961, 5.2
        return false;
    }
    const bool is_news = sacks_take(tcp, segment);
    const uint32_t window = tcp->window;
    if (tcp_is_before(tcp->una, acknowledgement)) {
        acknowledged_advance(tcp, segment);
        window_update(tcp, segment);
    } else {
        window_update(tcp, segment);
        const bool is_duplicate = acknowledgement == tcp->una && segment->size == 0 &&
                                  tcp->highest != tcp->una && (segment->flags & TCP_FIN) == 0 &&
                                  (is_news || (!tcp->may_sack && tcp->window == window));
        if (is_duplicate) {
            duplicate_take(tcp);
        }
    }
    closing_advance(tcp);
    return tcp->state != TCP_STATE_CLOSED;
}

// ---- Data --------------------------------------------------------------------------------

static void held_join(struct tcp *tcp)
{
    while (tcp->held_count > 0 && !tcp_is_before(tcp->expected, tcp->held[0].start)) {
        tcp->expected = tcp_later(tcp->expected, tcp->held[0].end);
        tcp_range_cut(tcp->held, &tcp->held_count, tcp->expected);
    }
}

// It lies in the window, at least in part.
static void data_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t edge = tcp_later(tcp->announced, tcp->expected);
    const uint32_t start = tcp_later(segment->sequence, tcp->expected);
    uint32_t end = segment->sequence + segment->size;
    end = tcp_is_before(edge, end) ? edge : end;
    if (!tcp_is_before(start, end)) {
        tcp->owed += segment->size > 0 ? 2 : 0; // known already: the peer had no acknowledgement
        ++tcp->counts.duplicate;
        return;
    }
    const uint64_t from = tcp_received(tcp) + (start - tcp->expected);
    const bool is_next = start == tcp->expected;
    struct tcp_range range = {start, end};
    if (!is_next && tcp->held_count == TCP_RANGES_MAX) {
        ++tcp->counts.dropped;
        tcp->owed += 2;
        return;
    }
    if (!tcp->host->store(tcp, segment, from, start - segment->sequence, end - start)) {
        ++tcp->counts.dropped;
        return;
    }
    if (is_next) {
        const bool fills = tcp->held_count > 0;
        tcp->expected = end;
        held_join(tcp);
        tcp->owed += fills ? 2 : 1; // RFC 5681, 4.2: at once where a gap is filled
    } else {
        (void)tcp_range_add(tcp->held, &tcp->held_count, range);
        tcp->newest_held = start;
        tcp->owed += 2;
    }
}

static void fin_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    if ((segment->flags & TCP_FIN) && !tcp->is_fin_known) {
        tcp->is_fin_known = true;
        tcp->fin = segment->sequence + segment->size;
    }
    if (!tcp->is_fin_known || tcp->has_fin || tcp->expected != tcp->fin) {
        return;
    }
    tcp->has_fin = true;
    ++tcp->expected;
    tcp->owed += 2;
    switch (tcp->state) {
    case TCP_STATE_ESTABLISHED:
        tcp->state = TCP_STATE_CLOSE_WAIT;
        break;
    case TCP_STATE_FIN_WAIT_1:
        tcp->state = TCP_STATE_CLOSING;
        break;
    case TCP_STATE_FIN_WAIT_2:
        tcp->state = TCP_STATE_TIME_WAIT;
        tcp->end_at = tcp->now + TIME_WAIT;
        break;
    default:
        break;
    }
}

// ---- Is it one of ours? --------------------------------------------------------------------

static bool is_old(const struct tcp *tcp, const struct tcp_segment *segment) // RFC 7323, 5.3 R1
{
    return tcp->has_timestamps && segment->has_timestamps && (segment->flags & TCP_RST) == 0 &&
           tcp_is_before(segment->time, tcp->recent_time) && tcp->now - tcp->recent_at < PAWS_AGE;
}

// RFC 9293, 3.10.7.4, first.
static bool is_in_window(const struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t length =
        segment->size + ((segment->flags & TCP_FIN) != 0) + ((segment->flags & TCP_SYN) != 0);
    const uint32_t edge = tcp_later(tcp->announced, tcp->expected);
    const uint32_t last = segment->sequence + length;
    if (length == 0) {
        return !tcp_is_before(segment->sequence, tcp->expected) &&
               !tcp_is_before(edge, segment->sequence);
    }
    return tcp_is_before(tcp->expected, last) && tcp_is_before(segment->sequence, edge);
}

static void reset_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->sequence != tcp->expected) {
        challenge(tcp); // RFC 5961, 3.2
        return;
    }
    switch (tcp->state) {
    case TCP_STATE_SYN_RECEIVED:
        tcp_end(tcp, -ECONNREFUSED);
        break;
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
    case TCP_STATE_TIME_WAIT:
        tcp_end(tcp, 0);
        break;
    case TCP_STATE_CLOSE_WAIT:
        tcp_end(tcp, -EPIPE);
        break;
    default:
        tcp_end(tcp, -ECONNRESET);
        break;
    }
}

static void out_of_window(struct tcp *tcp, const struct tcp_segment *segment)
{
    ++tcp->counts.out_of_window;
    if (segment->flags & TCP_RST) {
        return;
    }
    if (tcp->state == TCP_STATE_TIME_WAIT) {
        tcp->end_at = tcp->now + TIME_WAIT;
    }
    tcp_acknowledge(tcp);
}

static void synchronized_input(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (is_old(tcp, segment) || !is_in_window(tcp, segment)) {
        out_of_window(tcp, segment);
        return;
    }
    if (segment->flags & TCP_RST) {
        reset_take(tcp, segment);
        return;
    }
    if (segment->flags & TCP_SYN) {
        challenge(tcp); // RFC 5961, 4.2
        return;
    }
    if (!(segment->flags & TCP_ACK)) {
        return;
    }
    // RFC 7323, 4.3: of the segment that our last acknowledgement asked for.
    if (segment->has_timestamps && !tcp_is_before(tcp->last_acknowledged, segment->sequence)) {
        tcp->recent_time = segment->time;
        tcp->recent_at = tcp->now;
    }
    if (!acknowledgement_take(tcp, segment)) {
        return;
    }
    data_take(tcp, segment);
    fin_take(tcp, segment);
    tcp_output(tcp);
    if (tcp->owed > 0 && (tcp->owed >= 2 || tcp->state == TCP_STATE_TIME_WAIT)) {
        tcp_acknowledge(tcp);
    }
}

// RFC 9293, 3.10.7.3.
static void syn_sent_input(struct tcp *tcp, const struct tcp_segment *segment)
{
    const bool has_ack = (segment->flags & TCP_ACK) != 0;
    if (has_ack && segment->acknowledgement != tcp->iss + 1) {
        if (!(segment->flags & TCP_RST)) {
            struct tcp_segment reset = {
                .sequence = segment->acknowledgement, .flags = TCP_RST, .scale = UINT8_MAX};
            tcp->host->send(tcp, &reset);
        }
        return;
    }
    if (segment->flags & TCP_RST) {
        if (has_ack) {
            tcp_end(tcp, -ECONNREFUSED);
        }
        return;
    }
    if (!(segment->flags & TCP_SYN)) {
        return;
    }
    tcp_peer_learn(tcp, segment);
    if (!has_ack) { // both called at once
        tcp->state = TCP_STATE_SYN_RECEIVED;
        tcp_resend_first(tcp);
        tcp_timeout_restart(tcp);
        return;
    }
    tcp->state = TCP_STATE_ESTABLISHED;
    tcp->una = segment->acknowledgement;
    tcp->retransmit_at = UINT64_MAX;
    tcp->retries = 0;
    rtt_measure(tcp, segment);
    tcp->window_acknowledgement = segment->acknowledgement;
    tcp_acknowledge(tcp);
    tcp_output(tcp);
}

void tcp_input(struct tcp *tcp, const struct tcp_segment *segment, hal_ns now)
{
    tcp->now = now;
    ++tcp->counts.segments_received;
    tcp->keeps = 0;
    if (tcp->settings.is_kept_alive) {
        tcp->keep_at = now + tcp->settings.keep_idle;
    }
    if (tcp->state == TCP_STATE_SYN_SENT) {
        syn_sent_input(tcp, segment);
    } else if (tcp->state != TCP_STATE_CLOSED) {
        synchronized_input(tcp, segment);
    }
    tcp_deadline_set(tcp);
}

bool tcp_refuse(const struct tcp_segment *segment, struct tcp_segment *answer)
{
    if (segment->flags & TCP_RST) {
        return false;
    }
    *answer = (struct tcp_segment){.flags = TCP_RST, .scale = UINT8_MAX};
    if (segment->flags & TCP_ACK) {
        answer->sequence = segment->acknowledgement;
    } else {
        answer->flags |= TCP_ACK;
        answer->acknowledgement = segment->sequence + segment->size +
                                  ((segment->flags & TCP_SYN) != 0) +
                                  ((segment->flags & TCP_FIN) != 0);
    }
    return true;
}
