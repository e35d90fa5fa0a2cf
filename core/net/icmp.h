// SPDX-License-Identifier: BSD-3-Clause
// icmp.h: messages about packets that did not come where they should, and answers to who asks
// whether this machine is there: ICMP (RFC 792, 1122) and ICMPv6 (RFC 4443).
#ifndef CORE_NET_ICMP_H
#define CORE_NET_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/ip.h"

struct packet;

enum icmp_reason { ICMP_NO_PORT, ICMP_NO_HOST };

// A packet of ours is none of ICMP, or asks for an echo: of others there are no messages (RFC 1122,
// 3.2.2; RFC 4443, 2.4).
bool icmp_may_tell_of(const struct packet *packet, const struct ip_header *header);

// A message to its sender that packet has not come to the port or machine that it is for, ready to
// be sent. NULL: no memory, or nobody is to be told.
struct packet *icmp_unreachable(const struct packet *packet, const struct ip_header *header,
                                enum icmp_reason reason);

// The answer to a message of ICMP that asks for an echo, ready to be sent. NULL: it asks for none,
// is damaged, or no memory.
struct packet *icmp_echo(const struct packet *packet, const struct ip_header *header);

// An ICMPv6 packet with head, whose first four bytes are type, code and no checksum yet, and which
// is size bytes long; from and to as *header says. NULL: no memory.
struct packet *icmp6_make(const struct ip_header *header, const void *head, uint32_t size);

// The checksum of a message that has come is right.
bool icmp_is_right(const struct packet *packet, const struct ip_header *header);

// What has come, whose header is *header. Answers what a message says as -errno, and in *about the
// header of the packet that it is about, *quoted bytes behind the start of the message's own IP
// header. 0: it says nothing that concerns a socket, or is damaged. -EMSGSIZE: the packet was too
// long for the way (RFC 1191, 8201).
int icmp_error_read(const struct packet *packet, const struct ip_header *header,
                    struct ip_header *about, uint32_t *quoted);

// How long packets may be, as a message of -EMSGSIZE says; 0: it does not say.
uint32_t icmp_error_mtu(const struct packet *packet, const struct ip_header *header);

#endif
