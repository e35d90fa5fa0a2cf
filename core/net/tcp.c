// SPDX-License-Identifier: BSD-3-Clause
// tcp.c: what the program and the time do to a connection of TCP.
#include "core/net/tcp.h"

#include "core/lib/errno.h"
#include "core/lib/times.h"

enum {
    SYN_RETRIES = 6,    // net.ipv4.tcp_syn_retries of Linux
    ANSWER_RETRIES = 5, // net.ipv4.tcp_synack_retries
    RETRIES = 15,       // net.ipv4.tcp_retries2
    ORPHAN_RETRIES = 8, // net.ipv4.tcp_orphan_retries: nobody is left to be told
};

#define SECOND UINT64_C(1000000000)
#define TIMEOUT_MAX (120 * SECOND)

uint64_t tcp_acknowledged(const struct tcp *tcp)
{
    const uint32_t end = tcp->iss + 1 + (uint32_t)tcp->written;
    if (tcp->una == tcp->iss && tcp->written < UINT32_MAX) {
        return 0; // not even the SYN; or else the numbers have been round
    }
    return tcp_is_before(tcp->una, end) ? tcp->written - (end - tcp->una) : tcp->written;
}

uint64_t tcp_received(const struct tcp *tcp)
{
    const uint32_t low = tcp->expected - tcp->irs - 1 - tcp->has_fin;
    const uint32_t ahead = low - (uint32_t)tcp->taken; // less than 2^31: the window
    return tcp->taken + ahead;
}

bool tcp_is_urgent(const struct tcp *tcp)
{
    return tcp->urgent.is_known && !tcp->urgent.is_read && tcp->urgent.place < tcp_received(tcp);
}

// ---- Times -------------------------------------------------------------------------

void tcp_deadline_set(struct tcp *tcp)
{
    const hal_ns sending =
        earlier(earlier(tcp->retransmit_at, tcp->tail_at), earlier(tcp->reorder_at, tcp->pace_at));
    const hal_ns waiting =
        earlier(earlier(tcp->acknowledge_at, tcp->probe_at), earlier(tcp->keep_at, tcp->end_at));
    tcp->deadline = earlier(sending, waiting);
}

static hal_ns backed_off(hal_ns timeout, uint32_t retries)
{
    for (; retries > 0 && timeout < TIMEOUT_MAX; --retries) {
        timeout *= 2;
    }
    return timeout < TIMEOUT_MAX ? timeout : TIMEOUT_MAX;
}

static bool is_user_tired(const struct tcp *tcp)
{
    return tcp->settings.give_up != 0 && tcp->now - tcp->first_try >= tcp->settings.give_up;
}

void tcp_timeout_restart(struct tcp *tcp)
{
    const hal_ns give_up = tcp->settings.give_up;
    tcp->retransmit_at = tcp->now + backed_off(tcp->timeout, tcp->retries);
    if (give_up != 0 && tcp->first_try + give_up < tcp->retransmit_at) {
        tcp->retransmit_at = tcp->first_try + give_up;
    }
}

static uint32_t answer_retries(const struct tcp *tcp)
{
    const uint32_t defer = tcp->is_deferred ? tcp->settings.defer_tries : 0;
    const uint32_t most = ANSWER_RETRIES + tcp_is_open(tcp); // so does Linux
    return defer > most ? defer : most;
}

static uint32_t retries_max(const struct tcp *tcp)
{
    const uint32_t syn_retries = tcp->settings.syn_retries;
    return tcp->state == TCP_STATE_SYN_SENT       ? (syn_retries != 0 ? syn_retries : SYN_RETRIES)
           : tcp->state == TCP_STATE_SYN_RECEIVED ? answer_retries(tcp)
           : tcp->end_after != 0                  ? ORPHAN_RETRIES
                                                  : RETRIES;
}

static bool has_tried_enough(const struct tcp *tcp)
{
    return tcp->settings.give_up != 0 ? is_user_tired(tcp) : tcp->retries >= retries_max(tcp);
}

