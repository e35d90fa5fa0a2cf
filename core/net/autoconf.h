// SPDX-License-Identifier: BSD-3-Clause
// autoconf.h: addresses of IPv6 that an interface makes itself, of what routers on the link say
// (RFC 4862, RFC 4861, 6.3; name servers: RFC 8106), as a state machine: it knows no lock, no clock
// and no packet. Who calls does what the functions answer: after each of them autoconf_timeout
// until there is nothing to be done.
#ifndef CORE_NET_AUTOCONF_H
#define CORE_NET_AUTOCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"
#include "core/net/netif.h"
#include "hal/hal.h"

enum {
    AUTOCONF_ADDRESSES_MAX = 8, // the link's own among them; others that are offered are not taken
    AUTOCONF_ROUTERS_MAX = 4,
    AUTOCONF_PREFIXES_MAX = 8, // of one message
    AUTOCONF_SERVERS_MAX = 3,
    AUTOCONF_BITS = 64, // of a network whose addresses end in one of hardware
};

struct autoconf_prefix { // times in seconds; UINT32_MAX: for ever
    struct net_address address;
    uint8_t bits;
    bool is_on_link, is_for_addresses;
    uint32_t valid, preferred;
};

struct advertisement { // of a router
    struct net_address router;
    uint32_t lifetime; // as a way to all others, seconds; 0: it is none
    uint32_t mtu;      // 0: nothing is said of it
    uint32_t prefix_count, server_count, server_lifetime;
    struct autoconf_prefix prefixes[AUTOCONF_PREFIXES_MAX];
    struct net_address servers[AUTOCONF_SERVERS_MAX];
};

// The message, from ICMPv6's header on, that router has sent: with hops 255 and a right checksum.
// -EINVAL: it is none, or damaged.
HAL_MUST_CHECK int advertisement_read(struct advertisement *advertisement,
                                      const struct net_address *router, const uint8_t *message,
                                      uint32_t size);

enum autoconf_state {
    AUTOCONF_FREE,
    AUTOCONF_WAITING, // until the question after it is sent
    AUTOCONF_ASKED,   // whether somebody has it
    AUTOCONF_OURS,
    AUTOCONF_TAKEN, // by another, who answered
};

struct autoconf_address {
    struct net_address address;
    uint8_t bits; // of its network that is on the link, or all
    enum autoconf_state state;
    hal_ns deadline; // of AUTOCONF_WAITING and AUTOCONF_ASKED
    hal_ns until;    // it is valid; UINT64_MAX: for ever
    hal_ns preferred_until;
};

struct autoconf_router {
    struct net_address address;
    hal_ns until; // 0: there is none
    bool is_told; // the last AUTOCONF_ROUTE was that it is one
};

struct autoconf {
    uint8_t hardware[NETIF_HARDWARE_SIZE];
    struct autoconf_address addresses[AUTOCONF_ADDRESSES_MAX]; // the first: good on the link alone
    struct autoconf_router routers[AUTOCONF_ROUTERS_MAX];
    struct net_address servers[AUTOCONF_SERVERS_MAX];
    uint32_t server_count, mtu;
    hal_ns servers_until;
    bool has_news_of_servers, has_news_of_mtu;
    unsigned questions; // to routers, so far
    hal_ns question_at; // the next one
};

enum autoconf_act {
    AUTOCONF_NOTHING,
    AUTOCONF_ASK,     // who on the link has address
    AUTOCONF_TAKE,    // address is this machine's, and its network of that many bits is on the link
    AUTOCONF_LOSE,    // no more
    AUTOCONF_SOLICIT, // ask all routers, from address
    AUTOCONF_ROUTE,   // address is a way to all others
    AUTOCONF_NO_ROUTE,
    AUTOCONF_SERVERS, // know names, or, where there are none, no longer do
    AUTOCONF_MTU,
};

struct autoconf_step {
    enum autoconf_act act;
    struct net_address address;
    uint8_t bits;
    hal_ns preferred_until, until; // of AUTOCONF_TAKE
};

// random: of this boot.
void autoconf_start(struct autoconf *autoconf, const uint8_t hardware[NETIF_HARDWARE_SIZE],
                    uint64_t random, hal_ns now);

void autoconf_advertised(struct autoconf *autoconf, const struct advertisement *advertisement,
                         hal_ns now);

// Somebody on the link has the address, or is about to take it.
void autoconf_heard(struct autoconf *autoconf, const struct net_address *address);

// The link was cut, and is whole again: other routers may be on it.
void autoconf_link_returned(struct autoconf *autoconf, hal_ns now);

// What is due: one thing at a time.
void autoconf_timeout(struct autoconf *autoconf, hal_ns now, struct autoconf_step *step);

// When autoconf_timeout is to be called next.
hal_ns autoconf_deadline(const struct autoconf *autoconf);

#endif
