// SPDX-License-Identifier: BSD-3-Clause
// tcp_listen.c: sockets that listen: each SYN makes a child, which is offered to who accepts once
// its connection is established.
//
// Nobody holds the locks of both. A child counts as used by its parent's list, and later by who
// accepts it; it counts its parent, for good.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/run.h"
#include "core/net/tcp_header.h"

enum { BACKLOG_MAX = 4096 }; // net.core.somaxconn of Linux

int tcp_listen(struct tcp_socket *tcp, int backlog)
{
    struct net_socket *socket = &tcp->socket;
    const struct net_end nobody = {address_any(socket->is_v4), 0};
    int error = 0;
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
    } else if (tcp->stage == TCP_STAGE_IDLE) {
        socket->options.shares &= (uint8_t)~FLOW_LISTENS;
    }
    tcp_leave(tcp);
    net_run();
    return error == -EAGAIN ? -EADDRINUSE : error;
}

// ---- Children ------------------------------------------------------------------------

// The child's ends are those of the packet, whose sender waits for an answer. NULL: no memory.
static struct tcp_socket *child_make(struct tcp_socket *tcp, const struct ip_header *header,
                                     const struct tcp_ports *ports, const struct tcp_segment *syn)
{
    struct tcp_socket *child = tcp->child_make(tcp);
    if (child == NULL) {
        return NULL;
    }
    child->settings = tcp->settings;
    child->settings.mss = tcp_mss_for(&header->target);
    child->send_limit = tcp->send_limit;
    child->linger = tcp->linger;
    child->socket.options = tcp->socket.options;
    child->socket.options.shares &= (uint8_t)~FLOW_LISTENS;
    child->socket.has_port = true;
    child->parent = tcp;
    net_socket_get(&tcp->socket);
    const struct net_end local = {header->target, ports->target};
    const struct net_end remote = {header->source, ports->source};
    child->stage = TCP_STAGE_CONNECTION;
    child->is_embryo = child->is_alive = child->is_told = true;
    child->socket.local = local;
    child->socket.remote = remote;
    net_socket_get(&child->socket); // is_alive
    const uint32_t iss = flow_sequence(&local, &remote);
    tcp_answer(&child->tcp, &tcp_socket_host, &child->settings, iss, syn, hal_clock_ns());
    return child;
}

void tcp_listener_packet(struct tcp_socket *tcp, struct packet *packet)
{
    struct ip_header header;
    struct tcp_segment syn, refusal;
    struct tcp_ports ports;
    if (ip_header_read(&header, packet->data, packet->size, false) != 0 ||
        tcp_header_read(&syn, &ports, packet->data + header.transport, header.size) != 0) {
        return;
    }
    if ((syn.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN) {
        if ((syn.flags & TCP_ACK) && tcp_refuse(&syn, &refusal)) {
            tcp_refusal_add(tcp, &header, &ports, &refusal);
        }
        return;
    }
    const bool is_closed = (tcp->socket.shut & NET_SHUT_READ) != 0 || tcp->is_closed;
    if (is_closed || tcp->child_count > tcp->backlog) {
        return; // it will come again
    }
    struct tcp_socket *child = child_make(tcp, &header, &ports, &syn);
    if (child == NULL) {
        return;
    }
    // Nobody knows of the child before it has a flow: two locks are held here alone.
    mutex_lock(&child->socket.lock);
    const int error =
        net_socket_flow_set(&child->socket, child->socket.local, child->socket.remote);
    list_push_back(&tcp->children, &child->node);
    child->is_listed = true;
    ++tcp->child_count;
    if (error != 0) {
        tcp_end(&child->tcp, error);
    }
    mutex_unlock(&child->socket.lock);
    net_run_later(&child->socket); // sends its answer
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
        tcp->has_input = true;
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

static struct tcp_socket *child_take(struct tcp_socket *tcp, struct list *from)
{
    mutex_lock(&tcp->socket.lock);
    struct tcp_socket *child =
        list_is_empty(from) ? NULL : container_of(from->next, struct tcp_socket, node);
    if (child != NULL) {
        child_remove(child);
        tcp->ready_count -= from == &tcp->ready;
    }
    mutex_unlock(&tcp->socket.lock);
    return child;
}

// Those that nobody has accepted are broken off.
void tcp_children_abort(struct tcp_socket *tcp)
{
    struct list *const lists[] = {&tcp->children, &tcp->ready};
    for (int i = 0; i < 2; ++i) {
        struct tcp_socket *child;
        while ((child = child_take(tcp, lists[i])) != NULL) {
            tcp_enter(child);
            child->is_orphan = true;
            tcp_abort(&child->tcp, hal_clock_ns());
            tcp_leave(child);
            net_socket_put(&child->socket);
        }
    }
}

int tcp_accept(struct tcp_socket *tcp, const struct net_patience *patience,
               struct tcp_socket **accepted)
{
    int error;
    do {
        error = 0;
        tcp_enter(tcp);
        const bool listens =
            tcp->stage == TCP_STAGE_LISTENING && (tcp->socket.shut & NET_SHUT_READ) == 0;
        const bool is_ready = !list_is_empty(&tcp->ready);
        const uint32_t changes = tcp->changes;
        tcp_leave(tcp);
        *accepted = listens && is_ready ? child_take(tcp, &tcp->ready) : NULL;
        if (!listens) {
            error = -EINVAL;
        } else if (*accepted == NULL) {
            error = tcp_await(tcp, changes, patience);
        }
    } while (error == 0 && *accepted == NULL);
    net_run();
    return error;
}
