// SPDX-License-Identifier: BSD-3-Clause
// relay.c: see relay.h.
//
// QEMU's far end is a stream of frames, each behind its length as 32 bits (the network's order). A
// thread each way carries them, so that a machine that is slow to take what comes can be heard
// meanwhile. What goes out gets an empty virtio header; what comes in loses it, and becomes what a
// device without offloads takes (frame.h). What QEMU does not take stays in the switch's socket,
// and then with its senders.
#include "sim/run/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hal-linux/dev/net_switch.h"
#include "sim/run/failure.h"
#include "sim/run/frame.h"
#include "sim/run/machine.h"
#include "sim/run/scratch.h"

enum {
    LENGTH_SIZE = 4,
    FRAME_LEAST = 14,
    FRAME_MOST = 65535 + 18,
    // Before a frame virtio's header is written over its length, and what was before that.
    MARGIN = FRAME_HEADER - LENGTH_SIZE,
    OUT_ROOM = MARGIN + 2 * (LENGTH_SIZE + FRAME_MOST),
};

static struct {
    struct net_far *far;
    struct switch_peers peers;
    char *path; // NULL: nothing runs
    int listener, stream;
    pthread_t outward, inward;
    uint8_t out[OUT_ROOM];
    size_t from, to; // of out: what is there
    uint8_t in[FRAME_HEADER + FRAME_MOST];
} relay;

// ---- From QEMU ---------------------------------------------------------------------------

// Waits until size bytes are there. False: the stream is over.
static bool out_read(size_t size)
{
    if (relay.from + size > OUT_ROOM) {
        memmove(relay.out + MARGIN, relay.out + relay.from, relay.to - relay.from);
        relay.to = MARGIN + (relay.to - relay.from);
        relay.from = MARGIN;
    }
    while (relay.to - relay.from < size) {
        const ssize_t got = read(relay.stream, relay.out + relay.to, OUT_ROOM - relay.to);
        if (got <= 0) {
            return false;
        }
        relay.to += (size_t)got;
    }
    return true;
}

// False: there are no more.
static bool frame_out(void)
{
    uint32_t length;
    if (!out_read(LENGTH_SIZE)) {
        return false;
    }
    memcpy(&length, relay.out + relay.from, LENGTH_SIZE);
    const size_t size = ntohl(length);
    if (size < FRAME_LEAST || size > FRAME_MOST || !out_read(LENGTH_SIZE + size)) {
        return false;
    }
    uint8_t *begin = relay.out + relay.from - MARGIN;
    memset(begin, 0, FRAME_HEADER);
    const struct iovec part = {begin, FRAME_HEADER + size};
    const struct switch_frame frame = {&part, 1};
    if (!switch_send(&relay.peers, relay.far, frame)) {
        switch_send_late(&relay.peers, relay.far, frame);
    }
    relay.from += LENGTH_SIZE + size;
    return true;
}

// ---- To QEMU -----------------------------------------------------------------------------

// False: QEMU is gone.
static bool piece_write(const struct frame_piece *piece)
{
    const uint32_t length = htonl((uint32_t)(piece->head_size + piece->data_size));
    struct iovec parts[] = {{(void *)(uintptr_t)&length, LENGTH_SIZE},
                            {(void *)(uintptr_t)piece->head, piece->head_size},
                            {(void *)(uintptr_t)piece->data, piece->data_size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    while (message.msg_iovlen > 0) {
        ssize_t done = sendmsg(relay.stream, &message, MSG_NOSIGNAL);
        if (done < 0) {
            return false;
        }
        for (; message.msg_iovlen > 0 && (size_t)done >= message.msg_iov->iov_len;
             --message.msg_iovlen) {
            done -= (ssize_t)message.msg_iov++->iov_len;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (uint8_t *)message.msg_iov->iov_base + done;
            message.msg_iov->iov_len -= (size_t)done;
        }
    }
    return true;
}

static void *inward_run(void *unused)
{
    struct frame frame;
    struct frame_piece piece;
    bool is_there = true;
    (void)unused;
    while (is_there) {
        const ssize_t size = recv(relay.far->fds[0], relay.in, sizeof relay.in, 0);
        const bool is_frame = size > 0 && frame_begin(&frame, relay.in, (size_t)size);
        while (is_frame && is_there && frame_next(&frame, &piece)) {
            is_there = piece_write(&piece);
        }
    }
    return NULL;
}

// ---- Beginning and end -------------------------------------------------------------------

static void inward_stop(void *unused)
{
    (void)unused;
    (void)pthread_cancel(relay.inward);
    (void)pthread_join(relay.inward, NULL);
    close(relay.stream);
}

static void *outward_run(void *unused)
{
    (void)unused;
    relay.stream = accept4(relay.listener, NULL, NULL, SOCK_CLOEXEC);
    if (relay.stream < 0) {
        return NULL;
    }
    if (pthread_create(&relay.inward, NULL, inward_run, NULL) != 0) {
        close(relay.stream); // the machine's wire is cut
        return NULL;
    }
    pthread_cleanup_push(inward_stop, NULL);
    while (frame_out()) {
    }
    pthread_cleanup_pop(1);
    return NULL;
}

void relay_start(struct machine *machine)
{
    if (machine->network.kind != NETWORK_SWITCH) {
        return;
    }
    relay.far = &machine->network.far;
    relay.from = relay.to = MARGIN;
    char *path;
    relay.listener = scratch_listen("net", &path);
    (void)fcntl(relay.listener, F_SETFL, 0); // it is waited for
    machine->network.socket = path;
    const int error = pthread_create(&relay.outward, NULL, outward_run, NULL);
    if (error != 0) {
        fail(STATUS_CANNOT, "--net: %s", strerror(error));
    }
    relay.path = path;
}

void relay_stop(void)
{
    if (relay.path == NULL) {
        return;
    }
    (void)pthread_cancel(relay.outward);
    (void)pthread_join(relay.outward, NULL);
    close(relay.listener);
    (void)unlink(relay.path);
    free(relay.path);
    relay.path = NULL;
}
