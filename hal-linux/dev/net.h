// SPDX-License-Identifier: BSD-3-Clause
// net.h: network devices whose wire is a socket or a TAP interface of the host.
#ifndef HAL_LINUX_DEV_NET_H
#define HAL_LINUX_DEV_NET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    NET_HARDWARE_SIZE = 6,
    NET_HARDWARE_DIGITS = 2 * NET_HARDWARE_SIZE,
    NET_FOLDER_MAX = 90,
    NET_VIRTIO_HEADER = 12,
    NET_SEND_BUFFER = 4 << 20, // of sockets that frames are sent by
    NET_PATIENCE_US = 200000,  // of a sender, where others have no room
    NET_FAR_PAIRS_MAX = 8,
};

struct uring;

struct net_far {
    // Each gives and takes one frame at a time, with a virtio header of 12 bytes. One; or the
    // queues of a TAP, of which each is a pair of the device's.
    int fds[NET_FAR_PAIRS_MAX];
    uint32_t pair_count;
    bool is_tap;
    struct uring *readers[NET_FAR_PAIRS_MAX], *writers[NET_FAR_PAIRS_MAX]; // of a TAP; NULL: none
    // NULL: none. Otherwise the one is a datagram socket, and each machine of the switch has one in
    // this folder whose name is its hardware address, as digits.
    const char *folder;
    uint8_t hardware[NET_HARDWARE_SIZE];
    uint16_t mtu;
    int capture; // of capture_open; 0: none
};

// Hosted. Adds a HAL_NET device; far stays the caller's, and as it is. As device_add.
int net_add(const char *name, struct net_far *far);

// Hosted, at the end: waits until what a machine has sent has left it, but not for ever.
void net_drain(void);

// The name of a socket in folder, of NET_HARDWARE_DIGITS and a 0.
void net_hardware_name(const uint8_t hardware[NET_HARDWARE_SIZE], char *name);

#endif
