// SPDX-License-Identifier: BSD-3-Clause
// inettcpoption.c: the options of tcp(7), and those of socket(7) that only streams have.
#include <netinet/tcp.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"

enum {
    LIMIT_MIN = 4608,      // of what is under way, bytes
    WINDOW_MIN = 1152,     // half of SOCK_MIN_RCVBUF of Linux
    KEEP_SPAN_MAX = 32767, // seconds
    KEEP_COUNT_MAX = 127,
    SYN_COUNT_MAX = 127,
    SYN_COUNT = 6,    // net.ipv4.tcp_syn_retries
    ORPHAN_SPAN = 60, // seconds, net.ipv4.tcp_fin_timeout
    ORPHAN_SPAN_MAX = 120,
    ANSWER_SPAN_MAX = 120, // seconds between two of our answers to a SYN
    DEFER_MAX = 255,
    MSS_MIN = 88,
    MSS_MAX = 32767,
    CONTROL_NAME_SIZE = 16, // Linux's TCP_CA_NAME_MAX
    REORDERING = 3,         // net.ipv4.tcp_reordering
    ROOM_MAX = 6291456,     // net.ipv4.tcp_rmem
    OPTION_SYN_DATA = 32,   // TCPI_OPT_SYN_DATA of Linux
};

#define SECOND UINT64_C(1000000000)

// With lock held, which is not held then: settings have changed.
static void changed_unlock(struct inet_socket *inet)
{
    const bool is_done = tcp_settings_changed_locked(&inet->tcp);
    mutex_unlock(&inet->socket.lock);
    if (!is_done) {
        tcp_settings_changed(&inet->tcp);
    }
}

void stream_linger_set(struct inet_socket *inet)
{
    const hal_ns span = inet->linger.l_linger < 0 ? 0 : (hal_ns)inet->linger.l_linger * SECOND;
    inet->tcp.linger = inet->linger.l_onoff ? span : UINT64_MAX;
}

// With lock held: what SO_RCVBUF, TCP_WINDOW_CLAMP and SO_RCVLOWAT make of it.
static void room_set(struct inet_socket *inet)
{
    const uint32_t chosen = atomic_load(&inet->options.receive_limit) / 2;
    const uint32_t least = LIMIT_MIN / 2, limit = inet->tcp.window_limit;
    uint32_t room = chosen == STREAM_RECEIVE_LIMIT / 2 ? TCP_ROOM : chosen;
    room = limit != 0 && limit < room ? limit : room;
    inet->tcp.settings.room = room < least ? least : room;
    inet->tcp.is_room_fixed = limit != 0 || chosen != STREAM_RECEIVE_LIMIT / 2;
    inet->tcp.settings.room_max = inet->tcp.is_room_fixed ? 0 : inet->tcp.settings.room_max;
    const uint32_t most = chosen != STREAM_RECEIVE_LIMIT / 2 ? chosen : ROOM_MAX / 2;
    const uint32_t wanted = atomic_load(&inet->options.receive_least);
    const uint32_t least_read = wanted == 0 ? 1 : wanted < most ? wanted : most;
    atomic_store(&inet->options.receive_least, least_read);
    inet->tcp.receive_least = least_read;
    if (!inet->tcp.is_room_fixed && inet->tcp.settings.room < least_read) {
        inet->tcp.settings.room = least_read;
    }
}

void stream_switches_set(struct inet_socket *inet)
{
    const uint32_t limit = atomic_load(&inet->options.send_limit);
    mutex_lock(&inet->socket.lock);
    inet->tcp.settings.is_kept_alive =
        (atomic_load(&inet->options.switches) >> SO_KEEPALIVE & 1) != 0;
    if (limit != STREAM_SEND_LIMIT) {
        inet->tcp.send_limit = limit < LIMIT_MIN ? LIMIT_MIN : limit;
        inet->tcp.is_send_fixed = true;
        inet->tcp.send_max = 0;
    }
    room_set(inet);
    inet->tcp.settings.has_urgent_inline =
        (atomic_load(&inet->options.switches) >> SO_OOBINLINE & 1) != 0;
    changed_unlock(inet);
}

