// SPDX-License-Identifier: BSD-3-Clause
// channel.c: channels of the program's own (include/osv/channel.h).
//
// What a frame was when it was taken its packet still says: data and size are the bounds of what
// the program may send of it.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/dev/packet.h"
#include "core/libc/export.h"
#include "core/libc/include/osv/channel.h"
#include "core/linux/credentials.h"
#include "core/linux/socketcalls.h"
#include "core/linux/socketinet.h"
#include "core/net/direct.h"
#include "core/net/ethernet.h"
#include "core/net/udp_answer.h"

// ---- The socket ------------------------------------------------------------------

static int answer(int result)
{
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return result;
}

static bool is_of_udp(const struct file *file)
{
    return file_is_inetsocket(file) && !inet_is_raw(inet_of(file)) &&
           !inet_is_stream(inet_of(file));
}

// -EOPNOTSUPP: it is none that can be a channel.
static int channel_get(int fd, struct file **file, struct net_socket **socket)
{
    const int error = socket_get(fd, file);
    if (error != 0) {
        return error;
    }
    *socket = is_of_udp(*file)              ? &inet_of(*file)->socket
              : file_is_packetsocket(*file) ? packet_socket_of(*file)
                                            : NULL;
    if (*socket == NULL) {
        file_put(*file);
        return -EOPNOTSUPP;
    }
    return 0;
}

EXPORT(int, osv_channel_open, int fd)
{
    struct file *file;
    struct net_socket *socket;
    int error = channel_get(fd, &file, &socket);
    if (error == 0) {
        error = !credentials_may(CAPABILITY_NET_RAW) ? -EPERM
                : file_is_packetsocket(file)         ? packet_take_begin(file)
                                                     : direct_begin(socket);
        file_put(file);
    }
    return answer(error);
}

// ---- Receiving -------------------------------------------------------------------

static struct packet *packet_of(const struct osv_frame *frame)
{
    return frame->lent;
}

// The packet is whole from IP's header on, which link bytes are in front of.
static void header_tell(const struct packet *packet, struct osv_frame *frame)
{
    struct ip_header header;
    uint16_t kind = 0;
    if (frame->link != 0) {
        memcpy(&kind, packet->data + frame->link - sizeof kind, sizeof kind);
        kind = net_order16(kind);
    }
    const bool may_be_ip = frame->link == 0 || kind == ETHERNET_V4 || kind == ETHERNET_V6;
    if (may_be_ip &&
        direct_header_read(&header, packet->data + frame->link, packet->size - frame->link)) {
        frame->version = address_is_v4(&header.target) ? 4 : 6;
        frame->protocol = header.protocol;
        frame->transport = (uint16_t)(frame->link + header.transport);
        frame->size = frame->transport + header.size;
    }
}

static void frame_tell(struct packet *packet, uint32_t link, struct osv_frame *frame)
{
    *frame = (struct osv_frame){
        .data = packet->data,
        .size = packet->size,
        .link = (uint16_t)link,
        .transport = (uint16_t)link,
        .is_trusted = packet->is_trusted,
        .interface = packet->netif,
        .lent = packet,
    };
    header_tell(packet, frame);
}

static int frames_take(struct file *file, struct net_socket *socket, struct osv_frame *frames,
                       unsigned count, int flags)
{
    const _Atomic hal_ns *timeout = &socket_calls_of(file)->options(file)->receive_timeout;
    const struct net_patience patience = inet_patience(file, flags, timeout);
    struct packet *packet;
    int done = 0;
    if (count == 0 || (flags & ~MSG_DONTWAIT) != 0) {
        return -EINVAL;
    }
    const int error = direct_receive(socket, &patience, count, &packet);
    for (; error == 0 && packet != NULL; packet = packet->next) {
        frame_tell(packet, direct_link_size(socket, packet), &frames[done++]);
    }
    return error != 0 ? error : done;
}

EXPORT(int, osv_channel_receive, int fd, struct osv_frame *frames, unsigned count, int flags)
{
    struct file *file;
    struct net_socket *socket;
    int result = channel_get(fd, &file, &socket);
    if (result == 0) {
        result = frames_take(file, socket, frames, count, flags);
        file_put(file);
    }
    return answer(result);
}

// ---- Frames ----------------------------------------------------------------------

