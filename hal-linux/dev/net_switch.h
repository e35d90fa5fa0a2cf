// SPDX-License-Identifier: BSD-3-Clause
// net_switch.h: a switch that is a folder: each machine has a datagram socket in it, whose name is
// its hardware address, as digits. What is sent to one that does not read holds up nobody else.
//
// Raw system calls only, on any thread, but on one at a time.
#ifndef HAL_LINUX_DEV_NET_SWITCH_H
#define HAL_LINUX_DEV_NET_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "hal-linux/dev/net.h"

struct iovec;

enum { SWITCH_PEER_MAX = 64 };

// Another machine on the switch. It has a socket of this one's for itself: what it has not read
// counts against that one's room alone.
struct switch_peer {
    uint64_t name; // 0: free
    int fd;        // 0: not yet made
    bool is_deaf;  // has let this one wait in vain: until it reads again, nobody waits for it
};

struct switch_peers { // of zeros at the beginning
    struct switch_peer all[SWITCH_PEER_MAX];
    uint32_t next; // to make room
};

struct switch_frame { // with its virtio header; the first part has that and the target
    const struct iovec *parts;
    uint32_t count;
};

// To the machine whose address is the frame's target. False: it has no room now, but may have some
// soon.
bool switch_send(struct switch_peers *peers, const struct net_far *far, struct switch_frame frame);

// The same, to all machines where the target is many. Waits for room, but not for ever, and not for
// the deaf: what finds none is lost, as on any wire.
void switch_send_late(struct switch_peers *peers, const struct net_far *far,
                      struct switch_frame frame);

#endif
