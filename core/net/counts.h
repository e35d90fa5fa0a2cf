// SPDX-License-Identifier: BSD-3-Clause
// counts.h: how many packets came to what end, on all interfaces: figures for people.
#ifndef CORE_NET_COUNTS_H
#define CORE_NET_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

enum net_count {
    NET_IP_RECEIVED, // but for those on lo, which counts them
    NET_IP_SENT,     // the same
    NET_IP_DAMAGED,  // shorter than it says, not IP, or with a wrong checksum
    NET_IP_STRANGE,  // for another machine, or with options that are not known
    NET_IP_NO_PROTOCOL,
    NET_IP_DISCARDED, // received, and there was no memory, or its socket went before it looked
    NET_IP_NO_ROUTE, // not sent
    NET_IP_TOO_LONG, // for the interface, and not to be cut: not sent
    NET_IP_FRAGMENTS_RECEIVED,
    NET_IP_FRAGMENTS_WHOLE, // packets that were put together
    NET_IP_FRAGMENTS_LATE,  // packets of which something did not come in time
    NET_IP_FRAGMENTS_WRONG, // packets whose pieces do not fit
    NET_IP_FRAGMENTS_FULL,  // packets that had to make room
    NET_IP_FRAGMENTS_TWICE, // pieces that were there already
    NET_IP_CUT, // packets, into
    NET_IP_FRAGMENTS_SENT,
    NET_NO_NEIGHBOUR, // not sent: nobody on the link has the address
    NET_ICMP_RECEIVED,
    NET_ICMP_SENT,
    NET_ICMP_DROPPED, // damaged, of an unknown type, or about nothing that is known here
    NET_UDP_RECEIVED,
    NET_UDP_SENT,
    NET_UDP_NO_PORT,
    NET_UDP_DAMAGED,
    NET_UDP_BAD_CHECKSUM,
    NET_UDP_FULL, // more than the socket takes
    NET_RAW_RECEIVED,
    NET_RAW_SENT,
    NET_RAW_FULL,     // more than the socket takes
    NET_TCP_RECEIVED, // but for those of connections, which count them
    NET_TCP_SENT,     // the same
    NET_TCP_NO_SOCKET,
    NET_TCP_DAMAGED,
    NET_TCP_BAD_CHECKSUM,
    NET_TCP_FULL,
    NET_TCP_BACKLOG_FULL, // a SYN that came when as many connections waited as are to
    NET_TCP_COOKIES_SENT,
    NET_TCP_COOKIES_RECEIVED,
    NET_TCP_COOKIES_WRONG,
    NET_TCP_NO_CHILD,     // a SYN for which there was no memory
    NET_TCP_WAITING_FULL, // a connection that could not wait for what is late
    NET_TCP_ORPHANS_FULL, // one that was broken off, as too many had no file
    NET_SOCKET_FILTERED,  // as the filter of the socket said that it was for
    NET_TCP_NO_MEMORY,    // one that was broken off, as all together held too much
    NET_TCP_FAST_ASKED,   // SYNs that want a cookie of Fast Open
    NET_TCP_FAST_TAKEN,   // that were taken with what they bring
    NET_TCP_FAST_OLD,     // of these, those whose cookie is one of the earlier key
    NET_TCP_FAST_WRONG,   // with a cookie that nobody was given
    NET_TCP_FAST_FULL,    // those for which there was no room
    NET_TCP_FAST_CALLED,  // SYNs of ours whose bytes were taken
    NET_TCP_FAST_FAILED,  // and were not
    NET_FILTER_DROPPED,   // as a packet filter said
    NET_FILTER_TAKEN,     // by one, or answered
    NET_NO_MEMORY,
    NET_COUNTS,
};

extern _Atomic uint64_t net_counts[NET_COUNTS];

static inline void net_count(enum net_count which)
{
    atomic_fetch_add_explicit(&net_counts[which], 1, memory_order_relaxed);
}

#endif