// Count of them, linked by next, and each what link says of it. They are gone for their sockets.
static struct packet *frames_end(const struct osv_frame *frames, unsigned count)
{
    struct packet *first = NULL, **end = &first;
    for (unsigned i = 0; i < count; ++i) {
        *end = packet_of(&frames[i]);
        end = &(*end)->next;
    }
    *end = NULL;
    direct_give_back(first);
    return first;
}

EXPORT(void, osv_frames_free, const struct osv_frame *frames, unsigned count)
{
    struct packet *packet = frames_end(frames, count);
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_free(packet);
        packet = next;
    }
}

EXPORT(int, osv_frame_alloc, struct osv_frame *frame, size_t size)
{
    if (size > IP_SIZE_MAX + ETHERNET_HEADER) {
        return answer(-EMSGSIZE);
    }
    struct packet *packet = packet_alloc_block((uint32_t)size);
    if (packet == NULL) {
        return answer(-ENOMEM);
    }
    packet->size = (uint32_t)size;
    memset(packet->data, 0, size);
    *frame = (struct osv_frame){.data = packet->data, .size = packet->size, .lent = packet};
    return 0;
}

// In front of the answer, where the question was sent to.
static void link_push(struct packet *packet, const struct osv_frame *asked,
                      const struct netif *netif)
{
    enum { KIND_SIZE = 2 };
    if (asked->link != 0) {
        packet->data -= ETHERNET_HEADER;
        packet->size += ETHERNET_HEADER;
        char *to = packet->data;
        memcpy(to, asked->data + NETIF_HARDWARE_SIZE, NETIF_HARDWARE_SIZE);
        memcpy(to + NETIF_HARDWARE_SIZE, netif->hardware, NETIF_HARDWARE_SIZE);
        memcpy(to + ETHERNET_HEADER - KIND_SIZE, asked->data + asked->link - KIND_SIZE, KIND_SIZE);
    }
}

static int answer_make(struct osv_frame *frame, const void *payload, size_t size)
{
    const struct netif *netif = netif_at(frame->interface);
    struct ip_header came;
    struct packet *made;
    if (netif == NULL || frame->size <= frame->link ||
        !direct_header_read(&came, frame->data + frame->link, frame->size - frame->link)) {
        return -EINVAL;
    }
    const int error =
        udp_answer_make(&made, frame->data + frame->link, &came, netif, payload, size);
    if (error != 0) {
        return error == -ENOBUFS ? -ENOMEM : error;
    }
    link_push(made, frame, netif);
    const uint32_t link = frame->link;
    packet_free(frames_end(frame, 1));
    frame_tell(made, link, frame);
    return 0;
}

EXPORT(int, osv_frame_answer, struct osv_frame *frame, const void *payload, size_t size)
{
    return answer(answer_make(frame, payload, size));
}

// ---- Sending ---------------------------------------------------------------------

// What is sent of the packet is what the frame says of it, unless that is wrong.
static int frame_settle(const struct osv_frame *frame)
{
    struct packet *packet = packet_of(frame);
    const struct packet before = *packet;
    const size_t start = (size_t)(frame->data - packet->data);
    if (start > packet->size || frame->size > packet->size - start) {
        return -EINVAL;
    }
    packet->data = frame->data;
    packet->size = frame->size;
    packet->netif = frame->interface <= UINT8_MAX ? (uint8_t)frame->interface : 0;
    const int error = direct_check(packet, frame->link);
    if (error != 0) {
        packet->data = before.data;
        packet->size = before.size;
        packet->netif = before.netif;
    } else {
        packet->is_trusted = frame->is_trusted;
    }
    return error;
}

static int frames_send(const struct net_socket *socket, const struct osv_frame *frames,
                       unsigned count)
{
    int error = socket->is_direct ? 0 : -EINVAL;
    unsigned done = 0;
    while (error == 0 && done < count) {
        error = frame_settle(&frames[done]);
        done += error == 0;
    }
    struct packet *packet = frames_end(frames, done);
    for (unsigned i = 0; i < done; ++i) {
        struct packet *next = packet->next;
        direct_send(packet, frames[i].link, i + 1 < done);
        packet = next;
    }
    direct_sent();
    return done > 0 ? (int)done : error;
}

EXPORT(int, osv_channel_send, int fd, const struct osv_frame *frames, unsigned count)
{
    struct file *file;
    struct net_socket *socket;
    int result = channel_get(fd, &file, &socket);
    if (result == 0) {
        result = frames_send(socket, frames, count);
        file_put(file);
    }
    return answer(result);
}
