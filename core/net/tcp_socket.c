// SPDX-License-Identifier: BSD-3-Clause
// tcp_socket.c: how sockets of TCP begin and end: connecting, shutting, closing; and what they look
// like to who polls.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/output.h"
#include "core/net/run.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"

enum {
    CHANNEL_LIMIT = 8 << 20, // more than a peer that keeps to its window can bring
};

#define SECOND UINT64_C(1000000000)
#define ORPHAN_SPAN (60 * SECOND) // net.ipv4.tcp_fin_timeout of Linux

// With lock held, as Linux's sockets have it: TIME-WAIT is not theirs.
static bool has_peer(const struct tcp_socket *tcp)
{
    const enum tcp_state state = tcp->tcp.state;
    return tcp->stage == TCP_STAGE_CONNECTION && state != TCP_STATE_CLOSED &&
           state != TCP_STATE_TIME_WAIT && state != TCP_STATE_SYN_SENT;
}

static void run(struct net_socket *socket, hal_ns *now)
{
    struct tcp_socket *tcp = tcp_socket_of(socket);
    tcp_enter_at(tcp, *now);
    *now = tcp->now != 0 ? tcp->now : *now;
    tcp_leave(tcp);
}

void tcp_socket_init(struct tcp_socket *tcp, bool is_v4)
{
    net_socket_init(&tcp->socket, IP_TCP, is_v4);
    tcp->socket.run = run;
    atomic_store_explicit(&tcp->socket.receive_limit, CHANNEL_LIMIT, memory_order_relaxed);
    tcp->settings = (struct tcp_settings){
        .burst = IP_SIZE_MAX - IP4_HEADER - TCP_HEADER_MAX,
        .room = TCP_ROOM,
        .is_settled = true,
        .keep_idle = 7200 * SECOND, // Linux's
        .keep_interval = 75 * SECOND,
        .keep_count = 9,
    };
    tcp->send_limit = TCP_SEND_ROOM;
    tcp->receive_least = 1;
    tcp->orphan_span = ORPHAN_SPAN;
    tcp->linger = UINT64_MAX;
    tcp->tcp.state = TCP_STATE_CLOSED;
    tcp->tcp.expected = 1; // as tcp_connect begins
    tcp->tcp.deadline = tcp->alarm_at = UINT64_MAX;
    list_init(&tcp->children);
    list_init(&tcp->ready);
    list_init(&tcp->node);
}

void tcp_socket_release(struct tcp_socket *tcp)
{
    send_queue_end(&tcp->sending);
    heap_free(tcp->space);
    if (tcp->tcp.fast != NULL || tcp->fast != NULL) {
        heap_free(tcp->tcp.fast);
        heap_free(tcp->fast);
    }
    if (tcp->peer != NULL) {
        flow_drop(tcp->peer);
    }
    if (tcp->left != NULL) {
        flow_drop(tcp->left);
    }
    tcp_grown_end(tcp);
    if (tcp->charged != 0) {
        tcp_memory_charge(tcp, 0);
    }
    if (tcp->parent != NULL) {
        net_socket_put(&tcp->parent->socket);
    }
}

uint16_t tcp_mss_for(const struct tcp_socket *tcp, const struct net_address *target)
{
    enum { HEADER = 20 };
    struct netif *by = NULL;
    const int error = net_socket_by(&tcp->socket, target, &by);
    const uint32_t mtu = net_output_mtu(target, error == 0 ? by : NULL);
    const uint32_t most = mtu < IP_SIZE_MAX ? mtu : IP_SIZE_MAX;
    const uint32_t mss = most - HEADER - (address_is_v4(target) ? IP4_HEADER : IP6_HEADER);
    return (uint16_t)(tcp->mss_limit != 0 && tcp->mss_limit < mss ? tcp->mss_limit : mss);
}

// ---- Connecting ----------------------------------------------------------------------

enum attempt_kind {
    ATTEMPT_PLAIN,
    ATTEMPT_FAST,  // with a message
    ATTEMPT_LATER, // with what will be sent first, where a cookie is known
};

