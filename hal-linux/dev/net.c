// SPDX-License-Identifier: BSD-3-Clause
// net.c: the far end of network devices (virtio 1.2, 5.1): frames of a TAP, or of a switch that is
// a folder: a frame goes to the socket whose name is its target, one for many goes to all sockets.
//
// What is sent is gone within the kick; where the other has no room for it, and where it is for
// many, a worker sends it. Buffers for what comes wait in a ring for one worker, who is given the
// first of them and never ends: it reads into each from the wire.
#include "hal-linux/dev/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "hal-linux/dev/capture.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/syscall.h"

enum {
    RECEIVE,
    SEND,
    QUEUES,
    HEADER = sizeof(struct virtio_net_hdr_mrg_rxbuf),
    LISTING_SIZE = 4096,
    NAME_OFFSET = 19, // of d_name in struct linux_dirent64
    RECORD_OFFSET = 16,
};

struct wire { // state of a device
    struct net_far *far;
    bool is_served;                // a worker has the buffers; of the queue's server alone
    _Atomic uint32_t given, taken; // buffers, by the queue's server and by the worker
    struct device_chain *buffers[DEVICE_RING_MAX];
};

static struct wire wires[DEVICE_MAX];
static uint32_t wire_count;

// ---- Sending -----------------------------------------------------------------------------

void net_hardware_name(const uint8_t hardware[NET_HARDWARE_SIZE], char *name)
{
    for (int i = 0; i < NET_HARDWARE_SIZE; ++i) {
        *name++ = "0123456789abcdef"[hardware[i] >> 4];
        *name++ = "0123456789abcdef"[hardware[i] & 15];
    }
    *name = 0;
}

static void path_make(struct sockaddr_un *address, const char *folder, const char *name)
{
    size_t at = 0;
    address->sun_family = AF_UNIX;
    while (*folder != 0 && at < NET_FOLDER_MAX) {
        address->sun_path[at++] = *folder++;
    }
    address->sun_path[at++] = '/';
    while (*name != 0 && at < sizeof address->sun_path - 1) {
        address->sun_path[at++] = *name++;
    }
    address->sun_path[at] = 0;
}

// To the machine that has the name. What is left of one that has ended is removed.
static long socket_send(const struct net_far *far, struct device_chain *chain, const char *name,
                        int flags)
{
    struct sockaddr_un to;
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof to,
                             .msg_iov = chain->parts,
                             .msg_iovlen = chain->in_count};
    path_make(&to, far->folder, name);
    const long sent = syscall3(SYS_sendmsg, far->fd, (long)&message, flags | MSG_NOSIGNAL);
    if (sent == -ECONNREFUSED) {
        (void)syscall3(SYS_unlink, (long)to.sun_path, 0, 0);
    }
    return sent;
}

static const uint8_t *target_of(const struct device_chain *chain)
{
    return chain->parts[0].iov_base;
}

static bool name_is_other(const char *name, const char *own)
{
    size_t at = 0;
    while (name[at] != 0 && name[at] == own[at]) {
        ++at;
    }
    return at < NET_HARDWARE_DIGITS && name[0] != '.';
}