// Bytes per second, as an int or a long; all bits set: as fast as it goes.
int stream_pace_set(struct inet_socket *inet, const void *user, uint32_t size)
{
    uint64_t rate = 0;
    uint32_t narrow = 0;
    if (size < sizeof narrow) {
        return -EINVAL;
    }
    const bool is_wide = size >= sizeof rate;
    const int error =
        is_wide ? user_read(&rate, user, sizeof rate) : user_read(&narrow, user, sizeof narrow);
    if (error != 0) {
        return error;
    }
    rate = is_wide ? rate : narrow == UINT32_MAX ? UINT64_MAX : narrow;
    mutex_lock(&inet->socket.lock);
    inet->tcp.settings.pace = rate == UINT64_MAX ? 0 : rate == 0 ? 1 : rate;
    changed_unlock(inet);
    return 0;
}

int stream_pace_get(struct inet_socket *inet, union socket_option *value)
{
    mutex_lock(&inet->socket.lock);
    const uint64_t pace = inet->tcp.settings.pace;
    mutex_unlock(&inet->socket.lock);
    value->rate = pace == 0 ? UINT64_MAX : pace;
    return sizeof value->rate;
}

// ---- Numbers ---------------------------------------------------------------

// How many of our answers to a SYN take so many seconds, and the other way round: the first is
// waited for one second, each next one for twice as long.
static uint32_t tries_of(int seconds)
{
    uint32_t tries = 0;
    for (int past = 0, span = 1; past < seconds && tries < DEFER_MAX; ++tries) {
        past += span;
        span = span * 2 < ANSWER_SPAN_MAX ? span * 2 : ANSWER_SPAN_MAX;
    }
    return tries;
}

static int seconds_of(uint32_t tries)
{
    int past = 0;
    for (int span = 1; tries > 0; --tries) {
        past += span;
        span = span * 2 < ANSWER_SPAN_MAX ? span * 2 : ANSWER_SPAN_MAX;
    }
    return past;
}

// With lock held, as the next two.
static int window_limit_set(struct inet_socket *inet, int value)
{
    if (value == 0 && inet->tcp.stage != TCP_STAGE_IDLE) {
        return -EINVAL;
    }
    inet->tcp.window_limit = value == 0 ? 0 : value < WINDOW_MIN ? WINDOW_MIN : (uint32_t)value;
    room_set(inet);
    return 0;
}

static int rest_set(struct inet_socket *inet, int name, int value)
{
    struct tcp_socket *tcp = &inet->tcp;
    switch (name) {
    case TCP_MAXSEG:
        if (value != 0 && (value < MSS_MIN || value > MSS_MAX)) {
            return -EINVAL;
        }
        tcp->mss_limit = (uint16_t)value;
        return 0;
    case TCP_LINGER2:
        tcp->orphan_span = value < 0                 ? 0
                           : value == 0              ? ORPHAN_SPAN * SECOND
                           : value > ORPHAN_SPAN_MAX ? ORPHAN_SPAN_MAX * SECOND
                                                     : (hal_ns)value * SECOND;
        return 0;
    case TCP_WINDOW_CLAMP:
        return window_limit_set(inet, value);
    case TCP_NOTSENT_LOWAT:
        tcp->unsent_limit = (uint32_t)value;
        return 0;
    default:
        return inet_fast_set(inet, name, value);
    }
}

