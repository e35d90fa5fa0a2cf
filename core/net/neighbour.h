// SPDX-License-Identifier: BSD-3-Clause
// neighbour.h: which hardware has which address on a link, of both IP versions: the states of RFC
// 4861, 7.3, for ARP (RFC 826), too.
//
// It knows no link and no packet's form: who calls sends what the functions answer, after they have
// given back the lock. Thread context, may block.
#ifndef CORE_NET_NEIGHBOUR_H
#define CORE_NET_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/net/address.h"
#include "core/net/netif.h"
#include "core/sync/mutex.h"
#include "hal/hal.h"

struct packet;

enum {
    NEIGHBOUR_MAX = 128,
    NEIGHBOUR_LISTS = 32,
    // Bytes of packets that wait, in memory; the newest for each neighbour may be more than that.
    NEIGHBOUR_WAITING_MAX = 212992, // for one, as Linux has it (unres_qlen_bytes)
    NEIGHBOURS_WAITING_MAX = 1 << 20,
};

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_INCOMPLETE, // asked for; packets wait
    NEIGHBOUR_REACHABLE,  // has answered lately
    NEIGHBOUR_STALE,      // has not, and nobody has sent it anything since
    NEIGHBOUR_DELAY,      // has been sent something: if nothing is heard, it will be asked
    NEIGHBOUR_PROBE,      // is being asked
};

struct neighbour {
    struct list node; // of its hash
    struct net_address address;
    uint8_t hardware[NETIF_HARDWARE_SIZE]; // from NEIGHBOUR_REACHABLE on
    uint8_t state;                         // enum neighbour_state
    uint8_t tries;                         // how often it has been asked
    hal_ns deadline;                       // of the state; UINT64_MAX: none
    hal_ns used;                           // when something was last sent there
    struct packet *waiting, *newest;       // of NEIGHBOUR_INCOMPLETE: a list, the oldest first
    uint32_t waiting_size;                 // bytes of it
};

struct neighbours {    // of one interface
    struct mutex lock; // guards what follows
    struct neighbour all[NEIGHBOUR_MAX];
    struct list lists[NEIGHBOUR_LISTS];
    uint32_t waiting_size; // of all
};

enum neighbour_act {
    NEIGHBOUR_NOTHING,
    NEIGHBOUR_SEND,    // packets, to hardware, in their order
    NEIGHBOUR_ASK_ALL, // on the link who has address
    NEIGHBOUR_ASK_ONE, // whether hardware still has address
    NEIGHBOUR_GIVE_UP, // packets: nobody has address. There may be none
};

struct neighbour_step { // what the caller is to do
    enum neighbour_act act;
    struct net_address address;
    uint8_t hardware[NETIF_HARDWARE_SIZE];
    struct packet *packets; // a list
    struct packet *dropped; // those that had to make room: a list
    bool waits;             // for something new: neighbour_deadline may be earlier
};

enum neighbour_news {        // bits
    NEIGHBOUR_SOLICITED = 1, // it has been asked, and is there now
    NEIGHBOUR_OVERRIDES = 2, // whatever was known before
    NEIGHBOUR_IS_NEW = 4,    // it is worth remembering though nobody has asked
};

void neighbours_init(struct neighbours *neighbours); // of zeros

// packet is to be sent to address: NEIGHBOUR_SEND, or it is kept: NEIGHBOUR_ASK_ALL or
// NEIGHBOUR_NOTHING.
void neighbour_send(struct neighbours *neighbours, const struct net_address *address,
                    struct packet *packet, hal_ns now, struct neighbour_step *step);

// address has said that it is at hardware: NEIGHBOUR_SEND of what has waited, or NEIGHBOUR_NOTHING.
void neighbour_learn(struct neighbours *neighbours, const struct net_address *address,
                     const uint8_t hardware[NETIF_HARDWARE_SIZE], unsigned news, hal_ns now,
                     struct neighbour_step *step);

// What is due: one thing at a time, until NEIGHBOUR_NOTHING.
void neighbour_timeout(struct neighbours *neighbours, hal_ns now, struct neighbour_step *step);

// When neighbour_timeout is to be called next; UINT64_MAX: not before something is sent.
hal_ns neighbour_deadline(struct neighbours *neighbours);

// A copy of the index-th, of NEIGHBOUR_MAX, as it is now: its packets are not to be touched.
struct neighbour neighbour_at(struct neighbours *neighbours, uint32_t index);

#endif
