// SPDX-License-Identifier: BSD-3-Clause
// direct.c: see direct.h. What one call takes is counted at once, and what one call gives back, so
// that a batch of packets costs its socket as much as one does.
#include "core/net/direct.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/ethernet.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/run.h"
#include "core/net/socket.h"

enum { KIND = 2 * NETIF_HARDWARE_SIZE, HEADROOM_MIN = 26 }; // of Ethernet and virtio

int direct_begin(struct net_socket *socket)
{
    mutex_lock(&socket->lock);
    const int error = socket->flow != NULL ? -EINVAL : 0;
    if (error == 0) {
        socket->is_direct = true;
    }
    mutex_unlock(&socket->lock);
    return error;
}

// With lock held: up to count of those that there are.
static struct packet *packets_take(struct net_socket *socket, unsigned count)
{
    struct packet *first = socket->first, *last = NULL;
    unsigned taken = 0;
    for (struct packet *packet = first; packet != NULL && taken < count; packet = packet->next) {
        packet->place = (uintptr_t)socket;
        last = packet;
        ++taken;
    }
    if (last != NULL) {
        socket->first = last->next;
        last->next = NULL;
        atomic_fetch_add_explicit(&socket->reference_count, taken, memory_order_relaxed);
    }
    return first;
}

int direct_receive(struct net_socket *socket, const struct net_patience *patience, unsigned count,
                   struct packet **packets)
{
    mutex_lock(&socket->lock);
    const int error = socket->is_direct ? datagram_await(socket, patience) : -EINVAL;
    *packets = error == 0 ? packets_take(socket, count) : NULL;
    mutex_unlock(&socket->lock);
    return error;
}

static struct net_socket *socket_of(const struct packet *packet)
{
    return (struct net_socket *)(uintptr_t)packet->place;
}

void direct_give_back(struct packet *packet)
{
    while (packet != NULL) {
        struct net_socket *socket = socket_of(packet);
        uint32_t cost = 0, count = 0;
        for (; packet != NULL && socket_of(packet) == socket; packet = packet->next) {
            packet->place = 0;
            cost += packet->cost;
            ++count;
        }
        if (socket != NULL) {
            channel_return(&socket->channel, cost);
            atomic_fetch_sub_explicit(&socket->reference_count, count - 1, memory_order_relaxed);
            net_socket_put(socket); // the last of these
        }
    }
}

uint32_t direct_link_size(const struct net_socket *socket, const struct packet *packet)
{
    return socket->kind == NET_FRAMES && packet->netif != loopback.index ? ETHERNET_HEADER : 0;
}

bool direct_header_read(struct ip_header *header, const char *data, uint32_t size)
{
    const int error = ip_header_read(header, data, size, false);
    if (error == -EOPNOTSUPP) {
        header->protocol = 0;
    }
    return error == 0 || error == -EOPNOTSUPP;
}

// ---- Sending -----------------------------------------------------------------------

int direct_check(const struct packet *packet, uint32_t link)
{
    struct ip_header header;
    if (link == 0) {
        const int error = ip_header_read(&header, packet->data, packet->size, false);
        return error != 0 || header.transport + header.size != packet->size ? -EINVAL : 0;
    }
    if (link != ETHERNET_HEADER || packet->size < link) {
        return -EINVAL;
    }
    const struct netif *netif = netif_at(packet->netif);
    if (netif == NULL || (netif->flags & NETIF_LOOPBACK) != 0) {
        return -ENXIO;
    }
    return packet->size - link > netif->mtu ? -EMSGSIZE : 0;
}

// What a device or the network has noted of it when it came.
static void notes_clear(struct packet *packet)
{
    packet->next = NULL;
    packet->transport = 0;
    packet->segment_size = 0;
    packet->is_fragmented = false;
    packet->checksum_place = 0;
    packet->is_message = false;
}

static void frame_send(struct packet *frame, uint32_t link)
{
    struct netif *netif = netif_at(frame->netif);
    struct ip_header header;
    uint16_t kind;
    memcpy(&kind, frame->data + KIND, sizeof kind);
    kind = net_order16(kind);
    frame->data += link;
    frame->size -= link;
    if (frame->is_trusted && (kind == ETHERNET_V4 || kind == ETHERNET_V6) &&
        ip_header_read(&header, frame->data, frame->size, false) == 0) {
        net_output_checksum(netif, frame, &header);
    }
    frame->data -= link;
    frame->size += link;
    frame->transport = (uint16_t)(frame->transport + link);
    netif->send_frame(netif, frame, NULL);
}

void direct_send(struct packet *packet, uint32_t link, bool has_more)
{
    notes_clear(packet);
    packet = packet_headroom(packet) < HEADROOM_MIN - link ? packet_join(packet) : packet;
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return;
    }
    packet->has_more = has_more;
    if (link != 0) {
        frame_send(packet, link);
    } else {
        net_output(packet);
    }
}

// The last may not have gone by the interface of the others.
void direct_sent(void)
{
    struct netif *netif;
    for (uint32_t i = loopback.index; (netif = netif_at(i)) != NULL; ++i) {
        if (netif->flush != NULL) {
            netif->flush(netif);
        }
    }
    net_run(); // who was given something on lo
}