static int setting_set(struct inet_socket *inet, int name, int value)
{
    struct tcp_settings *settings = &inet->tcp.settings;
    switch (name) {
    case TCP_NODELAY:
        settings->has_no_delay = value != 0;
        return 0;
    case TCP_CORK:
        settings->is_corked = value != 0;
        return 0;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
        if (value < 1 || value > KEEP_SPAN_MAX) {
            return -EINVAL;
        }
        *(name == TCP_KEEPIDLE ? &settings->keep_idle : &settings->keep_interval) =
            (hal_ns)value * SECOND;
        return 0;
    case TCP_KEEPCNT:
        if (value < 1 || value > KEEP_COUNT_MAX) {
            return -EINVAL;
        }
        settings->keep_count = (uint32_t)value;
        return 0;
    case TCP_USER_TIMEOUT:
        if (value < 0) {
            return -EINVAL;
        }
        settings->give_up = (hal_ns)value * 1000000;
        return 0;
    case TCP_SYNCNT:
        if (value < 1 || value > SYN_COUNT_MAX) {
            return -EINVAL;
        }
        settings->syn_retries = (uint32_t)value;
        return 0;
    case TCP_DEFER_ACCEPT:
        settings->defer_tries = tries_of(value);
        return 0;
    default:
        return rest_set(inet, name, value);
    }
}

static const char *const controls[] = {
    [TCP_CONGESTION_CUBIC] = "cubic",
    [TCP_CONGESTION_RENO] = "reno",
};

static int control_set(struct inet_socket *inet, const void *user, uint32_t size)
{
    char name[CONTROL_NAME_SIZE] = "";
    if (size < 1) {
        return -EINVAL;
    }
    const int error = user_read(name, user, size < sizeof name ? size : sizeof name - 1);
    if (error != 0) {
        return error;
    }
    for (unsigned i = 0; i < sizeof controls / sizeof *controls; ++i) {
        if (strcmp(name, controls[i]) == 0) {
            mutex_lock(&inet->socket.lock);
            inet->tcp.settings.control = (enum tcp_congestion)i;
            changed_unlock(inet);
            return 0;
        }
    }
    return -ENOENT;
}

static int left_told_set(struct inet_socket *inet, int value)
{
    if (value != 0 && value != 1) {
        return -EINVAL;
    }
    value != 0 ? atomic_fetch_or(&inet->tells, INET_TELLS_LEFT)
               : atomic_fetch_and(&inet->tells, ~(uint32_t)INET_TELLS_LEFT);
    return 0;
}

int stream_option_set(struct inet_socket *inet, int name, const void *user, uint32_t size)
{
    int value;
    if (name == TCP_CONGESTION) {
        return control_set(inet, user, size);
    }
    if (name == TCP_FASTOPEN_KEY) {
        return inet_fast_keys_set(inet, user, size);
    }
    if (size < sizeof value) {
        return -EINVAL;
    }
    int error = user_read(&value, user, sizeof value);
    if (error != 0) {
        return error;
    }
    if (name == TCP_QUICKACK) {
        tcp_quick_set(&inet->tcp, value != 0);
        return 0;
    }
    if (name == TCP_INQ) {
        return left_told_set(inet, value);
    }
    mutex_lock(&inet->socket.lock);
    error = setting_set(inet, name, value);
    if (error != 0) {
        mutex_unlock(&inet->socket.lock);
        return error;
    }
    changed_unlock(inet);
    return 0;
}

static uint32_t ms_since(hal_ns now, hal_ns time)
{
    return time == 0 ? 0 : (uint32_t)((now - time) / 1000000);
}

