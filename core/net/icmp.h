// SPDX-License-Identifier: BSD-3-Clause
// icmp.h: messages about packets that did not come where they should: ICMP (RFC 792, 1122) and
// ICMPv6 (RFC 4443).
#ifndef CORE_NET_ICMP_H
#define CORE_NET_ICMP_H

#include <stdint.h>

#include "core/net/ip.h"

struct packet;

// A message to its sender that nobody has the port that packet is for, ready to be sent. NULL: no
// memory, or nobody is to be told.
struct packet *icmp_port_unreachable(const struct packet *packet, const struct ip_header *header);

// What has come, whose header is *header. Answers what a message says as -errno, and in *about the
// header of the packet that it is about, *quoted bytes behind the start of the message's own IP
// header. 0: it says nothing that concerns a socket, or is damaged.
int icmp_error_read(const struct packet *packet, const struct ip_header *header,
                    struct ip_header *about, uint32_t *quoted);

#endif