struct attempt { // how a socket connects
    enum attempt_kind kind;
    const struct net_message *message;
    size_t *done;
};

// With lock held: what the SYN says and brings. No more than there is room for beside all options
// (RFC 7413, 4.2.1).
static void fast_fill(struct tcp_socket *tcp, struct tcp_fast *fast, const struct attempt *how)
{
    const uint32_t options = TCP_HEADER_MAX - TCP_HEADER_MIN;
    const bool is_bare = tcp->has_no_cookies || tcp_fast_may(TCP_FAST_CALLS_BARE);
    const struct tcp_fast_known known = tcp_fast_find(&tcp->socket.remote.address);
    const uint16_t said = known.mss != 0 ? known.mss : TCP_MSS_UNSAID;
    const uint32_t mss = said < tcp->settings.mss ? said : tcp->settings.mss;
    *fast = (struct tcp_fast){.has_cookie = !is_bare};
    if (!is_bare) {
        fast->cookie_size = known.size;
        memcpy(fast->cookie, known.cookie, known.size);
        fast->failure = known.size > 0 ? 0 : TCP_FAST_NO_COOKIE;
    }
    if (how->kind == ATTEMPT_FAST && fast->failure == 0 && mss > options) {
        fast->size = tcp_stream_begin(tcp, how->message, mss - options);
        *how->done = fast->size;
    }
}

// With lock held: sends a SYN, or waits for bytes. fast is the connection's, or gone. NULL:
// without.
static void connect_start(struct tcp_socket *tcp, const struct attempt *how, struct tcp_fast *fast)
{
    const hal_ns now = tcp_now(tcp);
    const uint32_t iss = flow_sequence(tcp->socket.flow, now);
    if (fast != NULL) {
        fast_fill(tcp, fast, how);
    }
    if (tcp->tcp.fast != NULL) {
        heap_free(tcp->tcp.fast); // of an earlier connection
    }
    tcp->awaits_bytes = how->kind == ATTEMPT_LATER && fast->failure == 0;
    tcp->is_told = tcp->awaits_bytes;
    if (tcp->awaits_bytes) {
        heap_free(fast);
        tcp_connect_later(&tcp->tcp, &tcp_socket_host, &tcp->settings, now);
    } else {
        tcp_connect_fast(&tcp->tcp, &tcp_socket_host, &tcp->settings, iss, fast, now);
    }
    tcp_keep(&tcp->tcp, tcp->lent, now);
}

// With lock held.
static int connect_prepare(struct tcp_socket *tcp, struct net_end remote)
{
    struct net_socket *socket = &tcp->socket;
    struct net_end local;
    int error = net_socket_route(socket, &remote, &local);
    if (error != 0) {
        return error;
    }
    if (remote.port == 0) {
        return -ECONNREFUSED; // nobody is there
    }
    error = net_socket_flow_set(socket, local, remote);
    if (error != 0) {
        return error == -EAGAIN ? -EADDRNOTAVAIL : error;
    }
    tcp->settings.mss = tcp_mss_for(tcp, &remote.address);
    tcp_growth_begin(tcp, &remote.address);
    tcp->stage = TCP_STAGE_CONNECTION;
    tcp->is_alive = true;
    tcp->is_far = tcp->peer != NULL; // who was another one's
    socket->shut = 0;
    net_socket_get(socket); // is_alive
    return 0;
}

// With lock held. remote NULL: it has been prepared.
static int connect_begin(struct tcp_socket *tcp, const struct net_end *remote,
                         const struct attempt *how)
{
    struct tcp_fast *fast = how->kind != ATTEMPT_PLAIN ? heap_alloc(sizeof *fast) : NULL;
    if (how->kind != ATTEMPT_PLAIN && fast == NULL) {
        return -ENOBUFS;
    }
    const int error = remote != NULL ? connect_prepare(tcp, *remote) : 0;
    if (error != 0) {
        heap_free(fast);
        return error;
    }
    connect_start(tcp, how, fast);
    return tcp->awaits_bytes ? 0 : -EINPROGRESS;
}

