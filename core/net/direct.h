// SPDX-License-Identifier: BSD-3-Clause
// direct.h: sockets whose packets a program takes out of their channel itself, as they came, with
// no protocol between them (core/libc/include/osv/channel.h). Two kinds can be so: those of UDP,
// which get what is for their ends; and packet sockets, which take the frames that they want from
// all others (packet_socket_take).
//
// Thread context, may block; the caller holds no lock of the network's and is in no RCU section.
#ifndef CORE_NET_DIRECT_H
#define CORE_NET_DIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct ip_header;
struct net_patience;
struct net_socket;
struct packet;

// Of a socket of UDP, from now on. -EINVAL: it has a port already.
HAL_MUST_CHECK int direct_begin(struct net_socket *socket);

// All that has come, up to count packets, in one part each, linked by next, and waits for the
// first. NULL: shut. Each keeps its socket, and counts for it, until it is given back. -EINVAL: the
// socket is not direct. An error that has come for it. -EAGAIN: the caller's patience has ended;
// -EINTR.
HAL_MUST_CHECK int direct_receive(struct net_socket *socket, const struct net_patience *patience,
                                  unsigned count, struct packet **packets);

// Linked by next; of one socket or several, or of none. They are the caller's alone from now on.
void direct_give_back(struct packet *packets);

// Bytes of the link's header that a packet of the socket begins with.
uint32_t direct_link_size(const struct net_socket *socket, const struct packet *packet);

// What is known of the packet's header of IP, size bytes at data. False: there is none that is
// right. A fragment has protocol 0.
bool direct_header_read(struct ip_header *header, const char *data, uint32_t size);

// Sends a packet that was given back, or of the caller's own: link 0: by the way to its target of
// IP; else, as it is, by the interface packet->netif. With is_trusted, its transport's checksum is
// put in. has_more: others follow at once. Behind the last comes direct_sent.
void direct_send(struct packet *packet, uint32_t link, bool has_more);
void direct_sent(void);

// May it be sent so? -EINVAL: it is no packet of IP, or link is not that of an Ethernet; -ENXIO:
// there is no such interface, or it has no link; -EMSGSIZE: it is longer than that one's MTU.
HAL_MUST_CHECK int direct_check(const struct packet *packet, uint32_t link);

#endif
