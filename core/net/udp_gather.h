// SPDX-License-Identifier: BSD-3-Clause
// udp_gather.h: datagrams of several sends (udp.h). For udp.c alone.
#ifndef CORE_NET_UDP_GATHER_H
#define CORE_NET_UDP_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/net/ip.h"
#include "core/net/route.h"
#include "core/net/socket.h"
#include "hal/hal.h"

struct packet;

// Where a datagram goes, and what its headers say.
struct udp_way {
    struct route route;
    struct ip_header header;
    struct net_end to;
    uint16_t port;    // that it comes from
    bool is_many;     // to a group, or to all on a link
    bool loops;       // of those: this machine gets it, too
    size_t size;      // of the data, bytes
    uint32_t segment; // as net_options
};

// May a datagram of way->size bytes go there? Says in the header whether it is cut. -EMSGSIZE.
HAL_MUST_CHECK int udp_size_check(const struct net_socket *socket, struct udp_way *way);

// With lock held: the first piece, of way->size bytes. -ENOMEM, -ENOBUFS, -EFAULT.
HAL_MUST_CHECK int udp_gather_begin(struct net_socket *socket, const struct net_message *message,
                                    const struct udp_way *way);

// With lock held, and a beginning there: the next piece, of size bytes. As udp_send.
HAL_MUST_CHECK int udp_gather_add(struct net_socket *socket, const struct net_message *message,
                                  size_t size);

// With lock held: what was gathered is the caller's. NULL: nothing was.
struct packet *udp_gather_take(struct net_socket *socket, struct udp_way *way);

#endif
