// SPDX-License-Identifier: BSD-3-Clause
// tcp_listen.c: sockets that listen: each SYN makes a child, which is offered to who accepts once
// its connection is established.
//
// Nobody holds the locks of both. A child counts as used by its parent's list, and later by who
// accepts it; it counts its parent, for good.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/mem/heap.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/run.h"
#include "core/net/tcp_cookie.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"

enum { BACKLOG_MAX = 4096 }; // net.core.somaxconn of Linux

#define COOKIE_SPAN (192 * UINT64_C(1000000000)) // no later are they looked at

// With lock held: as if TCP_FASTOPEN had been said. No memory: it had not.
static void fast_listen(struct tcp_socket *tcp)
{
    struct tcp_fast_queue *queue = tcp_fast_queue_of(tcp);
    if (queue != NULL && queue->most == 0) {
        queue->most = tcp->backlog;
    }
}

int tcp_listen(struct tcp_socket *tcp, int backlog)
{
    struct net_socket *socket = &tcp->socket;
    const struct net_end nobody = {address_any(socket->is_v4), 0};
    int error = 0;
    tcp_cookie_start();
    tcp_enter(tcp);
    if (tcp->stage == TCP_STAGE_CONNECTION) {
        error = -EINVAL;
    } else if (tcp->stage == TCP_STAGE_IDLE) {
        socket->options.shares |= FLOW_LISTENS;
        error = net_socket_flow_listen(socket, nobody);
    }
    if (error == 0) {
        tcp->stage = TCP_STAGE_LISTENING;
        const bool is_much = backlog < 0 || backlog > BACKLOG_MAX;
        tcp->backlog = is_much ? BACKLOG_MAX : (uint32_t)backlog;
        socket->shut = 0;
        if (tcp_fast_may(TCP_FAST_LISTENERS) && tcp_fast_may(TCP_FAST_ANSWERS)) {
            fast_listen(tcp);
        }
    } else if (tcp->stage == TCP_STAGE_IDLE) {
        socket->options.shares &= (uint8_t)~FLOW_LISTENS;
    }
    tcp_leave_and_run(tcp);
    return error == -EAGAIN ? -EADDRINUSE : error;
}

// ---- Children ------------------------------------------------------------------------

// A connection that a packet begins at a socket that listens.
struct beginning {
    struct net_end local, remote;
    uint32_t netif; // that it is bound to; 0: none
    struct tcp_segment syn;
    uint32_t iss;
    bool is_answered;
    struct tcp_fast fast;
};

// NULL: no memory.
static struct tcp_socket *child_make(struct tcp_socket *tcp, const struct beginning *beginning)
{
    struct tcp_socket *child = tcp->child_make(tcp);
    if (child == NULL) {
        return NULL;
    }
    child->settings = tcp->settings;
    child->mss_limit = tcp->mss_limit;
    atomic_store_explicit(&child->socket.netif, beginning->netif, memory_order_relaxed);
    child->settings.mss = tcp_mss_for(child, &beginning->remote.address);
    child->send_limit = tcp->send_limit;
    child->unsent_limit = tcp->unsent_limit;
    child->receive_least = tcp->receive_least;
    child->is_room_fixed = tcp->is_room_fixed;
    child->is_send_fixed = tcp->is_send_fixed;
    tcp_growth_begin(child, &beginning->remote.address);
    child->orphan_span = tcp->orphan_span;
    child->linger = tcp->linger;
    child->socket.options = tcp->socket.options;
    if (atomic_load(&tcp->socket.filter) != NULL) {
        packet_filter_share(&child->socket.filter, &tcp->socket.filter);
    }
    child->socket.options.shares &= (uint8_t)~FLOW_LISTENS;
    child->socket.has_port = true;
    child->parent = tcp;
    net_socket_get(&tcp->socket);
    child->stage = TCP_STAGE_CONNECTION;
    child->is_embryo = child->is_alive = child->is_told = true;
    child->socket.local = beginning->local;
    child->socket.remote = beginning->remote;
    net_socket_get(&child->socket); // is_alive
    return child;
}

