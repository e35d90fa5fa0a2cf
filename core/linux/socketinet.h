// SPDX-License-Identifier: BSD-3-Clause
// socketinet.h: a socket of ip(7) as a file, for socketinet.c and its options, inetoption.c.
#ifndef CORE_LINUX_SOCKETINET_H
#define CORE_LINUX_SOCKETINET_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/linux/socketcalls.h"
#include "core/net/socket.h"
#include "core/vfs/poll.h"

enum inet_tells { // what goes along with a datagram that is received
    INET_TELLS_TARGET = 1,
    INET_TELLS_HOPS = 2,
    INET_TELLS_SERVICE = 4,
    INET_TELLS_TARGET_V6 = 8,
    INET_TELLS_HOPS_V6 = 16,
    INET_TELLS_SERVICE_V6 = 32,
};

struct inet_socket {
    struct net_socket socket;
    struct poll_list poll;
    struct socket_options options;
    _Atomic uint32_t tells; // enum inet_tells
    struct linger linger;   // socket.lock
    int discovers,
        discovers_v6; // IP_MTU_DISCOVER, IPV6_MTU_DISCOVER: kept for who asks. socket.lock
    uint64_t inode;
    struct file_time changed;
};

static inline struct inet_socket *inet_of(const struct file *file)
{
    return file->state;
}

// Of struct socket_calls.
int inet_option_set(struct file *file, int level, int name, const void *user, uint32_t size);
int inet_option_get(struct file *file, int level, int name, union socket_option *value);

// What a datagram that was received tells, as messages of control.
int inet_controls_write(struct inet_socket *inet, const struct net_message *message,
                        struct controls *to);

#endif
