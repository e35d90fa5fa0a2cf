// SPDX-License-Identifier: BSD-3-Clause
// packet.c: packets in memory that devices read and write.
#include "core/dev/packet.h"

#include "core/lib/assert.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"

_Static_assert(sizeof(struct packet) <= PACKET_ROOM_START, "in front of its room");

void packet_reset(struct packet *packet, uint32_t headroom)
{
    ASSERT(headroom <= PACKET_ROOM);
    *packet = (struct packet){.data = (char *)packet + PACKET_ROOM_START + headroom};
}

struct packet *packet_alloc(void)
{
    hal_phys frame;
    if (frame_alloc(1, 0, &frame) != 0) {
        return NULL;
    }
    struct packet *packet = (struct packet *)frame_address(frame);
    packet_reset(packet, PACKET_HEADROOM);
    return packet;
}

struct packet *packet_alloc_block(uint32_t size)
{
    struct packet *packet = heap_alloc(PACKET_ROOM_START + PACKET_HEADROOM + size);
    if (packet != NULL) {
        packet_reset(packet, PACKET_HEADROOM);
        packet->is_block = true;
    }
    return packet;
}

struct packet *packet_alloc_shared(struct packet_buffer *buffer, char *data, uint32_t size)
{
    struct packet *packet = heap_alloc(sizeof *packet);
    if (packet != NULL) {
        *packet = (struct packet){.data = data, .size = size, .is_block = true, .buffer = buffer};
        packet_buffer_get(buffer);
    }
    return packet;
}

void packet_buffer_put(struct packet_buffer *buffer)
{
    // Who has the only reference gets no other from anybody.
    const uint32_t before =
        packet_buffer_is_mine(buffer)
            ? 1
            : atomic_fetch_sub_explicit(&buffer->reference_count, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before == 1) {
        buffer->release(buffer);
    }
}

void packet_free(struct packet *packet)
{
    while (packet != NULL) {
        struct packet *more = packet->more;
        if (packet->buffer != NULL) {
            packet_buffer_put(packet->buffer);
        }
        if (packet->is_block) {
            heap_free(packet);
        } else {
            frame_free(frame_of(packet), 1);
        }
        packet = more;
    }
}

uint32_t packet_size(const struct packet *packet)
{
    uint32_t size = 0;
    for (; packet != NULL; packet = packet->more) {
        size += packet->size;
    }
    return size;
}

void packet_copy(const struct packet *packet, char *to)
{
    for (; packet != NULL; packet = packet->more) {
        memcpy(to, packet->data, packet->size);
        to += packet->size;
    }
}

void packet_read(const struct packet *packet, uint32_t offset, void *to, uint32_t count)
{
    char *place = to;
    for (; count > 0; packet = packet->more) {
        if (offset < packet->size) {
            const uint32_t left = packet->size - offset;
            const uint32_t size = left < count ? left : count;
            memcpy(place, packet->data + offset, size);
            place += size;
            count -= size;
            offset = 0;
        } else {
            offset -= packet->size;
        }
    }
}

void packet_trim(struct packet *packet, uint32_t size)
{
    while (packet->more != NULL && size > packet->size) {
        size -= packet->size;
        packet = packet->more;
    }
    packet->size = size < packet->size ? size : packet->size;
    packet_free(packet->more);
    packet->more = NULL;
}

struct packet *packet_clone(const struct packet *packet)
{
    struct packet *copy = packet_alloc_block(packet_size(packet));
    if (copy != NULL) {
        packet_copy(packet, copy->data);
        copy->size = packet_size(packet);
        copy->is_trusted = packet->is_trusted;
        copy->transport = packet->transport;
        copy->netif = packet->netif;
        copy->cost = packet->cost;
        copy->is_message = packet->is_message;
    }
    return copy;
}

struct packet *packet_join(struct packet *packet)
{
    struct packet *joined = packet_clone(packet);
    packet_free(packet);
    return joined;
}
