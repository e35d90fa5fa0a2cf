// SPDX-License-Identifier: BSD-3-Clause
// tcp.c: what the program and the time do to a connection of TCP.
#include "core/net/tcp.h"

#include "core/lib/errno.h"

enum {
    SYN_RETRIES = 6,    // net.ipv4.tcp_syn_retries of Linux
    ANSWER_RETRIES = 5, // net.ipv4.tcp_synack_retries
    RETRIES = 15,       // net.ipv4.tcp_retries2
};

#define SECOND UINT64_C(1000000000)
#define TIMEOUT_MAX (120 * SECOND)

uint64_t tcp_acknowledged(const struct tcp *tcp)
{
    const uint32_t end = tcp->iss + 1 + (uint32_t)tcp->written;
    if (!tcp_is_before(tcp->iss, tcp->una)) {
        return 0;
    }
    return tcp_is_before(tcp->una, end) ? tcp->written - (end - tcp->una) : tcp->written;
}

uint64_t tcp_received(const struct tcp *tcp)
{
    const uint32_t low = tcp->expected - tcp->irs - 1 - tcp->has_fin;
    const uint32_t ahead = low - (uint32_t)tcp->taken; // less than 2^31: the window
    return tcp->taken + ahead;
}

// ---- Times -------------------------------------------------------------------------

void tcp_deadline_set(struct tcp *tcp)
{
    const hal_ns times[] = {tcp->retransmit_at, tcp->acknowledge_at, tcp->probe_at, tcp->keep_at,
                            tcp->end_at};
    tcp->deadline = UINT64_MAX;
    for (unsigned i = 0; i < sizeof times / sizeof *times; ++i) {
        tcp->deadline = times[i] < tcp->deadline ? times[i] : tcp->deadline;
    }
}

static hal_ns backed_off(hal_ns timeout, uint32_t retries)
{
    for (; retries > 0 && timeout < TIMEOUT_MAX; --retries) {
        timeout *= 2;
    }
    return timeout < TIMEOUT_MAX ? timeout : TIMEOUT_MAX;
}

void tcp_timeout_restart(struct tcp *tcp)
{
    if (tcp->retries == 0) {
        tcp->first_try = tcp->now;
    }
    tcp->retransmit_at = tcp->now + backed_off(tcp->timeout, tcp->retries);
}

static bool has_tried_enough(const struct tcp *tcp)
{
    const uint32_t most = tcp->state == TCP_STATE_SYN_SENT       ? SYN_RETRIES
                          : tcp->state == TCP_STATE_SYN_RECEIVED ? ANSWER_RETRIES
                                                                 : RETRIES;
    const hal_ns give_up = tcp->settings.give_up;
    return give_up != 0 ? tcp->now - tcp->first_try >= give_up : tcp->retries >= most;
}

// RFC 6298, 5.4 to 5.7; RFC 5681, 3.1 (4); RFC 6582, 4.
static void retransmit_tick(struct tcp *tcp)
{
    if (has_tried_enough(tcp)) {
        tcp_end(tcp, -ETIMEDOUT);
        return;
    }
    ++tcp->counts.timeouts;
    if (tcp->retries == 0) {
        const uint32_t half = (tcp->highest - tcp->una) / 2;
        tcp->threshold = half < 2u * tcp->mss ? 2u * tcp->mss : half;
    }
    ++tcp->retries;
    tcp->congestion = tcp->mss;
    tcp->is_recovering = false;
    tcp->duplicates = 0;
    tcp->recovery_end = tcp->highest;
    tcp->timed_at = 0;
    tcp->sacked_count = 0; // the peer may have forgotten (RFC 2018, 8)
    if (tcp->state != TCP_STATE_SYN_SENT && tcp->state != TCP_STATE_SYN_RECEIVED) {
        tcp->next = tcp->una; // all from here on anew
    }
    tcp_timeout_restart(tcp);
    tcp_resend_first(tcp);
}

// A window of 0 (RFC 9293, 3.8.6.1): the peer answers what lies before it.
static void probe_tick(struct tcp *tcp)
{
    if (tcp->settings.give_up != 0 && tcp->probes > 0 &&
        tcp->now - tcp->first_try >= tcp->settings.give_up) {
        tcp_end(tcp, -ETIMEDOUT);
        return;
    }
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
    tcp->first_try = tcp->probes == 0 ? tcp->now : tcp->first_try;
    ++tcp->probes;
    tcp->probe_at = tcp->now + backed_off(tcp->timeout, tcp->probes);
    ++tcp->counts.segments_sent;
    tcp->host->send(tcp, &probe);
}

static void keep_tick(struct tcp *tcp)
{
    if (tcp->keeps >= tcp->settings.keep_count) {
        tcp_reset_send(tcp, tcp->highest);
        tcp_end(tcp, -ETIMEDOUT);
        return;
    }
    const hal_ns probe_at = tcp->probe_at;
    ++tcp->keeps;
    probe_tick(tcp);
    tcp->probe_at = probe_at;
    tcp->keep_at = tcp->now + tcp->settings.keep_interval;
}

void tcp_tick(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    if (tcp->end_at <= now) {
        tcp_end(tcp, 0);
    }
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

// ---- The program ---------------------------------------------------------------------

void tcp_write(struct tcp *tcp, uint64_t written, hal_ns now)
{
    tcp->now = now;
    tcp->written = written;
    tcp_output(tcp);
    tcp_deadline_set(tcp);
}

void tcp_read(struct tcp *tcp, uint64_t taken, hal_ns now)
{
    const uint32_t told = tcp->announced - tcp->expected;
    tcp->now = now;
    tcp->taken = taken;
    if (tcp->state == TCP_STATE_ESTABLISHED || tcp->state == TCP_STATE_FIN_WAIT_1 ||
        tcp->state == TCP_STATE_FIN_WAIT_2) {
        const uint32_t window = tcp_window_now(tcp);
        if (window > told && window - told >= 2u * tcp->mss && told < tcp->settings.room / 2) {
            tcp_acknowledge(tcp);
        }
    }
    tcp_deadline_set(tcp);
}

void tcp_close(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    switch (tcp->state) {
    case TCP_STATE_SYN_SENT:
        tcp_end(tcp, 0);
        break;
    case TCP_STATE_SYN_RECEIVED: // once it is established
        tcp->is_closing = true;
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

void tcp_abort(struct tcp *tcp, hal_ns now)
{
    tcp->now = now;
    if (tcp->state != TCP_STATE_CLOSED && tcp->state != TCP_STATE_TIME_WAIT &&
        tcp->state != TCP_STATE_SYN_SENT) {
        tcp_reset_send(tcp, tcp->highest);
    }
    tcp_end(tcp, 0);
    tcp_deadline_set(tcp);
}
