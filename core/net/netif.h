// SPDX-License-Identifier: BSD-3-Clause
// netif.h: network interfaces: where packets of IP come from and go to. Once there, they stay.
#ifndef CORE_NET_NETIF_H
#define CORE_NET_NETIF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct flow;
struct groups;
struct ip_header;
struct neighbours;
struct net_address;
struct net_socket;
struct packet;
struct packet_socket;

enum { NETIF_MAX = 8, NETIF_HARDWARE_SIZE = 6 };

enum netif_kind { NETIF_KIND_ETHERNET = 1, NETIF_KIND_LOOPBACK = 772 }; // as Linux numbers them

enum netif_flags {
    NETIF_LOOPBACK = 1, // what is sent comes back: payloads need no checksum
    // What it does of what is sent: packet.checksum_place, and packet.segment_size, of TCP over each version,
    // and of UDP over both.
    NETIF_CHECKSUMS = 2,
    NETIF_SEGMENTS_V4 = 4,
    NETIF_SEGMENTS_V6 = 8,
    NETIF_SEGMENTS_UDP = 16,
    NETIF_FRAGMENTS = 32, // packet.is_fragmented
};

enum netif_count {
    NETIF_RECEIVED,
    NETIF_RECEIVED_BYTES,
    NETIF_RECEIVED_DROPPED, // there was no room or no memory for them
    NETIF_RECEIVED_STRANGE, // for another machine, or of no protocol that is known
    NETIF_SENT,
    NETIF_SENT_BYTES,
    NETIF_SENT_DROPPED, // nobody has the address, or the device is broken
    NETIF_COUNTS,
};

struct netif {
    const char *name;
    uint32_t index;     // 1 ..
    uint32_t mtu;       // the longest packet, bytes from the IP header on
    unsigned flags;     // enum netif_flags
    uint32_t parts_max; // of a packet; 0: any
    uint8_t hardware[NETIF_HARDWARE_SIZE];
    // Takes the packet, whose data begins with the IP header and has room in front for the link's,
    // for hop, which is on the link. Thread context; the caller holds no lock and is in no RCU
    // section.
    void (*send)(struct netif *netif, struct packet *packet, const struct net_address *hop);
    // Takes a frame, which begins with the link's header, of a socket's own (packet_socket.h). The
    // same.
    void (*send_frame)(struct netif *netif, struct packet *frame,
                       const struct packet_socket *sender);
    // What was sent with has_more goes now, as far as it has not. NULL: it has.
    void (*flush)(struct netif *netif);
    // Whether all that was sent has left, but for what has_more holds. NULL: it has.
    bool (*has_sent)(struct netif *netif);
    // The same as flush, by another thread, once that runs: the caller may send more. NULL: as
    // that.
    void (*flush_soon)(struct netif *netif);
    // What net_filter_push was given comes back here, in the runner's thread. has_more: of an
    // answer.
    void (*filtered)(struct netif *netif, struct packet *packet, bool has_more);
    struct neighbours *neighbours; // NULL: it has no link
    struct groups *groups;         // of multicast that it is a member of
    // They have changed: all are told. NULL: nobody is.
    void (*groups_changed)(struct netif *netif);
    // A message of ICMPv6 or IGMP has come. True: it is about the link, and is taken. NULL: none
    // is.
    bool (*neighbour_input)(struct netif *netif, struct packet *packet,
                            const struct ip_header *header);
    _Atomic uint64_t counts[NETIF_COUNTS];
    _Atomic bool is_cut; // its device has no link
};

extern struct netif loopback; // "lo", of index 1

// Makes netif, which has all but its index, known. -ENOSPC.
HAL_MUST_CHECK int netif_add(struct netif *netif);

// Its link has gone or come, or its MTU is another: who watches is told. Thread context, may block.
void netif_changed(const struct netif *netif);
// told is called for each from now on, by any thread. Again with the same is nothing.
void netif_watch(void (*told)(const struct netif *netif));

struct netif *netif_at(uint32_t index); // NULL: none has it

// The machine ends: waits until all that was sent has left it, but not for longer than that.
void netif_finish(hal_ns patience);
struct netif *netif_find(const char *name);

static inline void netif_count(struct netif *netif, enum netif_count which, uint64_t more)
{
    atomic_fetch_add_explicit(&netif->counts[which], more, memory_order_relaxed);
}

uint64_t netif_figure(const struct netif *netif, enum netif_count which);

// A packet of IP has come, and is taken. Answers one to be sent back (net_output), complete from
// its IP header on, or NULL. Thread context; the caller holds no lock and is in no RCU section.
struct packet *net_input(struct netif *netif, struct packet *packet);

// One that has been sent through netif to several, of which this machine is one: a copy of it.
void net_input_copy(struct netif *netif, struct packet *packet);

// Of lo's packets, which the CPUs count for themselves: of NETIF_SENT and NETIF_SENT_BYTES; else 0.
uint64_t loopback_figure(enum netif_count which);

// The same as send of lo, of a whole segment of TCP of our own for a flow that the caller has kept;
// NULL: of a call (tcp_bare.h).
void loopback_send_to(const struct flow *flow, struct packet *packet);

// The same as net_input in an interrupt, between quiescence_interrupt_begin and its end: whole
// packets of UDP and TCP for sockets that there are. *told as of net_socket_push. False: it is for
// net_input, and as it was.
bool net_input_direct(struct netif *netif, struct packet *packet, struct net_socket **told);

#endif
