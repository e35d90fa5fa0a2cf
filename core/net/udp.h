// SPDX-License-Identifier: BSD-3-Clause
// udp.h: UDP (RFC 768) and its sockets.
//
// Thread context, may block; a wait ends early with -EINTR, and with -EAGAIN where the caller's
// patience does.
#ifndef CORE_NET_UDP_H
#define CORE_NET_UDP_H

#include <stddef.h>

#include "core/net/socket.h"
#include "hal/hal.h"

struct ip_header;
struct netif;

enum { UDP_HEADER = 8 };

struct udp_header { // in the network's order
    uint16_t source, target, size, checksum;
};

_Static_assert(sizeof(struct udp_header) == UDP_HEADER, "RFC 768");

// remote NULL: connected to nobody. -ENETUNREACH; as net_socket_bind.
HAL_MUST_CHECK int udp_connect(struct net_socket *socket, const struct net_end *remote);

// With message->has_rest, or options.gathers, it is the beginning of a datagram, which others add
// to: the first says where it goes, and what fails ends all. -EINVAL, of those: to IPv4, and the
// first to IPv6.
// -EDESTADDRREQ: not told where to. -EMSGSIZE. -ENETUNREACH. -EPIPE: shut. -EINVAL: to port 0. An
// error that has come for the socket. As net_socket_bind.
HAL_MUST_CHECK int udp_send(struct net_socket *socket, const struct net_message *message,
                            size_t *done);

// What was gathered goes.
void udp_push(struct net_socket *socket);

// In place of net_socket_close.
void udp_close(struct net_socket *socket);

// A packet has come, and is taken. Answers one to be sent back, or NULL.
struct packet *udp_input(struct netif *netif, struct packet *packet,
                         const struct ip_header *header);

// A message of ICMP says error (icmp_error_read) about a datagram that we sent. False: the caller
// keeps it.
bool udp_error_input(struct packet *packet, const struct ip_header *about, uint32_t quoted);

// What is left of a packet that was in the channel is its headers and its data. False: it is no
// datagram.
bool udp_check(struct packet *packet, const struct ip_header *header);

#endif
