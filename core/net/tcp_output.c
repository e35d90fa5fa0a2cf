// SPDX-License-Identifier: BSD-3-Clause
// tcp_output.c: what a connection of TCP sends, and when: new data as far as both windows allow,
// acknowledgements, what was lost, the end.
#include "core/net/tcp.h"

enum {
    SACK_IN_FLIGHT_MAX = 3, // beside timestamps (RFC 2018, 3)
    HELD_PART = 8,          // of what the host takes at once
    SEGMENT_SEGMENTS = 2,   // acknowledged at the latest after so many (RFC 9293, 3.8.6.3)
};

#define SECOND UINT64_C(1000000000)
#define ACKNOWLEDGE_DELAY UINT64_C(40000000) // 40 ms, Linux's TCP_DELACK_MIN
#define HOLD UINT64_C(500000)                // half a millisecond

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

// ---- Headers -----------------------------------------------------------------------

static bool is_short(const struct tcp *tcp)
{
    const _Atomic bool *is = tcp->host->is_short;
    return is != NULL && atomic_load_explicit(is, memory_order_relaxed);
}

// Never taken back, and not moved for less than a segment or half of the room (RFC
// 9293, 3.8.6.2.2).
uint32_t tcp_window_now(const struct tcp *tcp)
{
    const uint64_t unread = tcp_received(tcp) - tcp->taken + tcp->kept;
    const uint32_t most = (uint32_t)UINT16_MAX << tcp->receive_scale;
    const uint32_t room =
        is_short(tcp) ? min(tcp->settings.room, TCP_ROOM_SHORT) : tcp->settings.room;
    const uint32_t free = unread < room ? room - (uint32_t)unread : 0;
    const uint32_t told =
        tcp_is_before(tcp->expected, tcp->announced) ? tcp->announced - tcp->expected : 0;
    const uint32_t step = min(tcp->settings.room / 2, tcp->mss);
    const uint32_t window = free > told && free - told >= step ? free : told;
    return min(window, most);
}

static void sacks_put(const struct tcp *tcp, struct tcp_segment *segment)
{
    const uint32_t room = tcp->has_timestamps ? SACK_IN_FLIGHT_MAX : TCP_SACK_MAX;
    uint32_t first = 0;
    if (tcp->repeated.start != tcp->repeated.end) { // RFC 2883, 4
        segment->sacks[segment->sack_count++] = tcp->repeated;
        first = 1;
    }
    // The one that came last is told first (RFC 2018, 4).
    for (uint32_t i = 0; i < tcp->held_count; ++i) {
        const struct tcp_range *range = &tcp->held[i];
        if (!tcp_is_before(tcp->newest_held, range->start) &&
            tcp_is_before(tcp->newest_held, range->end)) {
            segment->sacks[segment->sack_count++] = *range;
        }
    }
    for (uint32_t i = tcp->held_count; i-- > 0 && segment->sack_count < room;) {
        const struct tcp_range *range = &tcp->held[i];
        if (segment->sack_count == first || range->start != segment->sacks[first].start) {
            segment->sacks[segment->sack_count++] = *range;
        }
    }
}

// With the data they make a packet that is not longer than the link takes (RFC 6691); those that
// have no room acknowledgements without data tell.
static void sacks_fit(const struct tcp *tcp, struct tcp_segment *segment)
{
    enum { TIMESTAMPS = 12, HEAD = 4, RANGE = 8 };
    const uint32_t used = segment->size + (tcp->has_timestamps ? TIMESTAMPS : 0) + HEAD;
    const uint32_t room = used < tcp->mss ? (tcp->mss - used) / RANGE : 0;
    segment->sack_count = min(segment->sack_count, room);
}

// The byte behind which nothing is urgent, as far as it can be told.
static void urgent_put(struct tcp *tcp, struct tcp_segment *segment)
{
    const uint32_t ahead = tcp->urgent_end - segment->sequence;
    tcp->is_urgent = tcp_is_before(tcp->una, tcp->urgent_end);
    if (tcp->is_urgent && tcp_is_before(segment->sequence, tcp->urgent_end)) {
        segment->flags |= TCP_URG;
        segment->urgent = (uint16_t)min(ahead, UINT16_MAX);
    }
}

