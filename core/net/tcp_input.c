// SPDX-License-Identifier: BSD-3-Clause
// tcp_input.c: what a segment that came does to a connection of TCP (RFC 9293, 3.10.7).
#include "core/net/tcp.h"

#include "core/lib/errno.h"

enum {
    CHALLENGES_MAX = 100, // per second (RFC 5961, 7)
    REQUEST_SEGMENTS = 4, // of an ordinary request: far less than who begins may send
};

#define SECOND UINT64_C(1000000000)
#define TIME_WAIT (60 * SECOND)        // Linux's TCP_TIMEWAIT_LEN
#define PAWS_AGE (24 * 86400 * SECOND) // RFC 7323, 5.5
#define STRANGE_SPAN (SECOND / 2)      // net.ipv4.tcp_invalid_ratelimit of Linux

void tcp_challenge(struct tcp *tcp)
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
    const bool was_asking =
        tcp->state == TCP_STATE_SYN_SENT || tcp->state == TCP_STATE_SYN_RECEIVED;
    tcp->counts.failures += was_asking;
    tcp->state = TCP_STATE_CLOSED;
    tcp->error = error;
    tcp->owed = 0;
    tcp->retransmit_at = tcp->acknowledge_at = tcp->probe_at = UINT64_MAX;
    tcp->keep_at = tcp->end_at = tcp->tail_at = tcp->reorder_at = tcp->pace_at = UINT64_MAX;
}

// ---- Data --------------------------------------------------------------------------------

static void held_join(struct tcp *tcp)
{
    while (tcp->held_count > 0 && !tcp_is_before(tcp->expected, tcp->held[0].start)) {
        tcp->expected = tcp_later(tcp->expected, tcp->held[0].end);
        tcp_range_cut(tcp->held, &tcp->held_count, tcp->expected);
    }
}

// What has come before is told once more (RFC 2883, 4): it lies before what is expected, or in a
// range that is held.
static void repetition_note(struct tcp *tcp, uint32_t start, uint32_t end)
{
    if (tcp_is_before(start, tcp->expected)) {
        tcp->repeated.start = start;
        tcp->repeated.end = tcp_is_before(end, tcp->expected) ? end : tcp->expected;
        tcp->counts.duplicate += !tcp_is_before(tcp->expected, end);
        return;
    }
    for (uint32_t i = 0; i < tcp->held_count; ++i) {
        const struct tcp_range *held = &tcp->held[i];
        if (!tcp_is_before(start, held->start) && !tcp_is_before(held->end, end)) {
            tcp->repeated = (struct tcp_range){start, end};
            ++tcp->counts.duplicate;
        }
    }
}

// How much is owed for the next data of the stream: an acknowledgement each second segment, and at
// once where a gap is filled (RFC 5681, 4.2). One that is longer than any that we take was several,
// which the device or the peer's host has put together. A request of a few segments waits for its
// answer, if the one before had one.
static uint32_t owed_behind(const struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t size = tcp->expected - tcp->last_acknowledged;
    if (tcp->is_answered && size <= REQUEST_SEGMENTS * tcp->settings.mss) {
        return 1;
    }
    return tcp->owed + (segment->size > tcp->settings.mss ? 2 : 1);
}

// The peer learns of this segment itself: without SACK it counts acknowledgements.
static void owe_each(struct tcp *tcp)
{
    tcp->owed += 2;
    tcp->owes_each = true;
}

// It lies in the window, at least in part.
static void data_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t edge = tcp_later(tcp->announced, tcp->expected);
    edge = tcp->is_fin_known && tcp_is_before(tcp->fin, edge) ? tcp->fin : edge;
    const uint32_t start = tcp_later(segment->sequence, tcp->expected);
    uint32_t end = segment->sequence + segment->size;
    if (segment->size == 0) {
        return;
    }
    ++tcp->counts.data_received;
    tcp->data_at = tcp->now;
    repetition_note(tcp, segment->sequence, end);
    end = tcp_is_before(edge, end) ? edge : end;
    if (!tcp_is_before(start, end)) {
        owe_each(tcp); // known already: the peer had no acknowledgement
        return;
    }
    const uint64_t from = tcp_received(tcp) + (start - tcp->expected);
    const bool is_next = start == tcp->expected;
    struct tcp_range range = {start, end};
    if (!is_next && tcp->held_count == tcp->held_room) {
        tcp_space_use(tcp);
    }
    if (!is_next && !tcp_range_fits(tcp->held, tcp->held_count, tcp->held_room, range)) {
        ++tcp->counts.dropped;
        owe_each(tcp);
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
        tcp->owed = fills || tcp->is_quick ? 2 : owed_behind(tcp, segment);
    } else {
        ++tcp->counts.held;
        (void)tcp_range_add(tcp->held, &tcp->held_count, tcp->held_room, range);
        tcp->newest_held = start;
        owe_each(tcp);
    }
}