// With lock held: what has become of the attempt. It failed: the socket is as before.
static int connect_result(struct tcp_socket *tcp)
{
    struct net_socket *socket = &tcp->socket;
    if (tcp->tcp.state == TCP_STATE_SYN_SENT || tcp->tcp.state == TCP_STATE_SYN_RECEIVED) {
        return -EINPROGRESS;
    }
    tcp->is_told = true;
    const int error = socket->error;
    socket->error = 0;
    if (tcp->tcp.state == TCP_STATE_CLOSED && tcp_received(&tcp->tcp) == 0 && !tcp->tcp.has_fin) {
        tcp->stage = TCP_STAGE_IDLE;
        tcp_stream_end(tcp); // what Fast Open was to bring
        socket->remote.port = 0;
        socket->shut = 0;
        if (!socket->has_port) {
            socket->local.port = 0;
        }
        if (!socket->has_address) {
            socket->local.address = address_any(socket->is_v4);
        }
        return error != 0 ? error : -ECONNABORTED; // somebody has taken the error
    }
    return error;
}

// With lock held. -EINPROGRESS: it is under way.
static int attempt_step(struct tcp_socket *tcp, const struct net_end *remote,
                        const struct attempt *how, bool is_first)
{
    switch (tcp->stage) {
    case TCP_STAGE_LISTENING:
        return -EISCONN;
    case TCP_STAGE_IDLE:
        return !is_first        ? -ECONNREFUSED
               : remote == NULL ? -EINVAL
                                : connect_begin(tcp, remote, how);
    default:
        break;
    }
    if (how->kind == ATTEMPT_FAST && tcp->awaits_bytes && tcp->tcp.state == TCP_STATE_SYN_SENT) {
        return connect_begin(tcp, NULL, how);
    }
    const int error = tcp->is_told ? -EISCONN : connect_result(tcp);
    return error == -EINPROGRESS && is_first ? -EALREADY : error;
}

static int connect_to(struct tcp_socket *tcp, const struct net_end *remote,
                      const struct net_patience *patience, const struct attempt *how)
{
    bool is_first = true;
    int error;
    do {
        tcp_enter(tcp);
        error = attempt_step(tcp, remote, how, is_first);
        const uint32_t changes = tcp->changes;
        tcp_leave_and_run(tcp);
        if ((error == -EINPROGRESS || error == -EALREADY) && patience->waits) {
            // Within this machine it is done by now.
            error = is_first ? 0 : tcp_await(tcp, changes, patience);
            if (error == 0) {
                is_first = false;
                continue;
            }
            error = error == -EAGAIN ? -EINPROGRESS : error;
        }
        break;
    } while (true);
    return error;
}

int tcp_connect_to(struct tcp_socket *tcp, const struct net_end *remote,
                   const struct net_patience *patience)
{
    static const struct attempt plain = {.kind = ATTEMPT_PLAIN};
    return connect_to(tcp, remote, patience, &plain);
}

int tcp_connect_fast_to(struct tcp_socket *tcp, const struct net_end *remote,
                        const struct net_message *message, size_t *done)
{
    const struct attempt how = {ATTEMPT_FAST, message, done};
    const int error = connect_to(tcp, remote, &message->patience, &how);
    if (error != 0 && error != -EINPROGRESS && error != -EINTR) {
        *done = 0; // it is dropped
    }
    return error;
}

int tcp_connect_later_to(struct tcp_socket *tcp, const struct net_end *remote,
                         const struct net_patience *patience)
{
    static const struct attempt later = {.kind = ATTEMPT_LATER};
    return connect_to(tcp, remote, patience, &later);
}

// With lock held.
static void break_off(struct tcp_socket *tcp)
{
    const struct net_end nobody = {address_any(tcp->socket.is_v4), 0};
    if (tcp->stage == TCP_STAGE_CONNECTION) {
        tcp_abort(&tcp->tcp, tcp_now(tcp));
        tcp_stream_end(tcp);
    } else {
        tcp->stage = TCP_STAGE_IDLE; // at once: who waits to accept looks next
    }
    tcp->socket.remote = nobody;
    tcp->socket.error = 0;
    tcp->socket.shut = 0;
    ++tcp->changes;
    tcp->news |= NET_NEWS_INPUT | NET_NEWS_ROOM;
}

