// SPDX-License-Identifier: BSD-3-Clause
// datagram.h: sockets that receive whole packets: those of UDP, raw ones and ping's.
//
// Thread context, may block; a wait ends early with -EINTR, and with -EAGAIN where the caller's
// patience does.
#ifndef CORE_NET_DATAGRAM_H
#define CORE_NET_DATAGRAM_H

#include <stddef.h>

#include "core/net/socket.h"
#include "hal/hal.h"

struct packet;

// 0 bytes: an empty datagram, or shut. An error that has come for the socket.
HAL_MUST_CHECK int datagram_receive(struct net_socket *socket, struct net_message *message,
                                    size_t *done);

// A datagram that its receiver reads where it lies.
struct datagram_lent {
    struct packet *packet;
    char *data;
    size_t size;
    struct net_end from;
    uint8_t netif; // the index of the interface that it has come by
};

// As datagram_receive; lent->packet NULL: shut. The packet keeps the socket, and counts for it,
// until it is given back.
HAL_MUST_CHECK int datagram_lend(struct net_socket *socket, const struct net_patience *patience,
                                 struct datagram_lent *lent);
void datagram_give_back(struct packet *packet);

// The oldest message of ICMP that options.reports has kept: what it quotes of what we sent, behind
// the headers; message->from says whom that was sent to. -EAGAIN: there is none.
HAL_MUST_CHECK int datagram_report_receive(struct net_socket *socket, struct net_message *message,
                                           struct net_report *report, size_t *done);

// -ENOTCONN: nobody is connected; it is done nevertheless.
HAL_MUST_CHECK int datagram_shutdown(struct net_socket *socket, unsigned what);

enum datagram_events {
    DATAGRAM_READABLE = 1,
    DATAGRAM_FAILED = 2,
    DATAGRAM_SHUT_READ = 4,
    DATAGRAM_SHUT_WRITE = 8
};

unsigned datagram_poll(struct net_socket *socket);     // looks at what has come
size_t datagram_input_size(struct net_socket *socket); // of the next datagram, bytes
int datagram_error_take(struct net_socket *socket);    // 0 or -errno, which is cleared
void datagram_reports_drop(struct net_socket *socket); // of what has come so far

// ---- For the protocols -----------------------------------------------------------

size_t datagram_size(const struct net_message *message); // bytes

// One with the bytes of message, size of them. -ENOBUFS, -EFAULT.
HAL_MUST_CHECK int datagram_packet_make(struct packet **made, const struct net_message *message,
                                        size_t size);

// The bytes of message, behind those of packet, which has room. -EFAULT: some are there.
HAL_MUST_CHECK int datagram_bytes_add(struct packet *packet, const struct net_message *message);

// With lock held: until there is one; socket->first NULL and 0: there will be none. As
// datagram_receive.
HAL_MUST_CHECK int datagram_await(struct net_socket *socket, const struct net_patience *patience);

// The bytes of a packet from that one on, into message's vectors.
HAL_MUST_CHECK int datagram_bytes_copy(const struct packet *packet, uint32_t from,
                                       struct net_message *message, size_t *done);

// With lock held.
void datagrams_look(struct net_socket *socket);
int datagram_error_take_locked(struct net_socket *socket);
static inline enum path_discovery datagram_discovery(const struct net_socket *socket,
                                                     const struct net_address *target)
{
    const struct net_options *options = &socket->options;
    return address_is_v4(target) ? options->discover : options->discover_v6;
}

#endif