static void fruitless_end(struct tcp *tcp)
{
    ++tcp->counts.given_up;
    tcp_end(tcp, tcp->obstacle != 0 ? tcp->obstacle : -ETIMEDOUT);
}

static void retransmit_tick(struct tcp *tcp)
{
    const bool is_syn = tcp->state == TCP_STATE_SYN_SENT || tcp->state == TCP_STATE_SYN_RECEIVED;
    if (has_tried_enough(tcp)) {
        fruitless_end(tcp);
        return;
    }
    if (is_syn) {
        ++tcp->counts.timeouts;
    } else {
        tcp_loss_timeout(tcp);
    }
    // One that waits for data is asked once more at the end.
    const bool is_silent = tcp->is_deferred && tcp->retries + 1 < tcp->settings.defer_tries;
    ++tcp->retries;
    tcp_timeout_restart(tcp);
    if (is_syn && !is_silent) {
        ++tcp->counts.resent_segments;
        tcp_syn_send(tcp);
    } else if (!is_syn) {
        tcp_output(tcp);
    }
}

// The peer answers what lies before its window.
static void probe_send(struct tcp *tcp)
{
    struct tcp_segment probe = {
        .sequence = tcp->una - 1,
        .flags = TCP_ACK,
        .acknowledgement = tcp->expected,
        .window = tcp_window_now(tcp) >> tcp->receive_scale,
        .scale = UINT8_MAX,
        .has_timestamps = tcp->has_timestamps,
        .time = (uint32_t)(tcp->now / 1000000),
        .echo = tcp->recent_time,
    };
    ++tcp->counts.segments_sent;
    tcp->host->send(tcp, &probe);
}

// The window is 0 (RFC 9293, 3.8.6.1), or so small that it was not worth it.
static void probe_tick(struct tcp *tcp)
{
    if (is_user_tired(tcp) || tcp->probes >= retries_max(tcp)) {
        fruitless_end(tcp);
        return;
    }
    if (tcp_forced_send(tcp)) {
        tcp->probe_at = UINT64_MAX;
        return;
    }
    probe_send(tcp);
    ++tcp->probes;
    tcp->probe_at = tcp->now + backed_off(tcp->timeout, ++tcp->probe_backoff);
}

static bool has_unacknowledged(const struct tcp *tcp)
{
    return tcp->next != tcp->una || tcp_acknowledged(tcp) < tcp->written;
}

static void keep_tick(struct tcp *tcp)
{
    const hal_ns silence = tcp->now - tcp->heard_at;
    const hal_ns give_up = tcp->settings.give_up;
    if (has_unacknowledged(tcp)) { // that is sent again anyway
        tcp->keep_at = tcp->now + tcp->settings.keep_idle;
        return;
    }
    if (give_up != 0 ? silence >= give_up && tcp->keeps > 0
                     : tcp->keeps >= tcp->settings.keep_count) {
        tcp_reset_send(tcp, tcp->next);
        fruitless_end(tcp);
        return;
    }
    ++tcp->keeps;
    probe_send(tcp);
    tcp->keep_at = tcp->now + tcp->settings.keep_interval;
}

void tcp_tick(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    if (tcp->end_at <= now) {
        tcp_end(tcp, 0);
    }
    if (tcp->pace_at <= now) {
        tcp->pace_at = UINT64_MAX;
        tcp_output(tcp);
    }
    tcp_loss_tick(tcp);
    if (tcp->retransmit_at <= now) {
        retransmit_tick(tcp);
    }
    if (tcp->probe_at <= now) {
        probe_tick(tcp);
    }
    if (tcp->keep_at <= now) {
        keep_tick(tcp);
    }
    if (tcp->acknowledge_at <= now) {
        tcp_acknowledge(tcp);
    }
    tcp_deadline_set(tcp);
}

// ---- The network ---------------------------------------------------------------------

bool tcp_is_under_way(const struct tcp *tcp, uint32_t sequence)
{
    return tcp->state != TCP_STATE_CLOSED && !tcp_is_before(sequence, tcp->una) &&
           tcp_is_before(sequence, tcp->next);
}

