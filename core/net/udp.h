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

enum { UDP_HEADER = 8 };

// remote NULL: connected to nobody. -ENETUNREACH; as net_socket_bind.
HAL_MUST_CHECK int udp_connect(struct net_socket *socket, const struct net_end *remote);

// -ENOTCONN: nobody is connected; it is done nevertheless.
HAL_MUST_CHECK int udp_shutdown(struct net_socket *socket, unsigned what);

// -EDESTADDRREQ: not told where to. -EMSGSIZE. -ENETUNREACH. -EPIPE: shut. -EINVAL: to port 0. An
// error that has come for the socket. As net_socket_bind.
HAL_MUST_CHECK int udp_send(struct net_socket *socket, const struct net_message *message,
                            size_t *done);

// 0 bytes: an empty datagram, or shut. An error that has come for the socket.
HAL_MUST_CHECK int udp_receive(struct net_socket *socket, struct net_message *message,
                               size_t *done);

enum udp_events { UDP_READABLE = 1, UDP_FAILED = 2, UDP_SHUT_READ = 4, UDP_SHUT_WRITE = 8 };

unsigned udp_poll(struct net_socket *socket);     // looks at what has come
size_t udp_input_size(struct net_socket *socket); // of the next datagram, bytes
int udp_error_take(struct net_socket *socket);    // 0 or -errno, which is cleared

// A packet has come, and is taken. Answers one to be sent back, or NULL.
struct packet *udp_input(struct packet *packet, const struct ip_header *header);

// A message of ICMP says error (icmp_error_read) about a datagram that we sent. False: the caller
// keeps it.
bool udp_error_input(struct packet *packet, const struct ip_header *about, uint32_t quoted);

#endif
