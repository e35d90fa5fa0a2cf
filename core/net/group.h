// SPDX-License-Identifier: BSD-3-Clause
// group.h: which groups of IP's multicast an interface is a member of, and what routers and
// switches on the link are told of that: IGMP (RFC 3376, 2236, 1112), MLD (RFC 3810, 2710).
//
// A state machine: it knows no clock and no packet. Who calls sends what the functions answer,
// after they have given back the lock. All sources are wanted of each group: a socket that wants
// some only leaves out the others itself. Thread context, may block.
#ifndef CORE_NET_GROUP_H
#define CORE_NET_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"
#include "core/sync/mutex.h"
#include "hal/hal.h"

enum { GROUP_MAX = 64 };

struct group {
    struct net_address address;
    uint32_t count;  // of those who want it; 0 and no reports: the place is free
    uint8_t reports; // of a change, still to be sent
    hal_ns deadline; // of the next one
    hal_ns answer;   // to a question, is due; UINT64_MAX: nobody has asked
    bool was_last;   // it was this machine that others have heard of it by
};

enum group_version { // of who asks on the link: of IGMP, of MLD one less
    GROUP_VERSION_1 = 1,
    GROUP_VERSION_2,
    GROUP_VERSION_3,
};

struct groups {        // of one interface, and both versions of IP
    struct mutex lock; // guards what follows
    struct group all[GROUP_MAX];
    uint64_t random;
    hal_ns old_until[2][GROUP_VERSION_3]; // of IPv6, IPv4: somebody asks by that version
};

enum group_act {
    GROUP_NOTHING,
    GROUP_IS_JOINED, // tell all: it becomes a member, or still is one
    GROUP_IS_MEMBER, // the same, as an answer
    GROUP_IS_LEFT,
};

struct group_step {
    enum group_act act;
    enum group_version version; // in whose words
    struct net_address address;
};

void groups_init(struct groups *groups, uint64_t random); // of zeros; random 0: nobody is told

// All who want address leave it as often as they join it. -ENOBUFS: there are GROUP_MAX others.
HAL_MUST_CHECK int group_join(struct groups *groups, const struct net_address *address, hal_ns now);
void group_leave(struct groups *groups, const struct net_address *address, hal_ns now);

bool group_is_joined(struct groups *groups, const struct net_address *address);

// The place-th of GROUP_MAX: how many want it; 0: nobody, and *address is nothing.
uint32_t group_at(struct groups *groups, uint32_t place, struct net_address *address);

// Whose words are used for that version of IP.
enum group_version group_version_of(struct groups *groups, bool is_v4, hal_ns now);

// Somebody wants to know, within span, of address, or, where that is any, of all of its version.
void group_asked(struct groups *groups, const struct net_address *address,
                 enum group_version version, hal_ns span, hal_ns now);

// Another on the link has said that it is a member, too: by the older versions one is enough.
void group_heard(struct groups *groups, const struct net_address *address);

// What is due: one thing at a time, until GROUP_NOTHING.
void group_timeout(struct groups *groups, hal_ns now, struct group_step *step);

// When group_timeout is to be called next; UINT64_MAX: not before something else is.
hal_ns group_deadline(struct groups *groups);

// Of a member that no router need know: all machines (RFC 3376, 5; RFC 3810, 6).
bool group_is_silent(const struct net_address *address);

#endif
