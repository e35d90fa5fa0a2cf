// SPDX-License-Identifier: BSD-3-Clause
// udp_answer.h: datagrams that answer others without a socket: to where those came from.
#ifndef CORE_NET_UDP_ANSWER_H
#define CORE_NET_UDP_ANSWER_H

#include <stddef.h>

#include "hal/hal.h"

struct ip_header;
struct netif;
struct packet;

// asked: a packet of IP, whose header is *came, that has come by netif; its headers, at least, lie
// there. The answer with size bytes of payload has its ends exchanged, and its checksum left out
// (packet.is_trusted). -EINVAL: asked is no datagram of UDP, or was for many; -EMSGSIZE: the answer
// does not go by netif in one piece; -ENOBUFS.
HAL_MUST_CHECK int udp_answer_make(struct packet **made, const char *asked,
                                   const struct ip_header *came, const struct netif *netif,
                                   const void *payload, size_t size);

#endif
