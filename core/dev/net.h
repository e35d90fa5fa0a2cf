// SPDX-License-Identifier: BSD-3-Clause
// net.h: the driver of network devices (virtio 1.2, 5.1): Ethernet frames, without their checksum,
// to and from a pair of queues for each CPU, if it has so many. What the device offers of the
// transports' work it does: checksums both ways, cutting what is sent into segments and putting
// together what comes.
#ifndef CORE_DEV_NET_H
#define CORE_DEV_NET_H

#include <stdbool.h>

#include "core/dev/packet.h"

struct net_device;

// Who has the device; called with interrupts off, and must not block.
struct net_device_user {
    // A packet has come, and is the user's own: on the CPU of its queue, in the order in which they
    // come there; several CPUs may be at it. NULL: one was dropped, or damaged. A short packet is a
    // block, and does not keep a page.
    void (*receive)(void *state, struct packet *packet);
    // What came at once on that CPU has been received. NULL: it need not be told.
    void (*receive_end)(void *state);
    // It is to be looked at anew whether there is a link, or an announcement wanted.
    void (*changed)(void *state);
    void *state;
};

enum {
    NET_ADDRESS_SIZE = 6,
    NET_MTU_DEFAULT = 1500,
    NET_MTU_MIN = 68,
    NET_PARTS_MAX = 16,
    NET_PAIRS_MAX = 8,
};

enum net_offload {         // what the device does
    NET_CHECKSUMS = 1,     // of what is sent: packet.checksum_place
    NET_SEGMENTS_V4 = 2,   // packet.segment_size, over IPv4
    NET_SEGMENTS_V6 = 4,   // and over IPv6
    NET_MERGES = 8,        // segments that come in a row are one packet
    NET_SEGMENTS_UDP = 16, // packet.segment_size of datagrams, over both
    NET_FRAGMENTS = 32,    // packet.is_fragmented, of datagrams over both
};

struct net_counts {
    uint64_t received, sent; // packets
    uint64_t received_bytes, sent_bytes;
    uint64_t dropped; // received, and there was no memory to receive the next into
    uint64_t damaged; // received, and shorter than a virtio header and an Ethernet header
};

// *user is copied. -ENODEV: there is no such device, or it wants what this driver has not; -ENOMEM;
// -EINVAL: it has not the queues that it is to have.
HAL_MUST_CHECK int net_device_open(const struct hal_dev_info *info,
                                   const struct net_device_user *user, struct net_device **device);
void net_device_close(struct net_device *device); // nobody sends

// Its own, or one made at random where the device has none.
const uint8_t *net_device_address(const struct net_device *device);
// The most bytes behind the Ethernet header.
uint32_t net_device_mtu(const struct net_device *device);
bool net_device_has_link(const struct net_device *device);
// The device has moved to another host, or the like: all neighbours are to hear where this
// machine's addresses are (virtio 1.2, 5.1.6.5.4). announced: they have; thread context.
bool net_device_wants_announcement(const struct net_device *device);
void net_device_announced(struct net_device *device);
unsigned net_device_offloads(const struct net_device *device);        // enum net_offload
struct net_counts net_device_counts(const struct net_device *device); // a moment's

// Takes the packet, which begins with an Ethernet header and has packet_headroom for a virtio
// header, and sends it; where there is something to be done about it, transport says where that
// header lies behind the Ethernet header's beginning. May block while as many are under way as the
// ring takes. -EIO: the device broke the rules, and is dead; -EMSGSIZE: it has more than
// NET_PARTS_MAX parts. Thread context.
HAL_MUST_CHECK int net_device_send(struct net_device *device, struct packet *packet);

// The device hears of what was sent with has_more, and has not been told it yet. Thread context.
void net_device_flush(struct net_device *device);

// Whether the device has taken all that was sent. Thread context.
bool net_device_has_sent(struct net_device *device);

#endif