void tcp_disconnect(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const bool listened = tcp->stage == TCP_STAGE_LISTENING;
    break_off(tcp);
    tcp_leave(tcp); // sends the reset, while it still is a connection
    mutex_lock(&tcp->socket.lock);
    tcp->stage = TCP_STAGE_IDLE;
    struct flow *flow = tcp->socket.flow;
    if (!tcp->socket.has_address) {
        tcp->socket.local.address = address_any(tcp->socket.is_v4);
    }
    if (!tcp->socket.has_port) {
        tcp->socket.flow = NULL;
        tcp->socket.local.port = 0;
    }
    mutex_unlock(&tcp->socket.lock);
    if (flow != NULL && tcp->socket.flow == NULL) {
        flow_leave(flow);
    }
    if (listened) {
        tcp_children_abort(tcp);
    }
    net_run();
}

// ---- Ends --------------------------------------------------------------------------------

int tcp_shutdown(struct tcp_socket *tcp, unsigned what)
{
    tcp_enter(tcp);
    const bool listens = tcp->stage == TCP_STAGE_LISTENING;
    const bool is_connected = has_peer(tcp);
    if (is_connected && (what & NET_SHUT_WRITE)) {
        tcp_close(&tcp->tcp, tcp_now(tcp));
    }
    if (is_connected || listens) {
        tcp->socket.shut |= listens ? what & NET_SHUT_READ : what;
        ++tcp->changes;
        tcp->news |= NET_NEWS_INPUT | NET_NEWS_ROOM;
    }
    tcp_leave(tcp);
    if (listens && (what & NET_SHUT_READ)) {
        tcp_disconnect(tcp);
    }
    net_run();
    return is_connected || listens ? 0 : -ENOTCONN;
}

// Waits until all that was written is acknowledged, or for so long.
static void linger(struct tcp_socket *tcp, hal_ns span)
{
    const struct net_patience patience = {true, hal_clock_ns() + span};
    int error = 0;
    while (error == 0) {
        tcp_enter(tcp);
        const bool is_done = tcp->tcp.state == TCP_STATE_CLOSED ||
                             tcp->tcp.state == TCP_STATE_TIME_WAIT ||
                             tcp->tcp.state == TCP_STATE_FIN_WAIT_2;
        const uint32_t changes = tcp->changes;
        tcp_leave(tcp);
        error = is_done ? -EAGAIN : tcp_await(tcp, changes, &patience);
    }
}

static void listener_close(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    tcp->is_closed = true;
    tcp_leave(tcp);
    tcp_children_abort(tcp);
}

static void flow_end(struct tcp_socket *tcp)
{
    mutex_lock(&tcp->socket.lock);
    struct flow *flow = tcp->socket.flow;
    tcp->socket.flow = NULL;
    mutex_unlock(&tcp->socket.lock);
    if (flow != NULL) {
        flow_leave(flow);
    }
}

bool tcp_connection_end(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const bool is_unread = tcp_received(&tcp->tcp) > tcp->tcp.taken;
    const bool is_hurried = tcp->orphan_span == 0 && tcp->tcp.state == TCP_STATE_FIN_WAIT_2;
    const bool breaks = is_unread || tcp->linger == 0 || is_hurried;
    tcp->is_orphan = true;
    tcp_grown_end(tcp);
    if (breaks) {
        tcp_abort(&tcp->tcp, tcp_now(tcp));
    } else {
        tcp_orphan(&tcp->tcp, tcp->orphan_span, tcp_now(tcp));
    }
    while (tcp->socket.first != NULL) {
        struct packet *packet = tcp->socket.first;
        tcp->socket.first = packet->next;
        packet_free(packet);
    }
    tcp_leave_and_run(tcp);
    return !breaks;
}

