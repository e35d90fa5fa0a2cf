// SPDX-License-Identifier: BSD-3-Clause
// inettcp.c: what is different for tcp(7): streams, accepting, options.
#include <netinet/tcp.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"

enum {
    LIMIT_MIN = 4608,      // of what is under way, bytes
    KEEP_SPAN_MAX = 32767, // seconds
    KEEP_COUNT_MAX = 127,
    CONTROL_NAME_SIZE = 16, // Linux's TCP_CA_NAME_MAX
};

#define SECOND UINT64_C(1000000000)

// ---- Moving ----------------------------------------------------------------

long stream_send(struct file *file, const struct socket_message *sent)
{
    struct inet_socket *inet = inet_of(file);
    const struct net_message message = {
        .vectors = sent->vectors,
        .count = sent->count,
        .patience = inet_patience(file, sent->flags, &inet->options.send_timeout),
    };
    size_t done = 0;
    if (sent->flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    const int error = tcp_send(&inet->tcp, &message, &done);
    const bool is_silent = (sent->flags & MSG_NOSIGNAL) != 0;
    return is_silent && done == 0 ? error : transfer_result(error, done);
}

long stream_receive(struct file *file, struct socket_message *to)
{
    struct inet_socket *inet = inet_of(file);
    struct net_message message = {
        .vectors = to->vectors,
        .count = to->count,
        .patience = inet_patience(file, to->flags, &inet->options.receive_timeout),
        .only_looks = (to->flags & MSG_PEEK) != 0,
    };
    size_t done = 0;
    if (to->flags & MSG_OOB) {
        return -EINVAL;
    }
    if (to->flags & MSG_ERRQUEUE) {
        return -EAGAIN;
    }
    const int error = tcp_receive(&inet->tcp, &message, (to->flags & MSG_WAITALL) != 0,
                                  (to->flags & MSG_TRUNC) != 0, &done);
    to->from.size = 0; // a stream's bytes have no sender of their own
    return error != 0 ? error : (long)done;
}

unsigned stream_poll(struct inet_socket *inet)
{
    const unsigned ready = tcp_poll(&inet->tcp);
    return (ready & (TCP_READABLE | TCP_ENDED) ? POLL_IN_ANY : 0) |
           (ready & TCP_ENDED ? POLL_READ_HANG_UP : 0) | (ready & TCP_WRITABLE ? POLL_OUT_ANY : 0) |
           (ready & TCP_FAILED ? POLL_ERROR : 0) | (ready & TCP_BROKEN ? POLL_HANG_UP : 0);
}

// ---- Accepting -------------------------------------------------------------

struct tcp_socket *stream_child_make(const struct tcp_socket *listener)
{
    const struct inet_socket *parent = container_of(listener, struct inet_socket, tcp);
    struct inet_socket *child = inet_make(parent->socket.is_v4, NET_TRANSPORT, IP_TCP);
    if (child == NULL) {
        return NULL;
    }
    child->linger = parent->linger;
    child->discovers = parent->discovers;
    child->discovers_v6 = parent->discovers_v6;
    atomic_store(&child->options.send_limit, atomic_load(&parent->options.send_limit));
    atomic_store(&child->options.receive_limit, atomic_load(&parent->options.receive_limit));
    atomic_store(&child->options.switches, atomic_load(&parent->options.switches));
    return &child->tcp;
}

int stream_accept(struct file *file, uint32_t flags, struct file **accepted)
{
    struct inet_socket *inet = inet_of(file);
    const struct net_patience patience = inet_patience(file, 0, &inet->options.receive_timeout);
    struct tcp_socket *child;
    int error = tcp_accept(&inet->tcp, &patience, &child);
    if (error != 0) {
        return error;
    }
    error = inet_file_make(accepted, container_of(child, struct inet_socket, tcp), flags);
    if (error != 0) {
        tcp_socket_close(child);
    }
    return error;
}

int stream_start(void)
{
    static struct alarm none; // makes the thread of alarms, which connections need
    return alarm_set(&none, UINT64_MAX);
}

// ---- Options ---------------------------------------------------------------

void stream_linger_set(struct inet_socket *inet)
{
    const hal_ns span = inet->linger.l_linger < 0 ? 0 : (hal_ns)inet->linger.l_linger * SECOND;
    inet->tcp.linger = inet->linger.l_onoff ? span : UINT64_MAX;
}

void stream_switches_set(struct inet_socket *inet)
{
    const uint32_t limit = atomic_load(&inet->options.send_limit);
    const uint32_t room = atomic_load(&inet->options.receive_limit) / 2;
    mutex_lock(&inet->socket.lock);
    inet->tcp.settings.is_kept_alive =
        (atomic_load(&inet->options.switches) >> SO_KEEPALIVE & 1) != 0;
    if (limit != STREAM_SEND_LIMIT) {
        inet->tcp.send_limit = limit < LIMIT_MIN ? LIMIT_MIN : limit;
    }
    if (room != STREAM_RECEIVE_LIMIT / 2) {
        inet->tcp.settings.room = room < LIMIT_MIN / 2 ? LIMIT_MIN / 2 : room;
    }
    mutex_unlock(&inet->socket.lock);
    tcp_settings_changed(&inet->tcp);
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
    mutex_unlock(&inet->socket.lock);
    tcp_settings_changed(&inet->tcp);
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

// With lock held.
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
    default:
        return -ENOPROTOOPT;
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
            mutex_unlock(&inet->socket.lock);
            tcp_settings_changed(&inet->tcp);
            return 0;
        }
    }
    return -ENOENT;
}

