// SPDX-License-Identifier: BSD-3-Clause
// inetloan.c: sends whose bytes are not copied, by MSG_ZEROCOPY, and the queue that tells when they
// are the program's own again (Linux, Documentation/networking/msg_zerocopy.rst).
//
// Each that has sent something has a number. Those that are over wait in a list to be told of;
// numbers that follow each other are told at once. What was copied after all, as all is that goes
// to this machine itself, and all in memory that may move, is over at once, and says so.
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/net/loan.h"
#include "core/net/route.h"

struct inet_loan {
    struct net_loan loan;
    struct inet_socket *inet; // counted
    struct inet_loan *next;
    uint32_t first, last; // numbers
    bool is_copied;
};

// With the socket's lock held. True: it is one with the one before.
static bool last_extend(struct inet_socket *inet, const struct inet_loan *loan)
{
    struct inet_loan *last = inet->loans == NULL ? NULL : inet->loan_last;
    const bool follows = last != NULL && last->last + 1 == loan->first;
    if (follows) {
        last->last = loan->last;
    }
    return follows;
}

// It is over: its socket tells of it.
static void loan_tell(struct inet_loan *loan)
{
    struct inet_socket *inet = loan->inet;
    loan->next = NULL;
    mutex_lock(&inet->socket.lock);
    const bool is_told = last_extend(inet, loan);
    if (!is_told && inet->loans == NULL) {
        inet->loans = loan;
    } else if (!is_told) {
        inet->loan_last->next = loan;
    }
    inet->loan_last = is_told ? inet->loan_last : loan;
    atomic_store(&inet->has_loans, true);
    mutex_unlock(&inet->socket.lock);
    if (is_told) {
        heap_free(loan);
    }
    inet->socket.ready(&inet->socket, false);
    net_socket_put(&inet->socket);
}

static void loan_end(struct net_loan *loan)
{
    loan_tell(container_of(loan, struct inet_loan, loan));
}

int inet_loan_begin(struct inet_socket *inet, const struct socket_message *sent,
                    struct inet_loan **made)
{
    size_t size = 0;
    for (size_t i = 0; i < sent->count; ++i) {
        size += sent->vectors[i].size;
    }
    *made = NULL;
    if ((sent->flags & MSG_ZEROCOPY) == 0 || !atomic_load(&inet->lends) || size == 0) {
        return 0;
    }
    struct inet_loan *loan = heap_alloc(sizeof *loan);
    if (loan == NULL || net_loan_start() != 0) {
        heap_free(loan);
        return -ENOBUFS;
    }
    net_loan_begin(&loan->loan, loan_end);
    loan->inet = inet;
    net_socket_get(&inet->socket);
    *made = loan;
    return 0;
}

// Who receives on this machine may never read: nobody is to wait for that.
struct net_loan *inet_loan_of(struct inet_loan *loan)
{
    struct net_end local, remote;
    net_socket_ends(&loan->inet->socket, &local, &remote);
    return route_is_local(&remote.address) ? NULL : &loan->loan;
}

void inet_loan_sent(struct inet_loan *loan, size_t done)
{
    struct inet_socket *inet = loan->inet;
    if (done == 0) {
        net_socket_put(&inet->socket);
        heap_free(loan);
        return;
    }
    mutex_lock(&inet->socket.lock);
    loan->first = loan->last = inet->loan_next++;
    mutex_unlock(&inet->socket.lock);
    loan->is_copied = !loan->loan.is_used;
    if (packet_buffer_is_mine(&loan->loan.buffer)) { // nobody will have it any more
        loan_tell(loan);
    } else {
        packet_buffer_put(&loan->loan.buffer);
    }
}

// As struct sock_extended_err of Linux, and an address, which there is none of.
struct told {
    uint32_t error;
    uint8_t origin, type, code, pad;
    uint32_t first, last;
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } unused;
};

int inet_loan_receive(struct inet_socket *inet, struct socket_message *to)
{
    enum { ORIGIN_ZEROCOPY = 5, CODE_COPIED = 1 };
    const bool is_v4 = inet->socket.is_v4;
    mutex_lock(&inet->socket.lock);
    struct inet_loan *loan = inet->loans;
    inet->loans = loan == NULL ? NULL : loan->next;
    atomic_store(&inet->has_loans, inet->loans != NULL);
    mutex_unlock(&inet->socket.lock);
    if (loan == NULL) {
        return -EAGAIN;
    }
    const struct told told = {
        .origin = ORIGIN_ZEROCOPY,
        .code = loan->is_copied ? CODE_COPIED : 0,
        .first = loan->first,
        .last = loan->last,
    };
    heap_free(loan);
    to->answer_flags = MSG_ERRQUEUE;
    to->from.size = 0;
    const size_t size =
        offsetof(struct told, unused) + (is_v4 ? sizeof told.unused.v4 : sizeof told.unused.v6);
    return to->controls == NULL ? 0
                                : control_write(to->controls, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                                                is_v4 ? IP_RECVERR : IPV6_RECVERR, &told, size);
}

int inet_loans_set(struct inet_socket *inet, const void *user, uint32_t size)
{
    int value;
    if (size < sizeof value) {
        return -EINVAL;
    }
    const int error = user_read(&value, user, sizeof value);
    if (error != 0 || inet_is_raw(inet)) {
        return error != 0 ? error : -EOPNOTSUPP;
    }
    if (value < 0 || value > 1) {
        return -EINVAL;
    }
    atomic_store(&inet->lends, value != 0);
    return 0;
}

void inet_loans_end(struct inet_socket *inet)
{
    while (inet->loans != NULL) {
        struct inet_loan *loan = inet->loans;
        inet->loans = loan->next;
        heap_free(loan);
    }
}
