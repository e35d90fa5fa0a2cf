// SPDX-License-Identifier: BSD-3-Clause
// net.c: the far end of network devices (virtio 1.2, 5.1): frames of a TAP, or of a switch that is
// a folder (net_switch.h).
//
// What is sent is gone within the kick; where the other has no room for it, and where it is for
// many, a worker sends it, and all that comes meanwhile, in order. What comes is net_receiver.h's.
//
// A TAP of several queues is a device of as many pairs. Which of them a flow comes by the host
// learns from what is sent.
//
// Headers go with the frames, on a switch, too: what one machine has left to its device, checksums
// and segments, the host's or the other machine's does.
#include "hal-linux/dev/net.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "hal-linux/dev/capture.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/dev/net_receiver.h"
#include "hal-linux/dev/net_sender.h"
#include "hal-linux/dev/net_switch.h"
#include "hal-linux/syscall.h"

enum {
    RECEIVE, // of a pair
    SEND,
    QUEUES,
    HEADER = NET_VIRTIO_HEADER,
    LINK = ETH_HLEN + 4,           // with a VLAN's tag
    LARGE = 65535 + LINK + HEADER, // a frame of many segments
    DRAIN_NS = 200000000,
    DRAIN_TRIES = 5,
};

_Static_assert(HEADER == sizeof(struct virtio_net_hdr_mrg_rxbuf), "virtio 1.2, 5.1.6");

#define BIT(name) (1ul << VIRTIO_NET_F_##name)
#ifndef VIRTIO_NET_F_HOST_USO // Linux 6.2's
#define VIRTIO_NET_F_HOST_USO 56
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define CHECKSUMS (BIT(CSUM) | BIT(GUEST_CSUM))
#define SEGMENTS (BIT(HOST_TSO4) | BIT(HOST_TSO6))
#define GUEST_SEGMENTS (BIT(GUEST_TSO4) | BIT(GUEST_TSO6))

struct wire { // state of a device
    struct net_far *far;
    struct device_ops ops;
    uint32_t control; // its queue
    struct net_receiver receivers[NET_FAR_PAIRS_MAX];
    struct net_sender senders[NET_FAR_PAIRS_MAX]; // of a TAP's queues
    // Frames that a worker sends: put there by the queue's server, and taken by the one worker that
    // there is while they are not 0. late_count hands over both.
    _Atomic uint32_t late_count;
    uint32_t late_given, late_taken;
    struct device_chain *late[DEVICE_RING_MAX];
    struct switch_peers peers; // of the worker's while late_count is not 0, then the server's
};

static struct wire wires[DEVICE_MAX];
static uint32_t wire_count;

// ---- Sending -----------------------------------------------------------------------------

static struct switch_frame frame_of(const struct device_chain *chain)
{
    return (struct switch_frame){chain->parts, chain->in_count};
}