static void segment_send(struct tcp *tcp, struct tcp_segment *segment)
{
    const bool is_syn = (segment->flags & TCP_SYN) != 0;
    if (segment->flags & TCP_ACK) {
        const uint32_t window = tcp_window_now(tcp);
        const uint8_t scale = is_syn ? 0 : tcp->receive_scale;
        segment->acknowledgement = tcp->expected;
        segment->window = min(window >> scale, UINT16_MAX);
        tcp->announced = tcp_later(tcp->announced, tcp->expected + (segment->window << scale));
        tcp->last_acknowledged = tcp->expected;
        tcp->freed_told = tcp->taken - tcp->kept;
        tcp->is_answered = tcp->is_answered && (tcp->owed == 0 || segment->size > 0);
        tcp->owed = 0;
        tcp->owes_each = false;
        tcp->acknowledge_at = UINT64_MAX;
        if (tcp->may_sack && !is_syn) {
            sacks_put(tcp, segment);
            sacks_fit(tcp, segment);
            if (segment->sack_count > 0) {
                tcp->repeated.end = tcp->repeated.start;
            }
        }
    } else {
        segment->window = min(tcp->settings.room, UINT16_MAX);
    }
    if (tcp->has_timestamps || (is_syn && tcp->state == TCP_STATE_SYN_SENT)) {
        segment->has_timestamps = true;
        segment->time = (uint32_t)(tcp->now / 1000000);
        segment->echo = segment->flags & TCP_ACK ? tcp->recent_time : 0;
    }
    if (!is_syn) {
        segment->scale = UINT8_MAX;
    }
    if (tcp->is_urgent) {
        urgent_put(tcp, segment);
    }
    const uint32_t count =
        segment->piece == 0 ? 1 : (segment->size + segment->piece - 1) / segment->piece;
    tcp->counts.segments_sent += count;
    tcp->counts.data_sent += segment->size > 0 ? count : 0;
    tcp->host->send(tcp, segment);
}

// Behind all that was sent: what lies before the window is no good, nor what lies behind one that
// the peer has made smaller since. One that only seems so, as it is told in units (RFC 7323, 2.4),
// is none of those: the peer may have all of it, and would take an earlier one for an old one.
void tcp_acknowledge(struct tcp *tcp)
{
    const uint32_t edge = tcp->una + tcp->window;
    const uint32_t unit = 1u << tcp->send_scale;
    struct tcp_segment segment = {
        .sequence = tcp_is_before(edge, tcp->next) && tcp->next - edge >= unit ? edge : tcp->next,
        .flags = TCP_ACK,
    };
    segment_send(tcp, &segment);
}

// Of what there is.
void tcp_reset_send(struct tcp *tcp, uint32_t sequence)
{
    struct tcp_segment segment = {.sequence = sequence, .flags = TCP_RST | TCP_ACK};
    ++tcp->counts.resets_sent;
    segment_send(tcp, &segment);
}

void tcp_syn_send(struct tcp *tcp)
{
    const bool is_answer = tcp->state == TCP_STATE_SYN_RECEIVED;
    // Ours, sent again, goes without: somebody on the way may not like it (RFC 7413, 4.1.3).
    const struct tcp_fast *fast =
        (is_answer ? tcp->is_caller : tcp->retries > 0) ? NULL : tcp->fast;
    const bool has_cookie = fast != NULL && fast->has_cookie;
    struct tcp_segment segment = {
        .sequence = tcp->iss,
        .flags = is_answer ? TCP_SYN | TCP_ACK : TCP_SYN,
        .mss = tcp->settings.mss,
        .scale = !is_answer || tcp->has_scale ? tcp->receive_scale : UINT8_MAX,
        .may_sack = !is_answer || tcp->may_sack,
        .has_cookie = has_cookie,
        .cookie = has_cookie ? fast->cookie : NULL,
        .cookie_size = has_cookie ? fast->cookie_size : 0,
        .size = fast != NULL ? fast->size : 0,
    };
    segment_send(tcp, &segment);
}

// ---- Data --------------------------------------------------------------------------

static uint32_t stream_end(const struct tcp *tcp) // the sequence number behind all data
{
    return tcp->iss + 1 + (uint32_t)tcp->written;
}