// With the child's lock held. No memory: without Fast Open.
static void child_answer(struct tcp_socket *child, struct beginning *beginning, uint32_t iss,
                         hal_ns now)
{
    const bool is_fast = beginning->fast.has_cookie || beginning->fast.is_open;
    struct tcp_fast *fast = is_fast ? heap_alloc(sizeof *fast) : NULL;
    if (fast == NULL) {
        beginning->fast.is_open = false;
        tcp_answer(&child->tcp, &tcp_socket_host, &child->settings, iss, &beginning->syn, now);
        return;
    }
    *fast = beginning->fast;
    tcp_answer_fast(&child->tcp, &tcp_socket_host, &child->settings, iss, &beginning->syn, fast,
                    now);
    if (fast->is_open) {
        child->is_fast_counted = true;
        tcp_fast_begin(child->parent->fast);
    }
}

// With the lock held: the child is left, and run soon.
static void begun_put(struct tcp_socket *tcp)
{
    struct tcp_socket *child = tcp->begun;
    tcp->begun = NULL;
    mutex_unlock(&child->socket.lock);
    net_run_later_counted(&child->socket);
}

// NULL: no memory. The child is tcp's begun.
static struct tcp_socket *child_begin(struct tcp_socket *tcp, struct beginning *beginning)
{
    const hal_ns now = tcp_now(tcp);
    struct tcp_socket *child = child_make(tcp, beginning);
    if (child == NULL) {
        net_count(NET_TCP_NO_CHILD);
        return NULL;
    }
    if (tcp->begun != NULL) {
        begun_put(tcp);
    }
    // Nobody else knows of the child yet, whose lock is held until tcp has been left.
    mutex_lock(&child->socket.lock);
    const int error =
        net_socket_flow_set(&child->socket, child->socket.local, child->socket.remote);
    if (beginning->is_answered) {
        tcp_resume(&child->tcp, &tcp_socket_host, &child->settings, beginning->iss, &beginning->syn,
                   now);
    } else {
        const uint32_t iss = error == 0 ? flow_sequence(child->socket.flow, now) : 0;
        child_answer(child, beginning, iss, now);
    }
    list_push_back(&tcp->children, &child->node);
    child->is_listed = true;
    ++tcp->child_count;
    if (error != 0) {
        tcp_end(&child->tcp, error);
    }
    net_socket_get(&child->socket);
    tcp->begun = child;
    return child;
}

// Nothing is kept: what is to be known is in the number.
static void cookie_send(struct tcp_socket *tcp, const struct ip_header *header,
                        const struct tcp_ports *ports, const struct beginning *beginning)
{
    const struct tcp_segment *syn = &beginning->syn;
    const uint16_t most = tcp_mss_for(tcp, &beginning->remote.address);
    const uint16_t said = syn->mss != 0 ? syn->mss : TCP_MSS_UNSAID;
    const struct tcp_segment answer = {
        .sequence = tcp_cookie_make(&beginning->local, &beginning->remote, syn->sequence, said,
                                    tcp_now(tcp)),
        .acknowledgement = syn->sequence + 1,
        .flags = TCP_SYN | TCP_ACK,
        .window = tcp->settings.room < UINT16_MAX ? tcp->settings.room : UINT16_MAX,
        .mss = most,
        .scale = UINT8_MAX,
    };
    net_count(NET_TCP_COOKIES_SENT);
    tcp->cookie_at = tcp_now(tcp);
    tcp_refusal_add(tcp, header, ports, &answer);
}