// On a worker, until there are none.
static void late_run(struct device_chain *first)
{
    struct wire *wire = first->state;
    do {
        struct device_chain *chain = wire->late[wire->late_taken++ % DEVICE_RING_MAX];
        switch_send_late(&wire->peers, wire->far, frame_of(chain));
        device_chain_done(chain, 0);
    } while (atomic_fetch_sub(&wire->late_count, 1) > 1);
    (void)syscall6(SYS_futex, (long)&wire->late_count, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static void late_add(struct wire *wire, struct device_chain *chain)
{
    wire->late[wire->late_given++ % DEVICE_RING_MAX] = chain; // room for all that the queue has
    if (atomic_fetch_add(&wire->late_count, 1) == 0) {
        device_chain_defer(chain, late_run);
    }
}

void net_drain(void)
{
    const struct timespec patience = {.tv_nsec = DRAIN_NS};
    for (uint32_t i = 0; i < wire_count; ++i) {
        uint32_t count;
        for (int tries = 0; tries < DRAIN_TRIES && (count = atomic_load(&wires[i].late_count)) != 0;
             ++tries) {
            (void)syscall6(SYS_futex, (long)&wires[i].late_count, FUTEX_WAIT_PRIVATE, count,
                           (long)&patience, 0, 0);
        }
    }
}

static void frame_note(const struct net_far *far, const struct device_chain *chain, size_t size)
{
    if (far->capture != 0) {
        capture_frame(far->capture, chain->parts, chain->in_count, HEADER, size);
    }
}

static void send_serve(struct wire *wire, struct device_chain *chain)
{
    const size_t least = HEADER + NET_HARDWARE_SIZE;
    if (chain->in_count == 0 || chain->parts[0].iov_len < least) {
        device_chain_done(chain, 0);
        return;
    }
    frame_note(wire->far, chain, device_size(chain->parts, chain->in_count));
    if (wire->far->is_tap) {
        net_sender_send(&wire->senders[chain->queue / QUEUES], chain);
        return;
    }
    if (wire->far->folder == NULL) {
        (void)syscall3(SYS_writev, wire->far->fds[chain->queue / QUEUES], (long)chain->parts,
                       chain->in_count);
        device_chain_done(chain, 0);
        return;
    }
    if (atomic_load(&wire->late_count) != 0 ||
        !switch_send(&wire->peers, wire->far, frame_of(chain))) {
        late_add(wire, chain);
        return;
    }
    device_chain_done(chain, 0);
}

// ---- Pairs of queues -----------------------------------------------------------------------

// The TAP's other queues have none of its frames.
static void pairs_use(struct wire *wire, uint32_t count)
{
    const struct net_far *far = wire->far;
    net_receiver_use(&wire->receivers[0], true);
    for (uint32_t i = 1; i < far->pair_count; ++i) {
        const struct ifreq request = {.ifr_flags = i < count ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE};
        net_receiver_use(&wire->receivers[i], false); // it is read while it is attached
        (void)syscall3(SYS_ioctl, far->fds[i], TUNSETQUEUE, (long)&request); // or it is so already
        net_receiver_use(&wire->receivers[i], i < count);
    }
}

static void control_serve(struct wire *wire, struct device_chain *chain)
{
    struct {
        struct virtio_net_ctrl_hdr head;
        uint8_t pairs[sizeof(uint16_t)];
    } command = {0};
    virtio_net_ctrl_ack answer = VIRTIO_NET_ERR;
    const size_t size = device_gather(chain->parts, chain->in_count, 0, &command, sizeof command);
    const uint32_t count = command.pairs[0] | (uint32_t)command.pairs[1] << 8;
    if (size == sizeof command && command.head.class == VIRTIO_NET_CTRL_MQ &&
        command.head.cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET && count > 0 &&
        count <= wire->far->pair_count) {
        pairs_use(wire, count);
        answer = VIRTIO_NET_OK;
    }
    device_chain_done(chain, (uint32_t)device_scatter(chain->parts + chain->in_count,
                                                      chain->out_count, 0, &answer, sizeof answer));
}

static void net_serve(struct device_chain *chain)
{
    struct wire *wire = chain->state;
    if (chain->queue == wire->control) {
        control_serve(wire, chain);
    } else if (chain->queue % QUEUES == RECEIVE) {
        net_receiver_serve(&wire->receivers[chain->queue / QUEUES], chain);
    } else {
        send_serve(wire, chain);
    }
}

static void net_served(void *state, uint32_t queue)
{
    struct wire *wire = state;
    if (wire->far->is_tap && queue != wire->control && queue % QUEUES == SEND) {
        if (net_sender_flush(&wire->senders[queue / QUEUES])) {
            net_receiver_sent(&wire->receivers[queue / QUEUES]);
        }
    }
}

static void net_reset(void *state, uint64_t features)
{
    struct wire *wire = state;
    const unsigned taken = ((features & BIT(GUEST_CSUM)) != 0 ? TUN_F_CSUM : 0u) |
                           ((features & BIT(GUEST_TSO4)) != 0 ? TUN_F_TSO4 : 0u) |
                           ((features & BIT(GUEST_TSO6)) != 0 ? TUN_F_TSO6 : 0u);
    for (uint32_t i = 0; i < wire->far->pair_count; ++i) {
        net_receiver_frame_max(&wire->receivers[i], (features & GUEST_SEGMENTS) != 0
                                                        ? LARGE
                                                        : (size_t)wire->far->mtu + LINK + HEADER);
    }
    wire->control = (features & BIT(MQ)) != 0 ? QUEUES * wire->far->pair_count : QUEUES;
    pairs_use(wire, 1);
    if (wire->far->is_tap) { // else the host does what is left to it
        (void)syscall3(SYS_ioctl, wire->far->fds[0], TUNSETOFFLOAD, (long)taken);
    }
}

// Whether the host cuts datagrams that come from us.
static bool cuts_datagrams(const struct net_far *far)
{
    const unsigned wanted = TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
    const bool does = syscall3(SYS_ioctl, far->fds[0], TUNSETOFFLOAD, (long)wanted) == 0;
    if (does) {
        (void)syscall3(SYS_ioctl, far->fds[0], TUNSETOFFLOAD, 0);
    }
    return does;
}

int net_add(const char *name, struct net_far *far)
{
    struct virtio_net_config config = {.mtu = far->mtu,
                                       .max_virtqueue_pairs = (uint16_t)far->pair_count};
    if (wire_count == DEVICE_MAX) {
        return -ENOSPC;
    }
    for (int i = 0; i < NET_HARDWARE_SIZE; ++i) {
        config.mac[i] = far->hardware[i];
    }
    struct wire *wire = &wires[wire_count++];
    wire->far = far;
    for (uint32_t i = 0; i < far->pair_count; ++i) {
        wire->senders[i].fd = far->fds[i];
        wire->senders[i].ring = far->writers[i];
        net_receiver_init(&wire->receivers[i], far->fds[i], far->capture, far->readers[i]);
    }
    // What a TAP's frames are on the wire: with help, a capture would have other sizes and sums.
    const bool is_helping = far->folder != NULL || (far->is_tap && far->capture == 0);
    const bool has_pairs = far->pair_count > 1;
    const bool cuts_udp = is_helping && far->is_tap && cuts_datagrams(far);
    wire->ops = (struct device_ops){
        .features = BIT(MAC) | BIT(MTU) | BIT(MRG_RXBUF) |
                    (is_helping ? CHECKSUMS | SEGMENTS | GUEST_SEGMENTS : 0) |
                    (is_helping && far->is_tap ? BIT(HOST_UFO) : 0) |
                    (cuts_udp ? BIT(HOST_USO) : 0) | (has_pairs ? BIT(CTRL_VQ) | BIT(MQ) : 0),
        .queue_count = QUEUES * far->pair_count + has_pairs,
        .config_size = offsetof(struct virtio_net_config, mtu) + sizeof(uint16_t),
        .serve = net_serve,
        .served = net_served,
        .reset = net_reset,
    };
    return device_add(HAL_NET, name, &wire->ops, wire, &config);
}