uint32_t tcp_payload_max(const struct tcp *tcp)
{
    enum { TIMESTAMPS = 12 };
    return tcp->mss - (tcp->has_timestamps ? TIMESTAMPS : 0u);
}

// Data and the end, as far as they lie in [sequence, sequence + size).
static void data_send(struct tcp *tcp, uint32_t sequence, uint32_t size)
{
    const uint32_t end = stream_end(tcp);
    const uint64_t back = (uint32_t)(end - sequence); // from sequence to the end of the stream
    const bool is_last = sequence + size == end;
    struct tcp_segment segment = {
        .sequence = sequence,
        .flags = (uint8_t)(TCP_ACK | (size > 0 && is_last ? TCP_PSH : 0)),
        .size = size,
        .from = tcp->written - back,
        .piece = size > tcp_payload_max(tcp) ? (uint16_t)tcp_payload_max(tcp) : 0,
    };
    if (is_last && tcp->is_closing) {
        segment.flags |= TCP_FIN;
        tcp->has_sent_fin = true;
    }
    if (tcp_is_before(sequence, tcp->next)) {
        ++tcp->counts.resent_segments;
        tcp->counts.resent_bytes += size;
        tcp_undo_resent(tcp);
    }
    tcp->is_quick = false;
    tcp->is_answered = tcp->now - tcp->data_at < ACKNOWLEDGE_DELAY;
    tcp->out += size;
    tcp->sent_at = tcp->now;
    tcp_flight_sent(tcp, sequence, sequence + size + ((segment.flags & TCP_FIN) != 0));
    segment_send(tcp, &segment);
    if (tcp->settings.pace != 0) {
        const hal_ns from =
            tcp->pace_at == UINT64_MAX || tcp->pace_at < tcp->now ? tcp->now : tcp->pace_at;
        tcp->pace_at = from + (hal_ns)size * SECOND / tcp->settings.pace;
    } else {
        tcp->pace_at = UINT64_MAX; // nothing is held any more, or will be again
    }
    if (tcp->retransmit_at == UINT64_MAX) {
        tcp->first_try = tcp->now;
        tcp_timeout_restart(tcp);
    }
}

// Without what is lost, or has arrived (RFC 6675's pipe).
uint32_t tcp_pipe(const struct tcp *tcp)
{
    const uint32_t gone =
        tcp->sacked + tcp->lost + (tcp->may_sack ? 0 : tcp->duplicates * tcp->mss);
    const uint32_t flight = tcp->next - tcp->una;
    return flight - min(flight, gone);
}

// Nagle's rule (RFC 9293, 3.7.4) and silly windows (3.8.6.2.1): may a segment of size bytes go?
static bool may_go(const struct tcp *tcp, uint32_t size, uint32_t left)
{
    const bool is_urgent = tcp->is_urgent && tcp_is_before(tcp->una, tcp->urgent_end);
    if (size >= tcp_payload_max(tcp) || is_urgent || (size == left && tcp->is_closing)) {
        return true;
    }
    if (tcp->settings.is_corked) {
        return false;
    }
    const bool is_all = size == left && (tcp->settings.has_no_delay || tcp->flight_count == 0);
    return is_all || size * 2 >= tcp->window_max;
}

static bool may_send_data(const struct tcp *tcp)
{
    switch (tcp->state) {
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_CLOSE_WAIT:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
        return true;
    default:
        return tcp->state == TCP_STATE_SYN_RECEIVED && tcp_is_open(tcp);
    }
}

uint32_t tcp_unsent(const struct tcp *tcp)
{
    const uint32_t end = stream_end(tcp);
    return tcp_is_before(tcp->next, end) ? end - tcp->next : 0;
}

uint32_t tcp_window_left(const struct tcp *tcp)
{
    const uint32_t edge = tcp->una + tcp->window;
    return tcp_is_before(tcp->next, edge) ? edge - tcp->next : 0;
}

static uint32_t burst_most(const struct tcp *tcp)
{
    const uint32_t one = tcp_payload_max(tcp);
    const bool may_burst = tcp->settings.pace == 0 && !tcp->is_urgent; // each says how far
    const uint32_t burst = may_burst ? tcp->settings.burst : 0;
    return burst < one ? one : burst / one * one;
}