int stream_option_set(struct inet_socket *inet, int name, const void *user, uint32_t size)
{
    int value;
    if (name == TCP_CONGESTION) {
        return control_set(inet, user, size);
    }
    if (size < sizeof value) {
        return -EINVAL;
    }
    int error = user_read(&value, user, sizeof value);
    if (error != 0) {
        return error;
    }
    mutex_lock(&inet->socket.lock);
    error = setting_set(inet, name, value);
    mutex_unlock(&inet->socket.lock);
    if (error == 0) {
        tcp_settings_changed(&inet->tcp);
    }
    return error;
}

static uint32_t ms_since(hal_ns now, hal_ns time)
{
    return time == 0 ? 0 : (uint32_t)((now - time) / 1000000);
}

// With lock held.
static void path_fill(const struct tcp *tcp, struct tcp_info *info)
{
    const uint32_t mss = tcp->mss > 0 ? tcp->mss : 1;
    const hal_ns now = hal_clock_ns();
    const bool is_fast = tcp->recovery == TCP_RECOVERY_FAST;
    info->tcpi_ca_state = tcp->recovery == TCP_RECOVERY_TIMEOUT ? 4 // TCP_CA_Loss
                          : is_fast                             ? 3 // TCP_CA_Recovery
                                                                : tcp->duplicates > 0;
    info->tcpi_rto = (uint32_t)(tcp->timeout / 1000);
    info->tcpi_ato = 40000;
    info->tcpi_snd_mss = tcp->mss;
    info->tcpi_rcv_mss = tcp->mss;
    info->tcpi_advmss = tcp->settings.mss;
    info->tcpi_pmtu = tcp->settings.mss + 40u;
    info->tcpi_unacked = (tcp->next - tcp->una + mss - 1) / mss;
    info->tcpi_sacked = (tcp->sacked + mss - 1) / mss;
    info->tcpi_lost = (tcp->lost + mss - 1) / mss;
    info->tcpi_rtt = (uint32_t)(tcp->rtt / 1000);
    info->tcpi_rttvar = (uint32_t)(tcp->rtt_variation / 1000);
    info->tcpi_min_rtt = tcp->rack.is_known ? tcp->rack.rtt_min : UINT32_MAX;
    info->tcpi_snd_cwnd = tcp->congestion / mss;
    info->tcpi_snd_ssthresh = tcp->threshold >= UINT32_MAX / 2 ? INT32_MAX : tcp->threshold / mss;
    info->tcpi_rcv_space = tcp->settings.room;
    info->tcpi_last_data_sent = ms_since(now, tcp->sent_at);
    info->tcpi_last_data_recv = info->tcpi_last_ack_recv = ms_since(now, tcp->heard_at);
}

// With lock held.
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
                  (tcp->may_sack ? TCPI_OPT_SACK : 0) | (tcp->has_scale ? TCPI_OPT_WSCALE : 0));
    info->tcpi_snd_wscale = tcp->send_scale;
    info->tcpi_rcv_wscale = tcp->receive_scale;
    path_fill(tcp, info);
    info->tcpi_pacing_rate = info->tcpi_max_pacing_rate =
        tcp->settings.pace == 0 ? UINT64_MAX : tcp->settings.pace;
    info->tcpi_total_retrans = (uint32_t)tcp->counts.resent_segments;
    info->tcpi_notsent_bytes = (uint32_t)(tcp->iss + 1 + (uint32_t)tcp->written - tcp->next);
    info->tcpi_bytes_acked = tcp_acknowledged(tcp);
    info->tcpi_bytes_received = tcp_received(tcp);
    info->tcpi_segs_out = (uint32_t)tcp->counts.segments_sent;
    info->tcpi_segs_in = (uint32_t)tcp->counts.segments_received;
    info->tcpi_dsack_dups = (uint32_t)tcp->counts.repeated;
    info->tcpi_reord_seen = tcp->rack.sees_reordering;
    info->tcpi_snd_wnd = tcp->window;
}

// With lock held.
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
    case TCP_MAXSEG:
        value->number = inet->tcp.tcp.mss != 0 ? inet->tcp.tcp.mss : TCP_MSS_UNSAID;
        return sizeof value->number;
    case TCP_CONGESTION:
        memset(value->text, 0, sizeof value->text);
        memcpy(value->text, controls[settings->control], strlen(controls[settings->control]));
        return sizeof value->text;
    case TCP_INFO:
        info_fill(inet, &value->info);
        return sizeof value->info;
    default:
        return -ENOPROTOOPT;
    }
}

int stream_option_get(struct inet_socket *inet, int name, union socket_option *value)
{
    mutex_lock(&inet->socket.lock);
    const int size = setting_get(inet, name, value);
    mutex_unlock(&inet->socket.lock);
    return size;
}
