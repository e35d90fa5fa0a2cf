// SPDX-License-Identifier: BSD-3-Clause
// filter.h: those who look at packets of IP that have come before the classifier does: packet
// filters, as "Packet filter" of the OSv paper (Kivity et al., 2014, 4.2) has them.
//
// While there are any, all that comes waits in one channel for one thread, the runner, which calls
// them and does the rest of the way itself: a filter may block, and pages of its program may still
// have to be brought. An interrupt could wait for neither.
#ifndef CORE_NET_FILTER_H
#define CORE_NET_FILTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/list.h"

struct ip_header;
struct netif;
struct packet;

enum net_verdict {
    NET_PASS,   // to the next filter, and then to whom it is for
    NET_DROP,   // it is freed, and counted
    NET_TAKEN,  // by the filter
    NET_ANSWER, // it has become an answer, which goes back to where it came from
};

struct net_filter {
    struct list node;
    // *packet begins with its IP header, which is *header, and may be changed, or be another in its
    // place.
    enum net_verdict (*look)(struct net_filter *filter, struct netif *netif, struct packet **packet,
                             const struct ip_header *header);
    void (*release)(struct net_filter *filter); // it runs no more; calls nothing of this header
    bool is_gone;                               // filter.c's, under its lock
};

// Who is before all else: each filter is one, each packet socket that takes frames
// (packet_socket.h) NET_TAKER.
enum { NET_TAKER = 1 << 16 };

extern _Atomic uint32_t net_early_count;

static inline bool net_has_early(void)
{
    return atomic_load_explicit(&net_early_count, memory_order_relaxed) != 0;
}

static inline bool net_is_filtered(void)
{
    return atomic_load_explicit(&net_early_count, memory_order_relaxed) % NET_TAKER != 0;
}

// Behind those that are there. Thread context, may block.
void net_filter_add(struct net_filter *filter);
// On return it does not run, unless the caller is the filter itself.
void net_filter_remove(struct net_filter *filter);

// Something has come, and is taken: the runner gives it to netif->filtered. Any context.
void net_filter_push(struct netif *netif, struct packet *packet);

// What they say of it together. The runner's. NET_PASS or NET_ANSWER: the caller keeps it.
enum net_verdict net_filter_look(struct netif *netif, struct packet **packet);

// The runner's life; it does not return. Once.
void net_filter_run(void);

#endif