// What is left behind as much as the host takes at once, and is little to that, waits for the
// program's next write, which will most likely fill it: who writes 64 KiB at a time would else send
// a frame of 376 bytes with each. Until all that is under way has arrived, or for HOLD, and not
// when the program writes little then, or looks for an answer (tcp_ask). Linux waits there, too,
// for its device (tcp_autocorking).
static __attribute__((noinline)) bool is_held(struct tcp *tcp, uint32_t left)
{
    if (tcp->is_closing || left > burst_most(tcp) / HELD_PART ||
        (tcp->flight_count == 0 && !tcp->writes_soon)) {
        return false;
    }
    if (tcp->has_burst) {
        tcp->pace_at = tcp->now + HOLD;
        tcp->hold_end = tcp->written;
        return true;
    }
    return tcp->now < tcp->pace_at && tcp->hold_end == tcp->written;
}

// As many segments at once as the host takes, and with them what is left where it need not wait for
// more. Of most bytes that may go, and left that there are, more than fit one segment.
static __attribute__((noinline)) uint32_t burst_size(const struct tcp *tcp, uint32_t most,
                                                     uint32_t left)
{
    const uint32_t one = tcp_payload_max(tcp);
    const uint32_t size = min(most, burst_most(tcp));
    const bool is_all =
        size == left && !tcp->settings.is_corked && (tcp->settings.has_no_delay || tcp->is_closing);
    return is_all ? size : size / one * one;
}

// The next new segment. False: nothing may go.
static bool data_send_next(struct tcp *tcp)
{
    const uint32_t end = stream_end(tcp);
    const uint32_t left = tcp_unsent(tcp);
    if (left == 0) {
        if (!tcp->is_closing || (tcp->has_sent_fin && tcp->next == end + 1)) {
            return false;
        }
        data_send(tcp, tcp->next, 0); // the end alone, which needs no window
        return false;
    }
    if (__builtin_expect(tcp->has_burst || tcp_has_held(tcp), 0) && is_held(tcp, left)) {
        return false;
    }
    if (tcp->next == tcp->una) {
        tcp_congestion_idle(tcp);
    }
    const uint32_t flight = tcp_pipe(tcp);
    const uint32_t by_peer = tcp_window_left(tcp);
    const uint32_t by_path = flight < tcp->congestion ? tcp->congestion - flight : 0;
    const uint32_t wanted = min(min(left, tcp_payload_max(tcp)), by_peer);
    uint32_t size = min(wanted, by_path);
    tcp->is_limited |= size < wanted;
    if (size == tcp_payload_max(tcp)) {
        size = burst_size(tcp, min(min(left, by_peer), by_path), left);
        tcp->has_burst = size > tcp_payload_max(tcp) && size == burst_most(tcp);
    }
    if (size == 0 || !may_go(tcp, size, left)) {
        return false;
    }
    data_send(tcp, tcp->next, size);
    return true;
}

// The first that is lost. The window may have shrunk (RFC 9293, 3.8.6.2.1): but for the first of
// all, nothing beyond it. False: it may not go.
static bool lost_send_next(struct tcp *tcp)
{
    struct tcp_range range;
    if (!tcp_flight_lost(tcp, &range)) {
        return false;
    }
    const uint32_t end = stream_end(tcp);
    const uint32_t stop = tcp_is_before(range.end, end) ? range.end : end; // the end has no bytes
    const uint32_t under_way = tcp_pipe(tcp);
    const uint32_t edge = tcp->una + tcp->window;
    uint32_t size = tcp_is_before(range.start, stop) ? stop - range.start : 0;
    size = min(size, tcp_payload_max(tcp));
    if (size > 0 && tcp_is_before(range.start, edge)) {
        size = min(size, edge - range.start);
    } else if (size > 0 && range.start != tcp->una) {
        return false;
    }
    if (under_way > 0 && under_way + size > tcp->congestion) {
        tcp->is_limited = true;
        return false;
    }
    data_send(tcp, range.start, size);
    if (range.start == tcp->una) {
        tcp_timeout_restart(tcp); // the timeout is of the copy
    }
    return true;
}

