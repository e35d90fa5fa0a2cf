// SPDX-License-Identifier: BSD-3-Clause
// raw.h: sockets that get all packets of a protocol, beside those that get them by a flow (raw(7)),
// and those of ping, which get the answers to their own echoes of ICMP (icmp(7)).
//
// Thread context, may block.
#ifndef CORE_NET_RAW_H
#define CORE_NET_RAW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/net/socket.h"
#include "core/sync/rcu_list.h"
#include "hal/hal.h"

struct ip_header;

enum { RAW_TYPES = 256, RAW_FILTER_WORDS = RAW_TYPES / 32, RAW_ANYTHING = 255 };

struct raw_socket {
    struct net_socket socket; // first; local.port is a ping's number, a raw one's protocol
    struct rcu_node node;     // of those that get packets
    // What packets are compared with: written with socket.lock held, and read without.
    _Atomic uint64_t local[2], remote[2];      // any: whichever
    _Atomic uint32_t number;                   // of a ping; 0: none yet
    _Atomic uint32_t filter[RAW_FILTER_WORDS]; // types of ICMP that it does not get, by bits
    bool is_listed;                            // node is in its list; raw.c's lock
    // Under socket.lock.
    bool writes_header;      // what it sends begins with IP's header
    int32_t checksum_offset; // in what it sends, IPv6; -1: there is none
};

// The maker sets socket's ready and release, and the rest is 0.
void raw_socket_init(struct raw_socket *raw, enum net_kind kind, uint8_t protocol, bool is_v4);
void raw_socket_open(struct raw_socket *raw); // a raw one gets packets from now on
void raw_socket_close(struct raw_socket *raw);

// -EADDRNOTAVAIL. Of a ping, whose number is local->port, or one that is free: -EINVAL: it has one;
// -EADDRINUSE: none is.
HAL_MUST_CHECK int raw_bind(struct raw_socket *raw, const struct net_end *local);
// remote NULL: to nobody. As net_socket_route.
HAL_MUST_CHECK int raw_connect(struct raw_socket *raw, const struct net_end *remote);
// -EDESTADDRREQ, -EMSGSIZE, -ENETUNREACH, -EPIPE; -EINVAL: it is no packet, or no echo. An error
// that has come for the socket.
HAL_MUST_CHECK int raw_send(struct raw_socket *raw, const struct net_message *message,
                            size_t *done);

extern _Atomic uint32_t raw_count;      // of those that get packets
extern _Atomic uint32_t raw_flow_count; // those of protocols that have flows, and packet_socket.h's

// False: nobody is given any by the next two. Any context.
static inline bool raw_is_wanted(void)
{
    return atomic_load_explicit(&raw_count, memory_order_relaxed) != 0;
}

// Packets of UDP and TCP have to go by threads, which show them to others, too.
static inline bool raw_wants_flows(void)
{
    return atomic_load_explicit(&raw_flow_count, memory_order_relaxed) != 0;
}

// Gives copies of a packet, which is whole and has one part, to those that want it. False: nobody
// does.
bool raw_input(const struct packet *packet, const struct ip_header *header);

// The same of a message of ICMP about a packet that we sent.
void raw_error_input(const struct packet *packet, const struct ip_header *about, uint32_t quoted);

// With the lock held: is a packet from the channel one for the socket? (datagram.c's)
bool raw_check(struct net_socket *socket, struct packet *packet, const struct ip_header *header);

#endif