static void connection_close(struct tcp_socket *tcp)
{
    const hal_ns span = tcp->linger;
    if (tcp_connection_end(tcp) && span != UINT64_MAX) {
        linger(tcp, span);
    }
}

void tcp_socket_close(struct tcp_socket *tcp)
{
    const bool is_connection = tcp->stage == TCP_STAGE_CONNECTION;
    if (is_connection) {
        connection_close(tcp);
    } else if (tcp->stage == TCP_STAGE_LISTENING) {
        listener_close(tcp);
    }
    net_run();
    if (!is_connection) { // whose flow goes with it
        flow_end(tcp);
    }
    net_socket_put(&tcp->socket);
}

// ---- Looking -------------------------------------------------------------------------------

// With lock held (Linux's tcp_poll).
static unsigned events_of(struct tcp_socket *tcp)
{
    const unsigned shut = tcp->socket.shut;
    const unsigned error = tcp->socket.error != 0 ? TCP_FAILED : 0;
    if (tcp->stage == TCP_STAGE_LISTENING) {
        return list_is_empty(&tcp->ready) ? 0 : TCP_READABLE;
    }
    if (tcp->stage == TCP_STAGE_IDLE) {
        return error | TCP_WRITABLE | TCP_BROKEN;
    }
    const enum tcp_state state = tcp->tcp.state;
    if (!tcp_has_begun(&tcp->tcp)) {
        tcp->was_short = true;
        return error | (tcp->awaits_bytes && state == TCP_STATE_SYN_SENT ? TCP_WRITABLE : 0);
    }
    const bool is_over = state == TCP_STATE_CLOSED;
    const bool has_ended = tcp->tcp.has_fin || (shut & NET_SHUT_READ) != 0 || is_over;
    const bool is_mute = (shut & NET_SHUT_WRITE) != 0 || is_over;
    const bool has_room = is_mute || tcp_stream_room(tcp) >= tcp_stream_limit(tcp) / 3;
    tcp->was_short |= !has_room;
    uint64_t size = tcp_received(&tcp->tcp) - tcp->tcp.taken;
    unsigned urgent = 0;
    if (tcp->tcp.urgent.is_known) {
        const struct tcp_part part = tcp_urgent_part(tcp);
        size = part.end - part.start;
        urgent = tcp_is_urgent(&tcp->tcp) ? TCP_URGENT : 0;
    }
    const bool has_data = tcp_stream_is_enough(tcp, size);
    return error | urgent | (has_data ? TCP_READABLE : 0) | (has_ended ? TCP_ENDED : 0) |
           (has_room ? TCP_WRITABLE : 0) | (has_ended && is_mute ? TCP_BROKEN : 0);
}

unsigned tcp_poll(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const unsigned events = events_of(tcp);
    if ((events & (TCP_READABLE | TCP_ENDED)) == 0) {
        tcp_ask_more(tcp);
    }
    tcp_leave_and_run(tcp);
    return events;
}

int tcp_error_take(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const int error = tcp->socket.error;
    tcp->socket.error = 0;
    tcp_leave_and_run(tcp);
    return error;
}

bool tcp_is_connected(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    const bool is_connected = has_peer(tcp);
    tcp_leave_and_run(tcp);
    return is_connected;
}

bool tcp_settings_changed_locked(struct tcp_socket *tcp)
{
    return tcp->stage == TCP_STAGE_CONNECTION && tcp_adjust_idle(&tcp->tcp, &tcp->settings);
}

void tcp_settings_changed(struct tcp_socket *tcp)
{
    tcp_enter(tcp);
    if (tcp->stage == TCP_STAGE_CONNECTION) {
        tcp_adjust(&tcp->tcp, &tcp->settings, tcp_now(tcp));
    }
    tcp_leave_and_run(tcp);
}

void tcp_quick_set(struct tcp_socket *tcp, bool is_quick)
{
    tcp_enter(tcp);
    tcp->is_slow = !is_quick;
    tcp_quicken(&tcp->tcp, is_quick, tcp_now(tcp));
    tcp_leave_and_run(tcp);
}