// What is lost goes before what is new; but while that is doubted, what is new, if it may.
static bool segment_send_next(struct tcp *tcp)
{
    if (tcp->lost > 0 && tcp->doubt == TCP_DOUBT_SECOND) {
        if (data_send_next(tcp)) {
            return true;
        }
        if (tcp->next != tcp->recovery_end) {
            return false; // its acknowledgement is waited for
        }
        tcp->doubt = TCP_DOUBT_NONE;
    }
    return tcp->lost > 0 ? lost_send_next(tcp) : data_send_next(tcp);
}

static bool is_paced(struct tcp *tcp)
{
    return tcp->settings.pace != 0 && tcp->pace_at != UINT64_MAX && tcp->now < tcp->pace_at;
}

static void stream_send(struct tcp *tcp)
{
    const uint32_t before = tcp->next;
    tcp->is_limited = tcp->has_burst = false;
    while (!is_paced(tcp) && segment_send_next(tcp)) {
    }
    tcp->is_limited |= tcp->congestion < tcp->threshold && tcp_pipe(tcp) > tcp->congestion / 2;
    if (tcp->next != before) {
        tcp_tail_restart(tcp);
    }
    const bool is_stuck = tcp->next == tcp->una && tcp_unsent(tcp) > 0 && !is_paced(tcp);
    if (is_stuck && tcp->probe_at == UINT64_MAX) {
        tcp->probe_at = tcp->now + tcp->timeout;
        tcp->probes = tcp->probe_backoff = 0;
        tcp->first_try = tcp->now;
    } else if (!is_stuck) {
        tcp->probe_at = UINT64_MAX;
    }
}

void tcp_output(struct tcp *tcp)
{
    if (may_send_data(tcp)) {
        stream_send(tcp);
    }
    if (tcp->owed >= SEGMENT_SEGMENTS && (tcp->owes_each || !tcp->settings.is_settled)) {
        tcp_acknowledge(tcp);
    } else if (tcp->owed > 0 && tcp->acknowledge_at == UINT64_MAX) {
        tcp->acknowledge_at = tcp->now + ACKNOWLEDGE_DELAY;
    }
}

void tcp_settle(struct tcp *tcp)
{
    if (tcp->owed >= SEGMENT_SEGMENTS) {
        tcp_acknowledge(tcp);
        tcp_deadline_set(tcp);
    }
}

// ---- Without being asked -------------------------------------------------------------

// RFC 9293, 3.8.6.2.1: what fits, after a while, though it is little; also what a cork keeps.
bool tcp_forced_send(struct tcp *tcp)
{
    const uint32_t size = min(min(tcp_unsent(tcp), tcp_payload_max(tcp)), tcp_window_left(tcp));
    if (size == 0) {
        return false;
    }
    data_send(tcp, tcp->next, size);
    return true;
}

// RFC 8985, 7.3: what is new, or else the last that was sent.
bool tcp_tail_send(struct tcp *tcp)
{
    const uint32_t end = stream_end(tcp);
    const uint32_t last = tcp_is_before(tcp->next, end) ? tcp->next : end; // behind bytes
    if (tcp_forced_send(tcp)) {
        return true;
    }
    const uint32_t size =
        min(tcp_is_before(tcp->una, last) ? last - tcp->una : 0, tcp_payload_max(tcp));
    data_send(tcp, last - size, size);
    return false;
}

// ---- Beginning and end -------------------------------------------------------------

// So that the room can be told in 16 bits.
static uint8_t scale_for(uint32_t room)
{
    uint8_t scale = 0;
    while (scale < TCP_SCALE_MAX && room >> scale > UINT16_MAX) {
        ++scale;
    }
    return scale;
}

static uint32_t room_most(const struct tcp_settings *settings)
{
    return settings->room_max > settings->room ? settings->room_max : settings->room;
}

