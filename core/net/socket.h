// SPDX-License-Identifier: BSD-3-Clause
// socket.h: what sockets of all protocols have: ends, a flow, a channel.
//
// One lock for all: the socket, its protocol and its packets. It may be held while others are
// waited for (page faults), and nobody holds those of two: what is sent is sent without it.
// Thread context, may block.
#ifndef CORE_NET_SOCKET_H
#define CORE_NET_SOCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dev/packet_filter.h"
#include "core/lib/io_vector.h"
#include "core/lib/list.h"
#include "core/net/held.h"
#include "core/net/address.h"
#include "core/net/channel.h"
#include "core/net/path.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "hal/hal.h"

struct flow;
struct net_loan;
struct netif;
struct packet;
struct udp_gathered;

enum { NET_PACKET_COST = 640 }; // what a packet counts for beside its bytes, about as Linux has it

enum net_kind {
    NET_TRANSPORT, // of packets of its protocol, by their ports
    NET_RAW,       // of all packets of its protocol
    NET_PING,      // of echoes of ICMP
    NET_FRAMES,    // of all that interfaces send and receive
};

enum net_shut { NET_SHUT_READ = 1, NET_SHUT_WRITE = 2 };

// What options set, by who has the lock.
struct net_options {
    uint8_t hops, hops_v6; // of packets of IPv4, IPv6
    uint8_t service;
    uint8_t shares; // enum flow_shares; of the next bind
    bool is_v6_only;
    bool has_stamps; // a message says when it came
    bool reports;    // messages of ICMP are kept for who asks (datagram_report_receive)
    uint8_t discover, discover_v6; // enum path_discovery
    bool may_broadcast;
    bool never_cuts;  // of IPv6: what is too long for the way is refused
    bool gathers;     // datagrams of UDP are made of all that is sent, until udp_push
    bool has_merged;  // it would take several datagrams of UDP as one, which nobody makes here
    uint16_t segment; // bytes of datagrams of UDP, into which what is sent is cut; 0: it is not
};

struct net_group_options { // of what is sent to groups: IPv6's, IPv4's
    uint8_t hops[2];
    bool loops[2];             // this machine gets it, too
    struct netif *netif[2];    // NULL: as the routes say
    struct net_address source; // of IPv4: any, or that was chosen with netif
};

struct net_memberships { // of a socket, as they are at one time
    struct rcu_head end;
    uint32_t count;
    struct net_membership {
        struct net_address group;
        struct netif *netif;
    } all[];
};

// Embedded in what its maker knows of it.
enum net_news {
    NET_NEWS_INPUT = 1,
    NET_NEWS_ROOM = 2,   // to send
    NET_NEWS_URGENT = 4, // an urgent byte
};

struct net_socket {
    struct mutex lock;
    struct channel channel;
    _Atomic uint32_t reference_count;
    _Atomic uint32_t receive_limit; // bytes of cost
    _Atomic uint64_t drop_count;    // packets that were more than that
    packet_filter_slot filter;      // what it does not want of what comes
    uint8_t protocol;               // enum ip_protocol, or another
    uint8_t kind;                   // enum net_kind
    bool is_v4;                     // its names are IPv4's alone
    bool is_direct;                 // direct.h's; set before packets can be for it
    // The index of the interface that all goes by and has come by, whether there is one or not; 0:
    // any. Changed with lock held.
    _Atomic uint32_t netif;
    // For who polls: bits of enum net_news, of what may have become so. No lock of the network's is
    // held.
    void (*ready)(struct net_socket *socket, unsigned news);
    // Looks at what has come though nobody waits for it; NULL: that can wait. *now: hal_clock_ns,
    // if that is known, else 0; changed to what was asked. The same.
    void (*run)(struct net_socket *socket, hal_ns *now);
    // Nobody uses it any more.
    void (*release)(struct net_socket *socket);
    // Ends what member.h has made, when it is closed. NULL: there is nothing.
    void (*leave)(struct net_socket *socket);
    struct net_group_options *group_options;       // NULL: as at first. Guarded by lock
    _Atomic(struct net_memberships *) memberships; // changed with lock held
    // It takes packets to groups that others here are members of: IPv6's, IPv4's.
    _Atomic bool takes_all[2];
    struct rcu_head end;
    struct list run_node; // run.c's, under its lock
    bool is_to_run;
    // Of one that has got a packet in an interrupt, and whom a thread is to look after.
    struct net_socket *told_next;
    _Atomic bool is_told;
    _Atomic bool is_attended; // see net_socket_attend

