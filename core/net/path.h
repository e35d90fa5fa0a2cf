// SPDX-License-Identifier: BSD-3-Clause
// path.h: how long packets may be that are to reach an address in one piece, as routers have told
// (RFC 1191, RFC 8201), for all transports.
//
// Thread context, may block; any lock of the network's may be held.
#ifndef CORE_NET_PATH_H
#define CORE_NET_PATH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"

enum { PATH_MTU_MIN_V4 = 552, PATH_MTU_MIN_V6 = 1280 }; // Linux's net.ipv4.route.min_pmtu; RFC 8200

enum path_discovery { // as Linux numbers them (IP_MTU_DISCOVER)
    PATH_DONT,        // packets are cut, also by routers
    PATH_WANT,        // those are cut that are longer than the way takes
    PATH_DO,          // none is cut, and none longer than the way takes is sent
    PATH_PROBE,       // none is cut, and none longer than the link takes is sent
    PATH_INTERFACE,   // as that, but routers may cut them; what they tell is not believed
    PATH_OMIT,        // as that, and what is longer than the link takes is cut
    PATH_COUNT,
};

extern _Atomic bool path_is_any; // path.c's

// What is known of target, or link_mtu, of the interface that leads there, if that is less.
uint32_t path_find(const struct net_address *target, uint32_t link_mtu);

static inline uint32_t path_mtu(const struct net_address *target, uint32_t link_mtu)
{
    return atomic_load_explicit(&path_is_any, memory_order_relaxed) ? path_find(target, link_mtu)
                                                                    : link_mtu;
}

// What a router has told, and the caller has found believable. It is forgotten after ten minutes;
// meanwhile a way does not become longer. Answers what is believed: not less than the version's
// least.
uint32_t path_learn(const struct net_address *target, uint32_t mtu);

#endif