static void fin_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    if ((segment->flags & TCP_FIN) && !tcp->is_fin_known) {
        tcp->is_fin_known = true;
        tcp->fin = segment->sequence + segment->size;
    }
    if (!tcp->is_fin_known || tcp->has_fin || tcp->expected != tcp->fin) {
        if (segment->flags & TCP_FIN) { // out of order, or again
            owe_each(tcp);
        }
        return;
    }
    tcp->has_fin = true;
    tcp->held_count = 0; // behind the end
    ++tcp->expected;
    const bool may_wait =
        tcp->settings.is_near && tcp->state == TCP_STATE_ESTABLISHED && !tcp->is_quick;
    tcp->owed += may_wait ? 1 : 2;
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
    if (length == 0 || (segment->size == 0 && segment->sequence == tcp->expected)) {
        return !tcp_is_before(segment->sequence, tcp->expected) &&
               !tcp_is_before(edge, segment->sequence);
    }
    return tcp_is_before(tcp->expected, last) && tcp_is_before(segment->sequence, edge);
}

static void reset_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->sequence != tcp->expected) {
        tcp_challenge(tcp); // RFC 5961, 3.2
        return;
    }
    ++tcp->counts.resets_received;
    switch (tcp->state) {
    case TCP_STATE_SYN_RECEIVED:
        tcp_end(tcp, tcp_is_open(tcp) ? -ECONNRESET : -ECONNREFUSED);
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

// What is no data is answered twice a second at most, so that two that have lost count of each
// other do not answer each other for ever.
static void out_of_window(struct tcp *tcp, const struct tcp_segment *segment)
{
    const bool is_data =
        (segment->size > 0 || (segment->flags & TCP_FIN) != 0) && (segment->flags & TCP_SYN) == 0;
    ++tcp->counts.out_of_window;
    if (segment->flags & TCP_RST) {
        return;
    }
    if (tcp->state == TCP_STATE_TIME_WAIT && (segment->flags & TCP_ACK) != 0) {
        tcp->end_at = tcp->now + TIME_WAIT;
    }
    if (!is_data && tcp->strange_at != 0 && tcp->now - tcp->strange_at < STRANGE_SPAN) {
        return;
    }
    tcp->strange_at = is_data ? tcp->strange_at : tcp->now;
    if (segment->size > 0 && tcp_is_before(segment->sequence, tcp->expected)) {
        repetition_note(tcp, segment->sequence, segment->sequence + segment->size);
    }
    tcp_acknowledge(tcp);
}

static void refuse(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct tcp_segment answer;
    if (tcp_refuse(segment, &answer)) {
        ++tcp->counts.segments_sent;
        ++tcp->counts.resets_sent;
        tcp->host->send(tcp, &answer);
    }
}

// The peer says how far what it sends is urgent: up to the byte before the one that it names, as
// all implementations have it (RFC 6093, 3.1). A byte that was received already is none.
static void urgent_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint32_t at = segment->sequence + segment->urgent - (segment->urgent > 0);
    const uint64_t place = tcp_received(tcp) + (at - tcp->expected);
    if (tcp->has_fin || tcp_is_before(at, tcp->expected) ||
        (tcp->urgent.is_known && place <= tcp->urgent.place)) {
        return;
    }
    if (tcp->urgent.is_known && tcp->urgent.place == tcp->taken && tcp_received(tcp) > tcp->taken &&
        !tcp->settings.has_urgent_inline) {
        ++tcp->taken; // the former one, which is about to be forgotten, is none of the stream's
    }
    tcp->urgent.is_known = true;
    tcp->urgent.is_read = false;
    tcp->urgent.place = place;
}

static void text_take(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->flags & TCP_URG) {
        urgent_take(tcp, segment);
    }
    data_take(tcp, segment);
    fin_take(tcp, segment);
    tcp_output(tcp);
    if (tcp->owed > 0 && tcp->state == TCP_STATE_TIME_WAIT) {
        tcp_acknowledge(tcp);
    }
}

// Of a connection that is nobody's concern before data has come (Linux's TCP_DEFER_ACCEPT).
static bool is_too_little(const struct tcp *tcp, const struct tcp_segment *segment)
{
    return !tcp->is_caller && tcp->retries < tcp->settings.defer_tries && segment->size == 0 &&
           (segment->flags & TCP_FIN) == 0;
}

