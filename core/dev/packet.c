// SPDX-License-Identifier: BSD-3-Clause
// packet.c: packets in memory that devices read and write.
#include "core/dev/packet.h"

#include "core/lib/assert.h"
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

void packet_free(struct packet *packet)
{
    while (packet != NULL) {
        struct packet *more = packet->more;
        if (packet->is_block) {
            heap_free(packet);
        } else {
            frame_free(frame_of(packet), 1);
        }
        packet = more;
    }
}
