// SPDX-License-Identifier: BSD-3-Clause
// tcp_sockets.h: sockets of TCP that a test makes, and that listen, in its one thread.
#ifndef UNIT_TCP_SOCKETS_H
#define UNIT_TCP_SOCKETS_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "core/net/tcp_fast.h"
#include "core/net/tcp_socket.h"

enum { SERVER = 80, BACKLOG = 4 };

static uint32_t released, made;

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void release(struct net_socket *socket)
{
    tcp_socket_release(tcp_socket_of(socket));
    free(socket);
    ++released;
}

static struct tcp_socket *socket_make(const struct tcp_socket *listener);

static struct tcp_socket *socket_new(void)
{
    struct tcp_socket *tcp = calloc(1, sizeof *tcp);
    tcp_socket_init(tcp, true);
    tcp->socket.ready = ready;
    tcp->socket.release = release;
    tcp->child_make = socket_make;
    ++made;
    return tcp;
}

static struct tcp_socket *socket_make(const struct tcp_socket *listener)
{
    (void)listener;
    return socket_new();
}

static struct tcp_socket *listener_make(int backlog)
{
    const struct net_end end = {address_loopback(true), SERVER};
    struct tcp_socket *tcp = socket_new();
    ck_assert_int_eq(net_socket_bind(&tcp->socket, &end), 0);
    ck_assert_int_eq(tcp_listen(tcp, backlog), 0);
    made = 0;
    return tcp;
}

static struct tcp_socket *accepted(struct tcp_socket *listener)
{
    const struct net_patience none = {.waits = false};
    struct tcp_socket *child = NULL;
    const int error = tcp_accept(listener, &none, &child);
    ck_assert(error == 0 || error == -EAGAIN);
    return child;
}

static struct tcp_socket *fast_listener(uint32_t queue)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    ck_assert_ptr_nonnull(tcp_fast_queue_of(listener));
    listener->fast->most = queue;
    atomic_store(&tcp_fast_switches, TCP_FAST_CALLS | TCP_FAST_ANSWERS);
    return listener;
}

#endif