// With lock held.
static void path_fill(const struct inet_socket *inet, struct tcp_info *info)
{
    const struct tcp *tcp = &inet->tcp.tcp;
    const uint32_t mss = tcp_payload_max(tcp);
    const hal_ns now = hal_clock_ns();
    const bool is_fast = tcp->recovery == TCP_RECOVERY_FAST;
    info->tcpi_ca_state = tcp->recovery == TCP_RECOVERY_TIMEOUT ? 4 // TCP_CA_Loss
                          : is_fast                             ? 3 // TCP_CA_Recovery
                                                                : tcp->duplicates > 0;
    info->tcpi_rto = (uint32_t)(tcp->timeout / 1000);
    info->tcpi_ato = 40000;
    info->tcpi_snd_mss = info->tcpi_rcv_mss = mss;
    info->tcpi_advmss = tcp->settings.mss - (tcp->mss - mss); // so does Linux
    info->tcpi_pmtu = inet_mtu(inet);
    info->tcpi_unacked = (tcp->next - tcp->una + mss - 1) / mss;
    info->tcpi_sacked = (tcp->sacked + mss - 1) / mss;
    info->tcpi_lost = (tcp->lost + mss - 1) / mss;
    info->tcpi_retrans = (tcp_flight_resent(tcp) + mss - 1) / mss;
    info->tcpi_reordering = REORDERING;
    info->tcpi_rtt = (uint32_t)(tcp->rtt / 1000);
    info->tcpi_rttvar = (uint32_t)(tcp->rtt_variation / 1000);
    info->tcpi_min_rtt = tcp->rack.is_known ? tcp->rack.rtt_min : UINT32_MAX;
    info->tcpi_snd_cwnd = tcp->congestion / mss;
    info->tcpi_snd_ssthresh = tcp->threshold >= UINT32_MAX / 2 ? INT32_MAX : tcp->threshold / mss;
    info->tcpi_rcv_space = info->tcpi_rcv_ssthresh = tcp->settings.room;
    info->tcpi_last_data_sent = ms_since(now, tcp->sent_at);
    info->tcpi_last_data_recv = ms_since(now, tcp->data_at);
    info->tcpi_last_ack_recv = ms_since(now, tcp->heard_at);
}

// The same.
static void counts_fill(const struct tcp *tcp, struct tcp_info *info)
{
    const struct tcp_counts *counts = &tcp->counts;
    info->tcpi_total_retrans = (uint32_t)counts->resent_segments;
    info->tcpi_notsent_bytes = tcp_unsent(tcp);
    // Linux counts our SYN where we have called, and both ends.
    info->tcpi_bytes_acked = tcp_acknowledged(tcp) + (tcp->is_caller && tcp->una != tcp->iss) +
                             (tcp->una == tcp->iss + 2 + (uint32_t)tcp->written);
    info->tcpi_bytes_received = tcp_received(tcp) + tcp->has_fin;
    info->tcpi_segs_out = (uint32_t)counts->segments_sent;
    info->tcpi_segs_in = (uint32_t)counts->segments_received;
    info->tcpi_data_segs_out = (uint32_t)counts->data_sent;
    info->tcpi_data_segs_in = (uint32_t)counts->data_received;
    info->tcpi_bytes_sent = tcp->written - tcp_unsent(tcp) + counts->resent_bytes;
    info->tcpi_bytes_retrans = counts->resent_bytes;
    info->tcpi_rcv_ooopack = (uint32_t)counts->held;
    info->tcpi_dsack_dups = (uint32_t)counts->repeated;
    info->tcpi_reord_seen = tcp->rack.sees_reordering;
    info->tcpi_snd_wnd = tcp->window;
}