// False: the segment acknowledges no cookie.
static bool cookie_read(struct tcp_socket *tcp, struct beginning *beginning)
{
    const struct tcp_segment segment = beginning->syn;
    const uint32_t irs = segment.sequence - 1;
    const hal_ns now = tcp_now(tcp);
    uint16_t mss;
    if (tcp->cookie_at == 0 || now - tcp->cookie_at > COOKIE_SPAN) {
        return false;
    }
    beginning->iss = segment.acknowledgement - 1;
    if (!tcp_cookie_check(beginning->iss, &beginning->local, &beginning->remote, irs, now, &mss)) {
        net_count(NET_TCP_COOKIES_WRONG);
        return false;
    }
    net_count(NET_TCP_COOKIES_RECEIVED);
    beginning->is_answered = true;
    beginning->syn = (struct tcp_segment){.flags = TCP_SYN,
                                          .sequence = irs,
                                          .window = segment.window,
                                          .scale = UINT8_MAX,
                                          .mss = mss};
    return true;
}

// Gives packet, which has begun a connection, to it. True: it is the child's.
static bool packet_pass(struct tcp_socket *child, struct packet *packet)
{
    const uint32_t limit = atomic_load_explicit(&child->socket.receive_limit, memory_order_relaxed);
    return channel_push(&child->socket.channel, packet, limit) != 0; // tcp_leave finds it there
}

// The last step of a connection of which nothing was kept. True: packet is the child's.
static bool cookie_take(struct tcp_socket *tcp, struct packet *packet, struct beginning *beginning)
{
    if (tcp->ready_count > tcp->backlog) {
        net_count(NET_TCP_BACKLOG_FULL);
        return false;
    }
    struct tcp_socket *child = child_begin(tcp, beginning);
    return child != NULL && packet_pass(child, packet);
}

// A SYN for which there is room. True: packet is the child's, which sends the answer.
static bool syn_take(struct tcp_socket *tcp, struct packet *packet, struct beginning *beginning)
{
    const struct tcp_segment *syn = &beginning->syn;
    if (syn->has_cookie || syn->size > 0) {
        const struct tcp_fast_call call = {
            .syn = syn,
            .local = &beginning->local.address,
            .remote = &beginning->remote.address,
            .needs_no_cookie = tcp->has_no_cookies,
        };
        tcp_fast_judge(tcp->fast, &call, tcp_now(tcp), &beginning->fast);
    }
    struct tcp_socket *child = child_begin(tcp, beginning);
    if (child == NULL) {
        return false;
    }
    return beginning->fast.is_open && packet_pass(child, packet);
}

// That of the listener, or the one by which a peer on the link has come.
static uint32_t netif_of(const struct tcp_socket *tcp, const struct packet *packet,
                         const struct net_address *remote)
{
    const uint32_t netif = net_socket_netif(&tcp->socket);
    return netif == 0 && address_is_link_local(remote) ? packet->netif : netif;
}

bool tcp_listener_packet(struct tcp_socket *tcp, struct packet *packet,
                         const struct ip_header *header, const struct tcp_ports *ports,
                         const struct tcp_segment *segment)
{
    struct tcp_segment refusal;
    struct beginning beginning = {
        .local = {header->target, ports->target},
        .remote = {header->source, ports->source},
        .netif = netif_of(tcp, packet, &header->source),
        .syn = *segment,
    };
    // What came before it, and lay in the same channel, may have begun the connection.
    if (net_socket_pass(&beginning.local, &beginning.remote, packet)) {
        return true;
    }
    const bool is_closed = (tcp->socket.shut & NET_SHUT_READ) != 0 || tcp->is_closed;
    const uint8_t kind = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST);
    if (kind != TCP_SYN) {
        if (kind == TCP_ACK && !is_closed && cookie_read(tcp, &beginning)) {
            return cookie_take(tcp, packet, &beginning);
        }
        if ((kind & TCP_ACK) && tcp_refuse(segment, &refusal)) {
            tcp_refusal_add(tcp, header, ports, &refusal);
        }
        return false;
    }
    if (is_closed || tcp->ready_count > tcp->backlog) {
        net_count(NET_TCP_BACKLOG_FULL);
        return false; // it will come again
    }
    if (tcp->child_count - tcp->ready_count > tcp->backlog) {
        cookie_send(tcp, header, ports, &beginning);
        return false;
    }
    return syn_take(tcp, packet, &beginning);
}