static void begin(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                  uint32_t iss, hal_ns now)
{
    *tcp = (struct tcp){
        .host = host,
        .settings = *settings,
        .iss = iss,
        .una = iss,
        .next = iss + 1,
        .recovery_end = iss,
        .flights = tcp->few_flights,
        .flight_room = TCP_FLIGHTS_FEW,
        .held = tcp->few_held,
        .held_room = TCP_RANGES_FEW,
        .expected = 1, // nothing behind a SYN of number 0
        .announced = 1,
        .mss = settings->mss < TCP_MSS_UNSAID ? settings->mss : TCP_MSS_UNSAID,
        .receive_scale = scale_for(room_most(settings)),
        .taken_at = now,
        .now = now,
        .timeout = 1000000000, // RFC 6298, 2.1
        .threshold = UINT32_MAX,
        .rack.multiplier = 1,
        .retransmit_at = UINT64_MAX,
        .tail_at = UINT64_MAX,
        .reorder_at = UINT64_MAX,
        .pace_at = UINT64_MAX,
        .acknowledge_at = UINT64_MAX,
        .probe_at = UINT64_MAX,
        .keep_at = UINT64_MAX,
        .end_at = UINT64_MAX,
        .first_try = now,
    };
}

void tcp_connect_fast(struct tcp *tcp, const struct tcp_host *host,
                      const struct tcp_settings *settings, uint32_t iss, struct tcp_fast *fast,
                      hal_ns now)
{
    begin(tcp, host, settings, iss, now);
    tcp->fast = fast;
    tcp->written = fast != NULL ? fast->size : 0;
    tcp->state = TCP_STATE_SYN_SENT;
    tcp->is_caller = true;
    tcp->counts.calls = 1;
    tcp_syn_send(tcp);
    tcp_timeout_restart(tcp);
    tcp_deadline_set(tcp);
}

void tcp_connect(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                 uint32_t iss, hal_ns now)
{
    tcp_connect_fast(tcp, host, settings, iss, NULL, now);
}

void tcp_connect_later(struct tcp *tcp, const struct tcp_host *host,
                       const struct tcp_settings *settings, hal_ns now)
{
    begin(tcp, host, settings, 0, now);
    tcp->state = TCP_STATE_SYN_SENT;
    tcp->is_caller = true;
    tcp_deadline_set(tcp);
}

// What a SYN says of the peer; used by tcp_input.c, too.
void tcp_peer_learn(struct tcp *tcp, const struct tcp_segment *syn)
{
    const uint16_t said = syn->mss != 0 ? syn->mss : TCP_MSS_UNSAID;
    const uint16_t mss = said < TCP_MSS_MIN ? TCP_MSS_MIN : said;
    tcp->irs = syn->sequence;
    tcp->expected = tcp->announced = tcp->last_acknowledged = syn->sequence + 1;
    tcp->has_scale = syn->scale != UINT8_MAX;
    tcp->send_scale = !tcp->has_scale ? 0 : syn->scale > TCP_SCALE_MAX ? TCP_SCALE_MAX : syn->scale;
    tcp->receive_scale = tcp->has_scale ? tcp->receive_scale : 0;
    tcp->has_timestamps = syn->has_timestamps;
    tcp->recent_time = syn->time;
    tcp->recent_at = tcp->now;
    tcp->may_sack = syn->may_sack;
    tcp->mss = mss < tcp->settings.mss ? mss : tcp->settings.mss;
    tcp->window = tcp->window_max = syn->window; // never scaled in a SYN
    tcp->window_sequence = syn->sequence;
    tcp_congestion_begin(tcp);
}

void tcp_resume(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                uint32_t iss, const struct tcp_segment *syn, hal_ns now)
{
    begin(tcp, host, settings, iss, now);
    tcp->state = TCP_STATE_SYN_RECEIVED;
    tcp->counts.answers = 1;
    tcp_peer_learn(tcp, syn);
    tcp->announced += min(settings->room, UINT16_MAX); // by whoever has answered
    tcp_timeout_restart(tcp);
    tcp_deadline_set(tcp);
}

void tcp_answer(struct tcp *tcp, const struct tcp_host *host, const struct tcp_settings *settings,
                uint32_t iss, const struct tcp_segment *syn, hal_ns now)
{
    tcp_resume(tcp, host, settings, iss, syn, now);
    tcp_syn_send(tcp);
}

void tcp_answer_fast(struct tcp *tcp, const struct tcp_host *host,
                     const struct tcp_settings *settings, uint32_t iss,
                     const struct tcp_segment *syn, struct tcp_fast *fast, hal_ns now)
{
    tcp_resume(tcp, host, settings, iss, syn, now);
    tcp->fast = fast;
    if (!fast->is_open) {
        tcp_syn_send(tcp);
    }
}
