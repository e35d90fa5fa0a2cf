// SPDX-License-Identifier: BSD-3-Clause
// socketinet.h: a socket of ip(7) as a file, for socketinet.c and its options, inetoption.c.
#ifndef CORE_LINUX_SOCKETINET_H
#define CORE_LINUX_SOCKETINET_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/linux/socketcalls.h"
#include "core/net/ip.h"
#include "core/net/raw.h"
#include "core/net/tcp_socket.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"

// What SO_SNDBUF and SO_RCVBUF answer of a stream before they are set (net.ipv4.tcp_wmem, tcp_rmem
// of Linux): then limits are core/net's own.
enum { STREAM_SEND_LIMIT = 16384, STREAM_RECEIVE_LIMIT = 131072 };

enum inet_tells { // what goes along with a datagram that is received
    INET_TELLS_TARGET = 1,
    INET_TELLS_HOPS = 2,
    INET_TELLS_SERVICE = 4,
    INET_TELLS_TARGET_V6 = 8,
    INET_TELLS_HOPS_V6 = 16,
    INET_TELLS_SERVICE_V6 = 32,
    INET_TELLS_LEFT = 64, // of a stream: what there is behind it
};

struct inet_loan;

struct inet_socket {
    union { // by socket.kind and protocol
        struct net_socket socket;
        struct tcp_socket tcp;
        struct raw_socket raw;
    };
    struct poll_list poll;
    struct socket_options options;
    _Atomic uint32_t tells; // enum inet_tells
    struct linger linger;   // socket.lock
    bool stamps_ns;         // SO_TIMESTAMPNS; socket.lock
    bool connects_fast;     // TCP_FASTOPEN_CONNECT; the same
    _Atomic bool lends;     // SO_ZEROCOPY
    _Atomic bool has_loans; // that are over, and not told of
    uint32_t loan_next;     // the number of the next send that lends; socket.lock, as the next
    struct inet_loan *loans, *loan_last; // of has_loans
    struct nameless nameless;
};

static inline struct inet_socket *inet_of(const struct file *file)
{
    return file->state;
}

static inline bool inet_is_stream(const struct inet_socket *inet)
{
    return inet->socket.kind == NET_TRANSPORT && inet->socket.protocol == IP_TCP;
}

// Of a stream: it has been accepted, if it is a listener's, and not been closed.
static inline bool inet_has_file(const struct inet_socket *inet)
{
    return !inet->tcp.is_orphan &&
           atomic_load_explicit(&inet->nameless.is_taken, memory_order_relaxed);
}

static inline bool inet_is_raw(const struct inet_socket *inet) // or a ping's
{
    return inet->socket.kind != NET_TRANSPORT;
}

struct net_patience inet_patience(const struct file *file, int flags,
                                  const _Atomic hal_ns *timeout);

// inettcp.c: what is different for tcp(7).
HAL_MUST_CHECK int stream_start(void); // before the first stream; again is nothing. -ENOMEM
struct tcp_socket *stream_child_make(const struct tcp_socket *listener);
int stream_connect(struct file *file, const struct net_end *end);
long stream_send(struct file *file, const struct socket_message *sent);
long stream_receive(struct file *file, struct socket_message *to);
int stream_accept(struct file *file, uint32_t flags, struct file **accepted);
unsigned stream_poll(struct inet_socket *inet);

// inettcpoption.c: its options.
void stream_linger_set(struct inet_socket *inet); // of inet->linger
void stream_switches_set(struct inet_socket *inet);
int stream_pace_set(struct inet_socket *inet, const void *user, uint32_t size);
int stream_pace_get(struct inet_socket *inet, union socket_option *value);
int stream_option_set(struct inet_socket *inet, int name, const void *user, uint32_t size);
int stream_option_get(struct inet_socket *inet, int name, union socket_option *value);

// socketinet.c: a socket, and a file of it; those of the next are the caller's.
// NULL: no memory.
struct inet_socket *inet_make(bool is_v4, enum net_kind kind, uint8_t protocol);
// message: it goes along, and *done bytes have (tcp_connect_fast_to); NULL: nothing does.
int inet_connect_with(struct file *file, const struct net_message *message, size_t *done,
                      const void *user, uint32_t size);
HAL_MUST_CHECK int inet_file_make(struct file **file, struct inet_socket *inet, uint32_t flags);

// inetraw.c: what is different for raw(7) and icmp(7).
// Whether the process may have such a socket: the protocol; *kind. -EPERM, -EACCES and more.
HAL_MUST_CHECK int raw_kind_check(bool is_v4, int type, int protocol, enum net_kind *kind);
bool raw_has_option(int level, int name); // of those of the next two
int raw_option_set(struct inet_socket *inet, int level, int name, const void *user, uint32_t size);
int raw_option_get(struct inet_socket *inet, int level, int name, union socket_option *value);
int rawfiles_add(void); // who may have pings, in /proc/sys. -ENOMEM

// inetfast.c: the options about Fast Open, the first two with socket.lock held; what is in
// /proc/sys. -ENOPROTOOPT: it is none of them. -ENOMEM.
int inet_fast_set(struct inet_socket *inet, int name, int value);
int inet_fast_get(const struct inet_socket *inet, int name, union socket_option *value);
int inet_fast_keys_set(struct inet_socket *inet, const void *user, uint32_t size);
int fastfiles_add(void);

// socketinet.c: an end as a socket's name; netif: by which interface it is reached, 0: by any.
void inet_address_tell(const struct inet_socket *inet, const struct net_end *end, uint32_t netif,
                       struct socket_address *address);
// inetoption.c: a message of ICMP, for who asks by MSG_ERRQUEUE.
int inet_report_write(struct inet_socket *inet, const struct net_report *report,
                      struct controls *to);

// inetloan.c: sends that lend their bytes, by MSG_ZEROCOPY, and what is told of them.
// *loan NULL: this one does not. -ENOBUFS.
HAL_MUST_CHECK int inet_loan_begin(struct inet_socket *inet, const struct socket_message *sent,
                                   struct inet_loan **loan);
struct net_loan *inet_loan_of(struct inet_loan *loan);    // net_message's
void inet_loan_sent(struct inet_loan *loan, size_t done); // loan is gone
// What is told next, as a message of MSG_ERRQUEUE. -EAGAIN: there is nothing.
HAL_MUST_CHECK int inet_loan_receive(struct inet_socket *inet, struct socket_message *to);
int inet_loans_set(struct inet_socket *inet, const void *user, uint32_t size);
void inet_loans_end(struct inet_socket *inet); // nobody will ask

// Of struct socket_calls.
int inet_option_set(struct file *file, int level, int name, const void *user, uint32_t size);
int inet_option_get(struct file *file, int level, int name, union socket_option *value);

// The longest packet to the peer, with socket.lock held; of IPv4 no longer than IPv4's longest.
uint32_t inet_mtu(const struct inet_socket *inet);

// inetgroup.c: the options about multicast, of level IPPROTO_IP or IPPROTO_IPV6.
bool inet_group_option(int level, int name); // it is one
int inet_group_set(struct inet_socket *inet, int level, int name, const void *user, uint32_t size);
int inet_group_get(struct inet_socket *inet, int level, int name, union socket_option *value);

// What a datagram that was received tells, as messages of control.
int inet_controls_write(struct inet_socket *inet, const struct net_message *message,
                        struct controls *to);

#endif
