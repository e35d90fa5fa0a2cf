// SPDX-License-Identifier: BSD-3-Clause
// udp_gather.c: see udp_gather.h.
//
// The bytes lie in one packet, which is replaced by one of twice the room when it is full: a
// socket holds no more than the longest datagram, however small the pieces are.
#include "core/net/udp_gather.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"

enum { ROOM_FIRST = 1024 };

struct udp_gathered {
    struct udp_way way; // its size is that of all pieces
    struct packet *packet;
    size_t room; // bytes of data that packet takes
};

struct packet *udp_gather_take(struct net_socket *socket, struct udp_way *way)
{
    struct udp_gathered *gathered = socket->gathered;
    if (gathered == NULL) {
        return NULL;
    }
    struct packet *packet = gathered->packet;
    *way = gathered->way;
    socket->gathered = NULL;
    heap_free(gathered);
    return packet;
}

static int room_make(struct udp_gathered *gathered, size_t size)
{
    size_t room = gathered->room == 0 ? ROOM_FIRST : gathered->room;
    while (room < size) {
        room *= 2;
    }
    if (room == gathered->room) {
        return 0;
    }
    struct packet *packet = packet_alloc_block((uint32_t)room);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return -ENOBUFS;
    }
    if (gathered->packet != NULL) {
        packet->size = gathered->packet->size;
        memcpy(packet->data, gathered->packet->data, packet->size);
        packet_free(gathered->packet);
    }
    gathered->packet = packet;
    gathered->room = room;
    return 0;
}

static void drop(struct net_socket *socket)
{
    packet_free(socket->gathered->packet);
    heap_free(socket->gathered);
    socket->gathered = NULL;
}

// What fails ends all.
static int piece_add(struct net_socket *socket, const struct net_message *message)
{
    struct udp_gathered *gathered = socket->gathered;
    int error = room_make(gathered, gathered->way.size);
    error = error != 0 ? error : datagram_bytes_add(gathered->packet, message);
    if (error != 0) {
        drop(socket);
    }
    return error;
}

int udp_gather_begin(struct net_socket *socket, const struct net_message *message,
                     const struct udp_way *way)
{
    ASSERT(socket->gathered == NULL);
    socket->gathered = heap_alloc(sizeof *socket->gathered);
    if (socket->gathered == NULL) {
        return -ENOMEM;
    }
    *socket->gathered = (struct udp_gathered){.way = *way};
    return piece_add(socket, message);
}

int udp_gather_add(struct net_socket *socket, const struct net_message *message, size_t size)
{
    struct udp_way *way = &socket->gathered->way;
    const bool is_to_v4 = message->to != NULL && address_is_v4(&message->to->address);
    if (is_to_v4 && !address_is_v4(&way->to.address)) {
        return -EINVAL;
    }
    way->size += size;
    const int error = udp_size_check(socket, way);
    if (error != 0) {
        drop(socket);
        return error;
    }
    return piece_add(socket, message);
}
