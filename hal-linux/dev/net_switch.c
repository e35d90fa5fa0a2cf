// SPDX-License-Identifier: BSD-3-Clause
// net_switch.c: see net_switch.h.
#include "hal-linux/dev/net_switch.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "hal-linux/syscall.h"

enum {
    LISTING_SIZE = 4096,
    NAME_OFFSET = 19, // of d_name in struct linux_dirent64
    RECORD_OFFSET = 16,
};

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

// ---- Others on the switch ----------------------------------------------------------------

// -errno: this process may have no more files.
static long socket_make(void)
{
    const struct timeval patience = {.tv_usec = NET_PATIENCE_US};
    const int buffer = NET_SEND_BUFFER;
    const long fd = syscall3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)syscall6(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (long)&patience,
                       sizeof patience, 0);
        (void)syscall6(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, (long)&buffer, sizeof buffer, 0);
    }
    return fd;
}

// Not 0. The same for no two names of NET_HARDWARE_DIGITS.
static uint64_t number_of(const char *name)
{
    uint64_t number = 1;
    for (; *name != 0; ++name) {
        number = number << 4 | (uint64_t)((*name & 15) + (*name > '9' ? 9 : 0));
    }
    return number;
}

static struct switch_peer *peer_of(struct switch_peers *peers, const char *name)
{
    const uint64_t number = number_of(name);
    struct switch_peer *chosen = NULL;
    for (uint32_t i = 0; i < SWITCH_PEER_MAX; ++i) {
        struct switch_peer *peer = &peers->all[i];
        if (peer->name == number) {
            return peer;
        }
        chosen = chosen == NULL && peer->name == 0 ? peer : chosen;
    }
    chosen = chosen != NULL ? chosen : &peers->all[peers->next++ % SWITCH_PEER_MAX];
    if (chosen->fd == 0) {
        const long fd = socket_make();
        chosen->fd = fd > 0 ? (int)fd : 0;
    }
    chosen->name = number;
    chosen->is_deaf = false;
    return chosen;
}

// What is left of a machine that has ended is removed.
static long socket_send(const struct net_far *far, struct switch_peer *peer,
                        struct switch_frame frame, const char *name, int flags)
{
    struct sockaddr_un to;
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof to,
                             .msg_iov = (struct iovec *)(uintptr_t)frame.parts,
                             .msg_iovlen = frame.count};
    path_make(&to, far->folder, name);
    const long sent = syscall3(SYS_sendmsg, peer->fd != 0 ? peer->fd : far->fds[0], (long)&message,
                               flags | MSG_NOSIGNAL);
    if (sent == -ECONNREFUSED) {
        (void)syscall3(SYS_unlink, (long)to.sun_path, 0, 0);
    }
    if (sent == -ECONNREFUSED || sent == -ENOENT) {
        peer->name = 0;
    }
    return sent;
}

// ---- Frames ------------------------------------------------------------------------------

static const uint8_t *target_of(struct switch_frame frame)
{
    return (const uint8_t *)frame.parts[0].iov_base + NET_VIRTIO_HEADER;
}

// False: it may have room soon.
static bool now_send(const struct net_far *far, struct switch_peer *peer, struct switch_frame frame,
                     const char *name)
{
    const long sent = socket_send(far, peer, frame, name, MSG_DONTWAIT);
    peer->is_deaf = peer->is_deaf && sent == -EAGAIN;
    return sent != -EAGAIN || peer->is_deaf;
}

// False: there is no patience left.
static bool patient_send(struct switch_peers *peers, const struct net_far *far,
                         struct switch_frame frame, const char *name, bool is_patient)
{
    struct switch_peer *peer = peer_of(peers, name);
    if (now_send(far, peer, frame, name)) {
        return is_patient;
    }
    peer->is_deaf = !is_patient || socket_send(far, peer, frame, name, 0) == -EAGAIN;
    return !peer->is_deaf;
}

static bool name_is_other(const char *name, const char *own)
{
    size_t at = 0;
    while (name[at] != 0 && name[at] == own[at]) {
        ++at;
    }
    return at < NET_HARDWARE_DIGITS && name[0] != '.';
}

// To all in the folder but this one.
static void all_send(struct switch_peers *peers, const struct net_far *far,
                     struct switch_frame frame)
{
    char own[NET_HARDWARE_DIGITS + 1], listing[LISTING_SIZE];
    const long folder =
        syscall4(SYS_openat, AT_FDCWD, (long)far->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    bool is_patient = true; // once for all of them
    long size;
    net_hardware_name(far->hardware, own);
    while (folder >= 0 &&
           (size = syscall3(SYS_getdents64, folder, (long)listing, sizeof listing)) > 0) {
        for (long at = 0; at < size;) {
            const char *record = listing + at;
            const char *name = record + NAME_OFFSET;
            if (name_is_other(name, own)) {
                is_patient = patient_send(peers, far, frame, name, is_patient);
            }
            at += *(const unsigned short *)(const void *)(record + RECORD_OFFSET);
        }
    }
    if (folder >= 0) {
        (void)syscall3(SYS_close, folder, 0, 0);
    }
}

bool switch_send(struct switch_peers *peers, const struct net_far *far, struct switch_frame frame)
{
    char name[NET_HARDWARE_DIGITS + 1];
    if ((target_of(frame)[0] & 1) != 0) {
        return false;
    }
    net_hardware_name(target_of(frame), name);
    return now_send(far, peer_of(peers, name), frame, name);
}

void switch_send_late(struct switch_peers *peers, const struct net_far *far,
                      struct switch_frame frame)
{
    char name[NET_HARDWARE_DIGITS + 1];
    if ((target_of(frame)[0] & 1) != 0) {
        all_send(peers, far, frame);
    } else {
        net_hardware_name(target_of(frame), name);
        (void)patient_send(peers, far, frame, name, true);
    }
}