struct tcp_fast_queue *tcp_fast_queue_of(struct tcp_socket *tcp)
{
    if (tcp->fast == NULL) {
        struct tcp_fast_queue *queue = heap_alloc(sizeof *queue);
        if (queue != NULL) {
            *queue = (struct tcp_fast_queue){.most = 0};
        }
        tcp->fast = queue;
    }
    return tcp->fast;
}

// Takes it out of its parent's lists, whose lock is held.
static void child_remove(struct tcp_socket *child)
{
    list_remove(&child->node);
    child->is_listed = false;
    --child->parent->child_count;
}

void tcp_child_offer(struct tcp_socket *child)
{
    struct tcp_socket *tcp = child->parent;
    mutex_lock(&tcp->socket.lock);
    if (child->is_listed) {
        list_remove(&child->node);
        list_push_back(&tcp->ready, &child->node);
        ++tcp->ready_count;
        ++tcp->changes;
        tcp->news |= NET_NEWS_INPUT;
    }
    tcp_leave(tcp);
}

void tcp_child_forget(struct tcp_socket *child)
{
    struct tcp_socket *tcp = child->parent;
    mutex_lock(&tcp->socket.lock);
    const bool was_listed = child->is_listed;
    if (was_listed) {
        child_remove(child);
    }
    mutex_unlock(&tcp->socket.lock);
    if (was_listed) {
        net_socket_put(&child->socket);
    }
}

// With lock held. NULL: there is none.
static struct tcp_socket *child_take(struct tcp_socket *tcp, struct list *from)
{
    struct tcp_socket *child =
        list_is_empty(from) ? NULL : container_of(from->next, struct tcp_socket, node);
    if (child != NULL) {
        child_remove(child);
        tcp->ready_count -= from == &tcp->ready;
    }
    return child;
}

static struct tcp_socket *child_take_locking(struct tcp_socket *tcp, struct list *from)
{
    mutex_lock(&tcp->socket.lock);
    struct tcp_socket *child = child_take(tcp, from);
    mutex_unlock(&tcp->socket.lock);
    return child;
}

// Those that nobody has accepted are broken off.
void tcp_children_abort(struct tcp_socket *tcp)
{
    struct list *const lists[] = {&tcp->children, &tcp->ready};
    for (int i = 0; i < 2; ++i) {
        struct tcp_socket *child;
        while ((child = child_take_locking(tcp, lists[i])) != NULL) {
            tcp_enter(child);
            child->is_orphan = true;
            tcp_abort(&child->tcp, tcp_now(child));
            tcp_leave(child);
            net_socket_put(&child->socket);
        }
    }
}

// With lock held: waits for one as long as there is nothing else to do.
static int child_await(struct tcp_socket *tcp, const struct net_patience *patience,
                       struct tcp_socket **accepted)
{
    int error;
    do {
        const bool listens =
            tcp->stage == TCP_STAGE_LISTENING && (tcp->socket.shut & NET_SHUT_READ) == 0;
        *accepted = listens ? child_take(tcp, &tcp->ready) : NULL;
        error = !listens ? -EINVAL : *accepted != NULL ? 0 : tcp_await_within(tcp, patience);
    } while (error == 0 && *accepted == NULL);
    return error;
}

int tcp_accept(struct tcp_socket *tcp, const struct net_patience *patience,
               struct tcp_socket **accepted)
{
    int error;
    do {
        tcp_enter(tcp);
        error = child_await(tcp, patience, accepted);
        const uint32_t changes = tcp->changes;
        tcp_leave(tcp);
        error = error == -EAGAIN ? tcp_await(tcp, changes, patience) : error;
    } while (error == 0 && *accepted == NULL);
    net_run();
    return error;
}
