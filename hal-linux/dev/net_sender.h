// SPDX-License-Identifier: BSD-3-Clause
// net_sender.h: what goes by a TAP, for net.c. Datagrams of UDP that one kick brings, that have the
// same ends and size, and whose checksum is left to the host, are written as one frame, which the
// host takes for as many (UDP segmentation offload): it looks once for what they have in common.
// Other frames of the kick go by one system call where there is a ring for them (uring.h).
#ifndef HAL_LINUX_DEV_NET_SENDER_H
#define HAL_LINUX_DEV_NET_SENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "hal-linux/dev/uring.h"

struct device_chain;

enum {
    NET_SENDER_MAX = 64, // datagrams in one frame: Linux's UDP_MAX_SEGMENTS
    NET_SENDER_HEADS = 12 + 14 + 40 + 8,
};

// Of one queue; all is its server's.
struct net_sender {
    int fd;
    struct uring *ring;                        // of fd's; NULL: there is none
    struct device_chain *submitted[URING_MAX]; // that wait in it
    bool is_alone;                             // the host does not take several as one
    bool has_long;                             // see net_sender_flush
    uint32_t count;                            // of chains that wait for others
    uint32_t payload;   // bytes of the first one's; another may be shorter, and is the last
    uint32_t size;      // bytes of all their payloads
    uint32_t transport; // from the Ethernet header to the one of UDP
    struct device_chain *chains[NET_SENDER_MAX];
    struct iovec parts[1 + NET_SENDER_MAX];
    uint8_t heads[NET_SENDER_HEADS]; // of the first: virtio's, Ethernet's, IP's and UDP's
};

// The sender is of zeros but for fd and ring. Sends the frame, with its virtio header, now or with
// others.
void net_sender_send(struct net_sender *sender, struct device_chain *chain);

// What waits for others goes now. Whether a frame since the last time was of several parts, as long
// ones are.
bool net_sender_flush(struct net_sender *sender);

#endif
