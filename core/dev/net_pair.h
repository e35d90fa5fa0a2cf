// SPDX-License-Identifier: BSD-3-Clause
// net_pair.h: a pair of queues of a network device, for net.c: by one packets come to a CPU, by the
// other those go that are sent there.
#ifndef CORE_DEV_NET_PAIR_H
#define CORE_DEV_NET_PAIR_H

#include "core/dev/net.h"
#include "core/dev/virtq.h"
#include "core/sync/mutex.h"

#define NET_FEATURE_GUEST_CHECKSUM (UINT64_C(1) << 1)

struct thread;

enum net_pair_count {
    NET_PAIR_RECEIVED,
    NET_PAIR_RECEIVED_BYTES,
    NET_PAIR_SENT,
    NET_PAIR_SENT_BYTES,
    NET_PAIR_DROPPED,
    NET_PAIR_DAMAGED,
    NET_PAIR_COUNTS
};

struct net_pair {
    struct hal_dev *dev;
    const struct net_device_user *user;
    uint64_t features; // as agreed upon
    uint32_t index;    // and that of its CPU

    struct virtq receive_ring; // the CPU's, interrupts off
    struct thread *poller;     // receives what the interrupt leaves
    _Atomic bool is_polling, is_called, is_closing;
    bool is_started;
    // Of the pairs over which the device spreads flows by their hash: all hear that there is room
    // in one. QEMU keeps a packet that finds none where it came in, and tries again only when that
    // queue is kicked. 0: each hears of its own.
    _Atomic uint32_t spread_count;

    struct mutex send_lock;
    struct virtq send_ring;
    _Atomic(struct thread *) sender; // waits for room in the ring
    _Atomic bool is_held;            // the ring has packets that the device has not heard of

    // Each is written by one at a time: whoever has the ring.
    _Atomic uint64_t counts[NET_PAIR_COUNTS];
};

// Attaches the queues of a pair that is all-zero but for dev, user, features and index. -ENOMEM,
// -EINVAL, -ENOSPC; stop and free are called then, too.
HAL_MUST_CHECK int net_pair_open(struct net_pair *pair, const char *name);
void net_pair_start(struct net_pair *pair); // the device runs
void net_pair_stop(struct net_pair *pair);  // the device is stopped: nobody is at the pair any more
void net_pair_free(struct net_pair *pair);  // all pairs are stopped

// Of one of its two queues, interrupts off: on its CPU, or, where all share one, on CPU 0.
void net_pair_interrupt(struct net_pair *pair, uint32_t queue);

HAL_MUST_CHECK int net_pair_send(struct net_pair *pair, struct packet *packet); // net_device_send
void net_pair_flush(struct net_pair *pair);                                     // net_device_flush
bool net_pair_has_sent(struct net_pair *pair); // net_device_has_sent

#endif