void tcp_unreachable(struct tcp *tcp, int error, uint32_t sequence, hal_ns now)
{
    if (!tcp_is_under_way(tcp, sequence)) {
        return;
    }
    tcp->now = now;
    tcp->obstacle = error;
    if (tcp->state == TCP_STATE_SYN_SENT) {
        tcp_end(tcp, error);
        tcp_deadline_set(tcp);
    }
}

// What is under way is sent again in shorter segments.
void tcp_path_learn(struct tcp *tcp, uint16_t mss, uint32_t sequence, hal_ns now)
{
    if (!tcp_is_under_way(tcp, sequence) || mss >= tcp->mss || mss < TCP_MSS_MIN ||
        tcp->state == TCP_STATE_SYN_SENT || tcp->state == TCP_STATE_SYN_RECEIVED) {
        return;
    }
    tcp->now = now;
    tcp->mss = mss;
    tcp_flight_lose_first(tcp, tcp->next - tcp->una);
    tcp_output(tcp);
    tcp_deadline_set(tcp);
}

// ---- The program ---------------------------------------------------------------------

// Of a round trip, as short as it is known to be.
static hal_ns round_trip(const struct tcp *tcp)
{
    return tcp->rack.is_known ? (hal_ns)tcp->rack.rtt_min * 1000 : tcp->rtt;
}

// In a round trip a peer sends no more than the window lets through. So a program that reads more
// than half of that in one gets twice as much room, and what slow start adds (as Linux has it).
static void room_adapt(struct tcp *tcp)
{
    enum { SEGMENTS_MORE = 16 };
    const uint32_t room = tcp->settings.room;
    const uint64_t read = tcp->taken - tcp->taken_before;
    const uint64_t wanted = 2 * read + SEGMENTS_MORE * (uint64_t)tcp->mss;
    if (tcp->now - tcp->taken_at < round_trip(tcp)) {
        return;
    }
    tcp->taken_at = tcp->now;
    tcp->taken_before = tcp->taken;
    const uint32_t most = tcp->settings.room_max;
    const uint32_t size = wanted < most ? (uint32_t)wanted : most;
    if (size > room && (tcp->host->may_grow == NULL || tcp->host->may_grow(tcp, size - room))) {
        tcp->settings.room = size;
    }
}

static void settings_take(struct tcp *tcp, const struct tcp_settings *settings)
{
    const uint16_t mss = tcp->settings.mss;
    const uint32_t room = tcp->settings.room;
    tcp->settings = *settings;
    tcp->settings.mss = mss;
    if (settings->room_max > settings->room) {
        tcp->settings.room = room > settings->room ? room : settings->room;
    }
}

bool tcp_adjust_idle(struct tcp *tcp, const struct tcp_settings *settings)
{
    const bool has_all_sent = tcp->next == tcp->iss + 1 + (uint32_t)tcp->written;
    const bool is_kept_alive = tcp->settings.is_kept_alive || settings->is_kept_alive;
    const bool is_idle =
        tcp->state == TCP_STATE_ESTABLISHED && has_all_sent && tcp->owed == 0 && !is_kept_alive;
    if (is_idle) {
        settings_take(tcp, settings);
    }
    return is_idle;
}

void tcp_adjust(struct tcp *tcp, const struct tcp_settings *settings, hal_ns now)
{
    const bool was_kept_alive = tcp->settings.is_kept_alive;
    tcp->now = now;
    if (tcp_has_held(tcp)) {
        tcp->pace_at = UINT64_MAX; // as TCP_NODELAY of Linux pushes
    }
    settings_take(tcp, settings);
    if (!settings->is_kept_alive) {
        tcp->keep_at = UINT64_MAX;
    } else if (!was_kept_alive || tcp->keep_at != UINT64_MAX) {
        tcp->keep_at = now + settings->keep_idle;
    }
    tcp_output(tcp);
    tcp_deadline_set(tcp);
}

void tcp_write(struct tcp *tcp, uint64_t written, hal_ns now)
{
    tcp->now = now;
    tcp->written = written;
    tcp_output(tcp);
    tcp_deadline_set(tcp);
}