// On a worker: to all in the folder but this one.
static void all_send(const struct net_far *far, struct device_chain *chain)
{
    char own[NET_HARDWARE_DIGITS + 1], listing[LISTING_SIZE];
    const long folder =
        syscall4(SYS_openat, AT_FDCWD, (long)far->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long size;
    net_hardware_name(far->hardware, own);
    while (folder >= 0 &&
           (size = syscall3(SYS_getdents64, folder, (long)listing, sizeof listing)) > 0) {
        for (long at = 0; at < size;) {
            const char *record = listing + at;
            const char *name = record + NAME_OFFSET;
            if (name_is_other(name, own)) {
                (void)socket_send(far, chain, name, 0);
            }
            at += *(const unsigned short *)(const void *)(record + RECORD_OFFSET);
        }
    }
    if (folder >= 0) {
        (void)syscall3(SYS_close, folder, 0, 0);
    }
}

// On a worker, where it may take a while; what does not go within the socket's patience is lost, as
// on any wire.
static void late_send(struct device_chain *chain)
{
    const struct wire *wire = chain->state;
    char name[NET_HARDWARE_DIGITS + 1];
    if ((target_of(chain)[0] & 1) != 0) {
        all_send(wire->far, chain);
    } else {
        net_hardware_name(target_of(chain), name);
        (void)socket_send(wire->far, chain, name, 0);
    }
    device_chain_done(chain, 0);
}

static void frame_note(const struct net_far *far, const struct device_chain *chain, size_t size)
{
    if (far->capture != 0) {
        capture_frame(far->capture, chain->parts, chain->in_count + chain->out_count, HEADER, size);
    }
}

static void send_serve(struct wire *wire, struct device_chain *chain)
{
    char name[NET_HARDWARE_DIGITS + 1];
    struct iovec *first = &chain->parts[0];
    const size_t least = HEADER + NET_HARDWARE_SIZE;
    if (chain->in_count == 0 || first->iov_len < least) {
        device_chain_done(chain, 0);
        return;
    }
    frame_note(wire->far, chain, device_size(chain->parts, chain->in_count));
    if (wire->far->folder == NULL) {
        (void)syscall3(SYS_writev, wire->far->fd, (long)chain->parts, chain->in_count);
        device_chain_done(chain, 0);
        return;
    }
    first->iov_base = (char *)first->iov_base + HEADER;
    first->iov_len -= HEADER;
    net_hardware_name(target_of(chain), name);
    if ((target_of(chain)[0] & 1) != 0 ||
        socket_send(wire->far, chain, name, MSG_DONTWAIT) == -EAGAIN) {
        device_chain_defer(chain, late_send);
        return;
    }
    device_chain_done(chain, 0);
}

// ---- Receiving ---------------------------------------------------------------------------

static struct device_chain *buffer_next(struct wire *wire)
{
    const uint32_t taken = wire->taken;
    uint32_t given;
    while ((given = atomic_load(&wire->given)) == taken) {
        (void)syscall6(SYS_futex, (long)&wire->given, FUTEX_WAIT_PRIVATE, given, 0, 0, 0);
    }
    struct device_chain *chain = wire->buffers[taken % DEVICE_RING_MAX];
    atomic_store(&wire->taken, taken + 1);
    return chain;
}

// One frame, into the buffer. Its size with the header, or -errno.
static long frame_read(const struct net_far *far, struct device_chain *chain)
{
    struct virtio_net_hdr_mrg_rxbuf *header = chain->parts[0].iov_base;
    struct iovec parts[2] = {chain->parts[0], {0}};
    long size;
    if (far->folder != NULL) {
        *header = (struct virtio_net_hdr_mrg_rxbuf){0};
        parts[0].iov_base = header + 1;
        parts[0].iov_len -= HEADER;
    }
    do {
        size = syscall3(SYS_readv, far->fd, (long)parts, 1);
    } while (size == -EINTR);
    header->num_buffers = 1;
    return size < 0 ? size : far->folder != NULL ? size + HEADER : size;
}

// On a worker, for ever; with the first buffer.
static void receive_run(struct device_chain *chain)
{
    struct wire *wire = chain->state;
    for (;;) {
        const bool is_usable = chain->in_count == 0 && chain->parts[0].iov_len > HEADER;
        const long size = is_usable ? frame_read(wire->far, chain) : 0;
        if (size < 0) {
            return; // the wire is cut: the buffers stay here
        }
        frame_note(wire->far, chain, (size_t)size);
        device_chain_done(chain, (uint32_t)size);
        chain = buffer_next(wire);
    }
}

static void receive_serve(struct wire *wire, struct device_chain *chain)
{
    if (!wire->is_served) {
        wire->is_served = true;
        device_chain_defer(chain, receive_run);
        return;
    }
    const uint32_t given = wire->given; // the ring has room for all that the queue has
    wire->buffers[given % DEVICE_RING_MAX] = chain;
    atomic_store(&wire->given, given + 1);
    if (atomic_load(&wire->taken) == given) {
        (void)syscall6(SYS_futex, (long)&wire->given, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    }
}

static void net_serve(struct device_chain *chain)
{
    struct wire *wire = chain->state;
    if (chain->queue == RECEIVE) {
        receive_serve(wire, chain);
    } else {
        send_serve(wire, chain);
    }
}

int net_add(const char *name, struct net_far *far)
{
    static const struct device_ops ops = {
        .features = 1ul << VIRTIO_NET_F_MAC | 1ul << VIRTIO_NET_F_MTU,
        .queue_count = QUEUES,
        .config_size = offsetof(struct virtio_net_config, mtu) + sizeof(uint16_t),
        .serve = net_serve,
    };
    struct virtio_net_config config = {.mtu = far->mtu};
    if (wire_count == DEVICE_MAX) {
        return -ENOSPC;
    }
    for (int i = 0; i < NET_HARDWARE_SIZE; ++i) {
        config.mac[i] = far->hardware[i];
    }
    struct wire *wire = &wires[wire_count++];
    wire->far = far;
    return device_add(HAL_NET, name, &ops, wire, &config);
}