    // What follows is guarded by lock.
    struct flow *flow;                   // NULL: no port
    struct net_end local;                // as getsockname has it
    struct net_end remote;               // port 0: not connected
    bool has_address, has_port;          // chosen by bind
    bool has_many;                       // the address is a group, or all on a link
    bool has_peer;                       // connected, of datagrams
    unsigned shut;                       // enum net_shut
    int error;                           // to be told once
    struct net_held held;                // of datagrams that are sent
    struct packet *first, *last;         // received and looked at, linked by next
    struct packet *report, *report_last; // messages of ICMP, likewise
    struct udp_gathered *gathered;       // udp.c's. NULL: nothing is
    struct net_options options;
};

struct net_patience {
    bool waits;
    hal_ns deadline;
};

struct net_message {
    const struct io_vector *vectors;
    size_t count;
    struct net_patience patience;
    const struct net_end *to; // of a send; NULL: to who is connected
    // The same: where it comes from, any: as the way says, and by which interface it goes. NULL: as
    // usual.
    const struct net_address *source;
    struct netif *by;
    bool only_looks;  // of a receive: what is read stays
    bool is_urgent;   // of a send
    bool has_next;    // of a send: another follows at once
    bool has_rest;    // of a send: what is sent next belongs to the same datagram
    bool has_segment; // of a send: in place of options.segment
    uint16_t segment;
    // Of a send: by what the bytes are lent, as far as they are not copied. NULL: all are.
    struct net_loan *loan;
    // Answers of a receive.
    struct net_end from;
    bool is_from_some;         // from is
    struct net_address target; // whom it was sent to
    uint8_t hops, service;
    hal_ns arrived;   // when the socket's owner first looked at it; 0: not known
    uint8_t netif;    // the index of the interface that it has come by
    bool is_cut;      // it was longer, and the rest is gone
    size_t full_size; // bytes
};

struct net_report { // what a message of ICMP says
    int error;      // -errno
    uint8_t type, code;
    uint32_t mtu; // of -EMSGSIZE
    struct net_address origin;
    uint8_t netif; // by which it has come
};

// Once, before the first socket; again is nothing. -ENOMEM.
HAL_MUST_CHECK int net_start(void);

// The maker sets ready and release, and the rest is 0.
void net_socket_init(struct net_socket *socket, uint8_t protocol, bool is_v4);
void net_socket_get(struct net_socket *socket);
void net_socket_put(struct net_socket *socket);

// Its file is gone: it gets no more packets, and its maker's reference is put.
void net_socket_close(struct net_socket *socket);

// local->port 0: one that is free. -EINVAL: it has a port already. -EADDRNOTAVAIL: the address is
// not this machine's, or, of IPv6 and good on one link alone, not the interface's that the socket
// is bound to. -EADDRINUSE. -EAGAIN: no port is free. -ENOMEM.
HAL_MUST_CHECK int net_socket_bind(struct net_socket *socket, const struct net_end *local);

void net_socket_ends(struct net_socket *socket, struct net_end *local, struct net_end *remote);

// Binds it to the interface of that index, with lock held; 0: to none. -ENOMEM.
HAL_MUST_CHECK int net_socket_netif_set(struct net_socket *socket, uint32_t netif);

static inline uint32_t net_socket_netif(const struct net_socket *socket)
{
    return atomic_load_explicit(&socket->netif, memory_order_relaxed);
}