void tcp_urge(struct tcp *tcp, uint64_t written)
{
    tcp->is_urgent = true;
    tcp->urgent_end = tcp->iss + 1 + (uint32_t)written;
}

// There is more room than before, which the peer is told of where it is much; if it may send a good
// deal all the same, only where reading has made it: the first window, which is that of a SYN and
// says little, grows with the next acknowledgement.
static void room_gained(struct tcp *tcp)
{
    enum { GOOD_DEAL = 32768 };
    const uint32_t told = tcp->announced - tcp->expected;
    const uint32_t two = 2u * tcp->mss, half = tcp->settings.room / 2;
    const uint32_t much = two < half ? two : half;
    tcp_settle(tcp);
    if (tcp->state == TCP_STATE_ESTABLISHED || tcp->state == TCP_STATE_FIN_WAIT_1 ||
        tcp->state == TCP_STATE_FIN_WAIT_2) {
        const uint32_t window = tcp_window_now(tcp);
        const uint64_t freed = tcp->taken - tcp->kept - tcp->freed_told;
        const bool is_news = told < half && (freed >= much || told < GOOD_DEAL);
        if (is_news && window > told && window - told >= much) {
            tcp_acknowledge(tcp);
        }
    }
    tcp_deadline_set(tcp);
}

void tcp_read(struct tcp *tcp, uint64_t taken, hal_ns now)
{
    tcp->now = now;
    tcp->taken = taken;
    tcp->urgent.is_known = tcp->urgent.is_known && taken <= tcp->urgent.place;
    if (tcp->settings.room < tcp->settings.room_max) {
        room_adapt(tcp);
    }
    room_gained(tcp);
}

void tcp_keep(struct tcp *tcp, uint32_t kept, hal_ns now)
{
    const bool is_less = kept < tcp->kept;
    tcp->now = now;
    tcp->kept = kept;
    if (is_less) {
        room_gained(tcp);
    }
}

void tcp_close(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    switch (tcp->state) {
    case TCP_STATE_SYN_SENT:
        tcp_end(tcp, 0);
        break;
    case TCP_STATE_SYN_RECEIVED: // once it is established, or with Fast Open
        tcp->is_closing = true;
        tcp_output(tcp);
        break;
    case TCP_STATE_ESTABLISHED:
        tcp->state = TCP_STATE_FIN_WAIT_1;
        tcp->is_closing = true;
        tcp_output(tcp);
        break;
    case TCP_STATE_CLOSE_WAIT:
        tcp->state = TCP_STATE_LAST_ACK;
        tcp->is_closing = true;
        tcp_output(tcp);
        break;
    default:
        break;
    }
    tcp_deadline_set(tcp);
}

void tcp_orphan(struct tcp *tcp, hal_ns span, hal_ns now)
{
    tcp->end_after = span > 0 ? span : 1;
    tcp_close(tcp, now);
    if (tcp->state == TCP_STATE_FIN_WAIT_2) {
        tcp->end_at = now + tcp->end_after;
        tcp_deadline_set(tcp);
    }
}

void tcp_ask(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    if (tcp_has_held(tcp)) {
        tcp->pace_at = UINT64_MAX;
        tcp_output(tcp);
    }
    if (tcp_ask_counts(tcp)) {
        tcp_acknowledge(tcp);
    }
    tcp_deadline_set(tcp);
}

void tcp_quicken(struct tcp *tcp, bool is_quick, hal_ns now)
{
    tcp->now = now;
    tcp->is_quick = is_quick;
    if (is_quick && tcp->owed > 0) {
        tcp_acknowledge(tcp);
        tcp_deadline_set(tcp);
    }
}

void tcp_abort(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    if (tcp->state != TCP_STATE_CLOSED && tcp->state != TCP_STATE_TIME_WAIT &&
        tcp->state != TCP_STATE_SYN_SENT) {
        tcp_reset_send(tcp, tcp->next);
    }
    tcp_end(tcp, 0);
    tcp_deadline_set(tcp);
}
