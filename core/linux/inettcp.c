// SPDX-License-Identifier: BSD-3-Clause
// inettcp.c: what is different for tcp(7): streams, accepting.
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/linux/socketinet.h"
#include "core/linux/transfer.h"
#include "core/linux/user.h"
#include "core/net/tcp_fast.h"
#include "core/sync/once.h"

// ---- Moving ----------------------------------------------------------------

// Connects with what it sends (RFC 7413), where the name is somebody's.
static int fast_connect(struct file *file, const struct socket_message *sent,
                        const struct net_message *message, size_t *done)
{
    sa_family_t family = AF_INET;
    if (sent->name != NULL && sent->name_size >= sizeof family) {
        const int error = user_read(&family, sent->name, sizeof family);
        if (error != 0) {
            return error;
        }
    }
    if (family == AF_UNSPEC || !tcp_fast_may(TCP_FAST_CALLS)) {
        return -EOPNOTSUPP;
    }
    return sent->name == NULL ? tcp_connect_fast_to(&inet_of(file)->tcp, NULL, message, done)
                              : inet_connect_with(file, message, done, sent->name, sent->name_size);
}

int stream_connect(struct file *file, const struct net_end *end)
{
    struct inet_socket *inet = inet_of(file);
    const struct net_patience patience = inet_patience(file, 0, &inet->options.send_timeout);
    return inet->connects_fast && tcp_fast_may(TCP_FAST_CALLS)
               ? tcp_connect_later_to(&inet->tcp, end, &patience)
               : tcp_connect_to(&inet->tcp, end, &patience);
}

long stream_send(struct file *file, const struct socket_message *sent)
{
    struct inet_socket *inet = inet_of(file);
    struct net_message message = {
        .vectors = sent->vectors,
        .count = sent->count,
        .patience = inet_patience(file, sent->flags, &inet->options.send_timeout),
        .is_urgent = (sent->flags & MSG_OOB) != 0,
        .loan = sent->loan,
    };
    struct inet_loan *loan = NULL;
    size_t done = 0;
    int error = sent->flags & MSG_FASTOPEN ? fast_connect(file, sent, &message, &done) : 0;
    if (error == 0 && (sent->flags & MSG_ZEROCOPY) != 0) {
        error = inet_loan_begin(inet, sent, &loan);
        message.loan = loan == NULL ? message.loan : inet_loan_of(loan);
    }
    if (error != 0) {
        return done > 0 ? (long)done : error;
    }
    error = tcp_send(&inet->tcp, &message, &done);
    if (loan != NULL) {
        inet_loan_sent(loan, done);
    }
    const bool is_silent = (sent->flags & MSG_NOSIGNAL) != 0;
    return is_silent && done == 0 ? error : transfer_result(error, done);
}

// The urgent byte goes into the first vector that has room.
static long urgent_receive(struct inet_socket *inet, struct socket_message *to)
{
    char byte;
    size_t done = 0, i = 0;
    int error = tcp_receive_urgent(&inet->tcp, (to->flags & MSG_PEEK) != 0, &byte, &done);
    if (error != 0 || done == 0) {
        return error;
    }
    while (i < to->count && to->vectors[i].size == 0) {
        ++i;
    }
    to->answer_flags = MSG_OOB | (i == to->count ? MSG_TRUNC : 0);
    to->from.size = 0;
    if (i < to->count && (to->flags & MSG_TRUNC) == 0) {
        error = hal_copy_safe(to->vectors[i].data, &byte, 1);
    }
    return error != 0 ? error : i < to->count;
}

// TCP_INQ.
static int left_write(struct inet_socket *inet, struct controls *to)
{
    const bool is_told = (atomic_load(&inet->tells) & INET_TELLS_LEFT) != 0;
    if (!is_told || to == NULL) {
        return 0;
    }
    const int left = (int)tcp_input_left(&inet->tcp);
    return control_write(to, IPPROTO_TCP, TCP_CM_INQ, &left, sizeof left);
}

static long stream_take(struct file *file, struct socket_message *to)
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
        return urgent_receive(inet, to);
    }
    if (to->flags & MSG_ERRQUEUE) {
        return inet_loan_receive(inet, to);
    }
    const int error = tcp_receive(&inet->tcp, &message, (to->flags & MSG_WAITALL) != 0,
                                  (to->flags & MSG_TRUNC) != 0, &done);
    to->from.size = 0; // a stream's bytes have no sender of their own
    return error != 0 ? error : (long)done;
}

long stream_receive(struct file *file, struct socket_message *to)
{
    const long result = stream_take(file, to);
    const int error = result < 0 ? 0 : left_write(inet_of(file), to->controls);
    return error != 0 ? error : result;
}

unsigned stream_poll(struct inet_socket *inet)
{
    const unsigned ready = tcp_poll(&inet->tcp);
    return (ready & (TCP_READABLE | TCP_ENDED) ? POLL_IN_ANY : 0) |
           (ready & TCP_ENDED ? POLL_READ_HANG_UP : 0) | (ready & TCP_WRITABLE ? POLL_OUT_ANY : 0) |
           (ready & TCP_URGENT ? POLL_PRIORITY : 0) | (ready & TCP_FAILED ? POLL_ERROR : 0) |
           (ready & TCP_BROKEN ? POLL_HANG_UP : 0);
}

// ---- Accepting -------------------------------------------------------------

struct tcp_socket *stream_child_make(const struct tcp_socket *listener)
{
    const struct inet_socket *parent = container_of(listener, struct inet_socket, tcp);
    struct inet_socket *child = inet_make(parent->socket.is_v4, NET_TRANSPORT, IP_TCP);
    if (child == NULL) {
        return NULL;
    }
    nameless_leave(&child->nameless);
    child->linger = parent->linger;
    atomic_init(&child->lends, atomic_load(&parent->lends));
    atomic_init(&child->options.send_limit, atomic_load(&parent->options.send_limit));
    atomic_init(&child->options.receive_limit, atomic_load(&parent->options.receive_limit));
    atomic_init(&child->options.switches, atomic_load(&parent->options.switches));
    atomic_init(&child->options.receive_least, atomic_load(&parent->options.receive_least));
    atomic_init(&child->tells, atomic_load(&parent->tells));
    return &child->tcp; // nobody else knows it yet
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
    struct inet_socket *own = container_of(child, struct inet_socket, tcp);
    nameless_take(&own->nameless);
    error = inet_file_make(accepted, own, flags);
    if (error != 0) {
        tcp_socket_close(child);
    }
    return error;
}

int stream_start(void)
{
    static struct alarm none; // makes the thread of alarms, which connections need
    static struct once once;
    if (once_is_done(&once) || !once_begin(&once)) {
        return 0;
    }
    const int error = alarm_set(&none, UINT64_MAX);
    once_end(&once, error == 0);
    return error;
}