// The interface of a socket that is bound to one. -ENODEV: there is no such interface, of what goes
// to IPv6 -ENETUNREACH.
HAL_MUST_CHECK int net_socket_bound(const struct net_socket *socket,
                                    const struct net_address *target, struct netif **by);

// *by: by what is sent; as it was where that is as the routes say. As above.
HAL_MUST_CHECK static inline int net_socket_by(const struct net_socket *socket,
                                               const struct net_address *target, struct netif **by)
{
    return net_socket_netif(socket) == 0 ? 0 : net_socket_bound(socket, target, by);
}

// ---- For the protocols -----------------------------------------------------------

// Who sends much is answered while he does: between these interrupts tell nobody of what comes. The
// caller looks at the channel behind the second.
static inline void net_socket_attend(struct net_socket *socket)
{
    atomic_store_explicit(&socket->is_attended, true, memory_order_relaxed);
}

static inline void net_socket_attend_end(struct net_socket *socket)
{
    if (atomic_load_explicit(&socket->is_attended, memory_order_relaxed)) {
        atomic_store(&socket->is_attended, false); // pairs with net_socket_give
    }
}

// With lock held: the end that packets to remote come from. A remote address that is any becomes
// this machine's. As net_socket_by. -ENETUNREACH: no way leads there, or not from the address that
// was chosen by bind. -EINVAL: that address is the loopback network's, and the way leads out.
HAL_MUST_CHECK int net_socket_route(const struct net_socket *socket, struct net_end *remote,
                                    struct net_end *local);

// May it be bound to that address of one machine, which is no group?
bool net_socket_may_have(const struct net_socket *socket, const struct net_address *local);

// With lock held: a flow for local and remote, which become the socket's, in place of the one it
// has. As net_socket_bind.
HAL_MUST_CHECK int net_socket_flow_set(struct net_socket *socket, struct net_end local,
                                       struct net_end remote);

// The same, of a socket that listens from now on: its flow is looked at like a new one.
HAL_MUST_CHECK int net_socket_flow_listen(struct net_socket *socket, struct net_end nobody);

// Gives packet to the socket that it is for, by packet->netif, too. False: there is none, and the
// caller keeps it.
bool net_socket_deliver(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                        struct packet *packet);

// Gives packet to a connection of TCP between the ends. False: there is none, and the caller, who
// may hold the lock of another socket, keeps it.
bool net_socket_pass(const struct net_end *local, const struct net_end *remote,
                     struct packet *packet);

// Gives a copy of packet to each socket that takes packets to local, which is a group or all on a
// link; packet is gone. It has come by netif.
void net_socket_deliver_all(uint8_t protocol, const struct net_end *local,
                            const struct net_end *remote, const struct netif *netif,
                            struct packet *packet);

// Gives packet to the socket of a flow that the caller has kept or found, in an RCU section, which
// it ends. False: it is gone, or NULL, and the caller keeps the packet.
bool net_socket_deliver_by(const struct flow *flow, struct packet *packet);

// The same as net_socket_deliver in an interrupt, between quiescence_interrupt_begin and its end.
// *told: NULL, or a socket that is counted, and in no net_told: the caller puts it there.
bool net_socket_push(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                     struct packet *packet, struct net_socket **told);

// The same of a socket that the caller has found.
void net_socket_give(struct net_socket *socket, struct packet *packet, struct net_socket **told);

// In an RCU section: whether the socket's filter lets a packet of IP through.
bool net_socket_wants(struct net_socket *socket, const struct packet *packet);

// Such sockets, on their way to a thread. All-zero is empty.
struct net_told {
    _Atomic(struct net_socket *) newest;
};

// Any context. True: it was empty, and the thread is to be woken.
bool net_told_push(struct net_told *told, struct net_socket *socket);

// Of each socket those who poll are told, or it is run soon (net_run); its count is put. False:
// there was none. Thread context, of one thread.
bool net_told_tell(struct net_told *told);

#endif