// The same.
static void info_fill(const struct inet_socket *inet, struct tcp_info *info)
{
    const struct tcp_socket *socket = &inet->tcp;
    const struct tcp *tcp = &socket->tcp;
    const bool is_connection = socket->stage == TCP_STAGE_CONNECTION;
    info->tcpi_state = is_connection                          ? (uint8_t)tcp->state
                       : socket->stage == TCP_STAGE_LISTENING ? TCP_STATE_LISTEN
                                                              : TCP_STATE_CLOSED;
    if (!is_connection) {
        info->tcpi_unacked = socket->ready_count; // so does Linux
        info->tcpi_sacked = socket->backlog;
        return;
    }
    info->tcpi_retransmits = (uint8_t)tcp->retries;
    info->tcpi_probes = (uint8_t)(tcp->probes + tcp->keeps);
    info->tcpi_backoff = (uint8_t)(tcp->retries + tcp->probe_backoff);
    info->tcpi_options =
        (uint8_t)((tcp->has_timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
                  (tcp->may_sack ? TCPI_OPT_SACK : 0) | (tcp->has_scale ? TCPI_OPT_WSCALE : 0) |
                  (tcp->is_fast ? OPTION_SYN_DATA : 0));
    info->tcpi_fastopen_client_fail = tcp->fast != NULL ? tcp->fast->failure & 3u : 0;
    info->tcpi_snd_wscale = tcp->send_scale;
    info->tcpi_rcv_wscale = tcp->receive_scale;
    path_fill(inet, info);
    info->tcpi_pacing_rate = info->tcpi_max_pacing_rate =
        tcp->settings.pace == 0 ? UINT64_MAX : tcp->settings.pace;
    counts_fill(tcp, info);
}

// With lock held, as the next.
static int rest_get(const struct inet_socket *inet, int name, union socket_option *value)
{
    const struct tcp_socket *tcp = &inet->tcp;
    switch (name) {
    case TCP_MAXSEG:
        value->number = tcp->stage == TCP_STAGE_CONNECTION ? (int)tcp_payload_max(&tcp->tcp)
                        : tcp->mss_limit != 0              ? tcp->mss_limit
                                                           : TCP_MSS_UNSAID;
        return sizeof value->number;
    case TCP_LINGER2:
        value->number = tcp->orphan_span == 0 ? -1 : (int)(tcp->orphan_span / SECOND);
        return sizeof value->number;
    case TCP_QUICKACK:
        value->number = !tcp->is_slow;
        return sizeof value->number;
    case TCP_INQ:
        value->number = (atomic_load(&inet->tells) & INET_TELLS_LEFT) != 0;
        return sizeof value->number;
    case TCP_WINDOW_CLAMP:
        value->number = (int)tcp->window_limit;
        return sizeof value->number;
    case TCP_NOTSENT_LOWAT:
        value->number = (int)tcp->unsent_limit;
        return sizeof value->number;
    default:
        return inet_fast_get(inet, name, value);
    }
}

static int setting_get(const struct inet_socket *inet, int name, union socket_option *value)
{
    const struct tcp_settings *settings = &inet->tcp.settings;
    switch (name) {
    case TCP_NODELAY:
        value->number = settings->has_no_delay;
        return sizeof value->number;
    case TCP_CORK:
        value->number = settings->is_corked;
        return sizeof value->number;
    case TCP_KEEPIDLE:
        value->number = (int)(settings->keep_idle / SECOND);
        return sizeof value->number;
    case TCP_KEEPINTVL:
        value->number = (int)(settings->keep_interval / SECOND);
        return sizeof value->number;
    case TCP_KEEPCNT:
        value->number = (int)settings->keep_count;
        return sizeof value->number;
    case TCP_USER_TIMEOUT:
        value->number = (int)(settings->give_up / 1000000);
        return sizeof value->number;
    case TCP_SYNCNT:
        value->number = (int)(settings->syn_retries != 0 ? settings->syn_retries : SYN_COUNT);
        return sizeof value->number;
    case TCP_DEFER_ACCEPT:
        value->number = seconds_of(settings->defer_tries);
        return sizeof value->number;
    case TCP_CONGESTION:
        memset(value->text, 0, sizeof value->text);
        memcpy(value->text, controls[settings->control], strlen(controls[settings->control]));
        return sizeof value->text;
    case TCP_INFO:
        info_fill(inet, &value->info);
        return sizeof value->info;
    default:
        return rest_get(inet, name, value);
    }
}

int stream_option_get(struct inet_socket *inet, int name, union socket_option *value)
{
    mutex_lock(&inet->socket.lock);
    const int size = setting_get(inet, name, value);
    mutex_unlock(&inet->socket.lock);
    return size;
}
