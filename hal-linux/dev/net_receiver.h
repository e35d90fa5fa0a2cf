// SPDX-License-Identifier: BSD-3-Clause
// net_receiver.h: what comes by a pair of a network device's queues, for net.c: frames of a
// descriptor go to the buffers that the driver has given.
#ifndef HAL_LINUX_DEV_NET_RECEIVER_H
#define HAL_LINUX_DEV_NET_RECEIVER_H

#include <stdbool.h>

#include "hal-linux/dev/capture.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/dev/uring.h"
#include "hal-linux/vcpu.h"

enum { NET_RECEIVER_BUFFERS = CAPTURE_PARTS_MAX }; // that one frame may fill

struct net_receiver {
    struct vcpu_source source; // of the vCPU that the queue interrupts
    int fd, capture;           // 0: none
    bool is_served;            // a worker has been given buffers; of the queue's server alone
    bool can_look;             // the descriptor says at once that there is nothing
    _Atomic uint32_t is_used;  // by the driver; the worker waits for it
    struct vcpu *vcpu;
    _Atomic uint32_t given, taken; // buffers, by the queue's server and by the reader
    struct device_chain *ring[DEVICE_RING_MAX];

    _Atomic uint32_t reader; // see net_receiver.c
    _Atomic uint32_t idles;  // how often the vCPU has been the reader
    _Atomic bool is_wanted;  // the vCPU has idled, and was not
    uint64_t looked;         // when it was last, in cycles; the vCPU's
    // The reader's: buffers that are to be filled next, of which those from first on are for the
    // next frame.
    struct uring *several; // frames by one system call; NULL: none
    size_t frame_max;      // bytes with the header
    size_t size;           // of the next frame's
    uint32_t held, first, count;
    uint32_t burst; // how many frames came when the vCPU looked last
    bool is_cut;    // nothing will come any more
    struct device_chain *chains[DEVICE_RING_MAX];
    struct iovec parts[DEVICE_RING_MAX];
};

// Hosted. The receiver is of zeros. fd: of frames, each with a virtio header. One that is there
// already may be lost. several: a ring for it, or NULL.
void net_receiver_init(struct net_receiver *receiver, int fd, int capture, struct uring *several);

// As agreed upon with the driver; before it gives buffers.
void net_receiver_frame_max(struct net_receiver *receiver, size_t size);

// Whether anything comes by it from now on.
void net_receiver_use(struct net_receiver *receiver, bool is_used);

// The other queue of the pair has sent a long frame, on this vCPU, masked.
void net_receiver_sent(struct net_receiver *receiver);

// A buffer for what comes. device_ops.serve.
void net_receiver_serve(struct net_receiver *receiver, struct device_chain *chain);

#endif