static void synchronized_input(struct tcp *tcp, const struct tcp_segment *segment)
{
    const bool is_late = is_old(tcp, segment);
    tcp->counts.old += is_late;
    if (is_late || !is_in_window(tcp, segment)) {
        out_of_window(tcp, segment);
        return;
    }
    if (segment->flags & TCP_RST) {
        reset_take(tcp, segment);
        return;
    }
    if (segment->flags & TCP_SYN) {
        tcp_challenge(tcp); // RFC 5961, 4.2
        return;
    }
    if (!(segment->flags & TCP_ACK)) {
        return;
    }
    const uint32_t first = tcp->iss + 1; // what our answer is acknowledged with, or more
    if (tcp->state == TCP_STATE_SYN_RECEIVED &&
        segment->acknowledgement - first > tcp->next - first) {
        refuse(tcp, segment);
        return;
    }
    if (tcp->state == TCP_STATE_SYN_RECEIVED && is_too_little(tcp, segment)) {
        tcp->is_deferred = true;
        return;
    }
    // RFC 7323, 4.3: of the segment that our last acknowledgement asked for.
    if (segment->has_timestamps && !tcp_is_before(tcp->last_acknowledged, segment->sequence)) {
        tcp->recent_time = segment->time;
        tcp->recent_at = tcp->now;
    }
    if (tcp_acknowledgement_take(tcp, segment)) {
        text_take(tcp, segment);
    }
}

// What a SYN brings beside itself.
static void syn_text_take(struct tcp *tcp, const struct tcp_segment *syn)
{
    struct tcp_segment text = *syn;
    ++text.sequence;
    tcp->owed += 2;
    text_take(tcp, &text);
}

// Fast Open: what the SYN brings is taken before it is answered (RFC 7413, 4.2.2). Not its end,
// which comes again.
static void fast_text_take(struct tcp *tcp, const struct tcp_segment *syn)
{
    struct tcp_segment text = *syn;
    ++text.sequence;
    data_take(tcp, &text);
    tcp->is_fast = tcp->expected != tcp->irs + 1;
}

// The peer's SYN again: our answer was lost. Or, where both have called at once, its answer to ours
// (RFC 9293, figure 7).
static void syn_received_input(struct tcp *tcp, const struct tcp_segment *segment)
{
    const uint8_t kind = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST);
    const bool is_first = segment->sequence == tcp->irs && !is_old(tcp, segment);
    if (is_first && kind == TCP_SYN) {
        const bool is_again = !tcp_is_open(tcp) || tcp->is_fast;
        tcp->counts.resent_segments += is_again;
        if (!is_again) {
            fast_text_take(tcp, segment);
        }
        tcp_syn_send(tcp);
    } else if (is_first && kind == (TCP_SYN | TCP_ACK) && tcp->is_caller &&
               segment->acknowledgement == tcp->iss + 1) {
        (void)tcp_acknowledgement_take(tcp, segment);
        syn_text_take(tcp, segment);
    } else {
        synchronized_input(tcp, segment);
    }
}

// What has become of our SYN's cookie and bytes.
static void fast_judge(struct tcp *tcp, const struct tcp_segment *answer)
{
    if (tcp->fast->size > 0 && !tcp->is_fast) {
        tcp->fast->failure = tcp->retries > 0 ? TCP_FAST_SENT_AGAIN : TCP_FAST_NOT_TAKEN;
    }
    if (tcp->host->learn != NULL) {
        tcp->host->learn(tcp, answer);
    }
}

// RFC 9293, 3.10.7.3.
static void syn_sent_input(struct tcp *tcp, const struct tcp_segment *segment)
{
    const bool has_ack = (segment->flags & TCP_ACK) != 0;
    const uint32_t taken = segment->acknowledgement - (tcp->iss + 1); // of what our SYN has brought
    if (has_ack && taken > (tcp->fast != NULL ? tcp->fast->size : 0)) {
        refuse(tcp, segment);
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
    if (!has_ack) { // both have called at once
        tcp->state = TCP_STATE_SYN_RECEIVED;
        tcp_timeout_restart(tcp);
        tcp_syn_send(tcp);
        return;
    }
    tcp->next = segment->acknowledgement; // the rest of it is sent as if it were new
    tcp->is_fast = taken > 0;
    if (tcp->fast != NULL) {
        fast_judge(tcp, segment);
    }
    (void)tcp_acknowledgement_take(tcp, segment);
    syn_text_take(tcp, segment);
}

void tcp_input(struct tcp *tcp, const struct tcp_segment *segment, hal_ns now)
{
    tcp->now = now;
    ++tcp->counts.segments_received;
    tcp->keeps = 0;
    tcp->heard_at = now;
    if (tcp->settings.is_kept_alive) {
        tcp->keep_at = now + tcp->settings.keep_idle;
    }
    if (tcp->state == TCP_STATE_SYN_SENT) {
        syn_sent_input(tcp, segment);
    } else if (tcp->state == TCP_STATE_SYN_RECEIVED) {
        syn_received_input(tcp, segment);
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
