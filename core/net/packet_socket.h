// SPDX-License-Identifier: BSD-3-Clause
// packet_socket.h: sockets that get copies of the frames that interfaces receive and send, and send
// frames of their own (packet(7)).
//
// Thread context, may block.
#ifndef CORE_NET_PACKET_SOCKET_H
#define CORE_NET_PACKET_SOCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/net/netif.h"
#include "core/net/socket.h"
#include "core/sync/rcu_list.h"
#include "hal/hal.h"

enum { PACKET_KIND_802_3 = 1, PACKET_KIND_ALL = 3, PACKET_KIND_802_2 = 4 }; // beside Ethernet's

enum { PACKET_LINK_HEADER = 14 }; // bytes, on lo, too

enum packet_way { // as Linux numbers them
    PACKET_WAY_HERE,
    PACKET_WAY_BROADCAST,
    PACKET_WAY_MULTICAST,
    PACKET_WAY_ELSEWHERE, // for another machine
    PACKET_WAY_SENT,
};

// What is known of a frame that a socket has got.
struct packet_note {
    hal_ns arrived;      // of hal_clock_wall_ns
    uint32_t full_size;  // bytes that the socket would have seen, had its filter not cut them
    uint16_t kind;       // of Ethernet's kinds, or one of the above
    uint8_t way;         // enum packet_way
    uint8_t netif;       // its index
    uint16_t heads;      // bytes of the link's header that the socket does not see
    bool lacks_checksum; // the transport's is put in by a device, or by nobody on lo
    uint8_t hardware[NETIF_HARDWARE_SIZE]; // who has sent it
};

struct packet_socket {
    struct net_socket socket; // first; of kind NET_FRAMES
    struct rcu_node node;     // of those that get frames
    _Atomic uint32_t kind;  // that it gets: 0: none; PACKET_KIND_ALL: all, and those that are sent
    _Atomic uint32_t netif; // whose, an index; 0: of all
    _Atomic bool ignores_sent;
    _Atomic uint64_t seen_count; // frames that it wanted
    bool is_cooked;              // the link's header is the machine's business
    bool is_listed;              // under packet_socket.c's lock
};

struct packet_target { // of a frame to be sent
    struct netif *netif;
    uint16_t kind; // of a cooked one
    uint8_t hardware[NETIF_HARDWARE_SIZE];
};

extern _Atomic uint32_t packet_socket_count; // of those that get frames

// The maker sets socket's ready and release, and the rest is 0.
void packet_socket_init(struct packet_socket *packet, bool is_cooked);
void packet_socket_close(struct packet_socket *packet);

// Which frames it gets from now on.
void packet_socket_bind(struct packet_socket *packet, uint32_t netif, uint16_t kind);

// 0 bytes: an empty frame. An error that has come for the socket. -EAGAIN, -EINTR, -EFAULT.
HAL_MUST_CHECK int packet_socket_receive(struct packet_socket *packet, struct net_message *message,
                                         struct packet_note *note, size_t *done);

// -EMSGSIZE; -EINVAL: shorter than the link's header. -ENOBUFS, -EFAULT.
HAL_MUST_CHECK int packet_socket_send(struct packet_socket *packet,
                                      const struct net_message *message,
                                      const struct packet_target *target, size_t *done);

static inline bool packet_sockets_are_there(void)
{
    return atomic_load_explicit(&packet_socket_count, memory_order_relaxed) != 0;
}

// With the socket's lock held: from now on what it wants of what comes is its alone, and it gets no
// copies (direct.h). -EINVAL: it gets frames already.
HAL_MUST_CHECK int packet_socket_take(struct packet_socket *packet);

// Gives a frame that has come to the first such socket that wants it, before all others. False:
// none does, and the caller keeps it. On lo it is without a link's header. As net_socket_push, in
// an interrupt; and as packet_sockets_show.
bool packet_sockets_take_direct(struct netif *netif, struct packet *frame,
                                struct net_socket **told);
bool packet_sockets_take(struct netif *netif, struct packet *frame);

// Whom a frame that has come by netif is for.
enum packet_way packet_way_here(const struct netif *netif, const struct packet *frame);

// Gives copies of a frame, which begins with the link's header, to the sockets that want it, but
// for its sender, which may be NULL. The caller holds no lock and is in no RCU section.
void packet_sockets_show(const struct netif *netif, const struct packet *frame, enum packet_way way,
                         const struct packet_socket *sender);

// The same of a packet of IP on lo, without such a header.
void packet_sockets_show_bare(const struct packet *packet, enum packet_way way);

#endif
