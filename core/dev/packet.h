// SPDX-License-Identifier: BSD-3-Clause
// packet.h: packets in memory that devices read and write.
//
// A packet is a chain of parts, each in memory of its own, a page frame or a block of the heap: this
// struct, room in front for headers, the bytes. Any context; never blocks.
#ifndef CORE_DEV_PACKET_H
#define CORE_DEV_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct packet {
    struct packet *next; // the owner's: of a list of packets
    struct packet *more; // the next part of the same packet
    char *data;          // of this part; data and size stay within packet_room
    uint32_t size;
    bool is_block; // of the heap
    // core/net's, of a first part.
    bool is_trusted;    // it has not left this machine: its payload needs no checksum
    uint16_t transport; // from data to the header behind IP's
    uint32_t cost;      // what it counts for in a channel, bytes
    uint64_t place;     // of data in a stream
};

enum {
    PACKET_HEADROOM = 128,  // in front of data of a new packet: for link, network and transport
    PACKET_ROOM_START = 66, // from the frame's start. Behind a virtio header of 12 bytes and an
                            // Ethernet header of 14, the next one is aligned to 4
    PACKET_ROOM = HAL_PAGE_SIZE - PACKET_ROOM_START,
    PACKET_SIZE = PACKET_ROOM - PACKET_HEADROOM, // that a new packet takes
};

// One empty part. NULL: no memory.
struct packet *packet_alloc(void);
// One empty part with PACKET_HEADROOM and room for size bytes behind it, one after the other in
// physical memory. NULL: no memory.
struct packet *packet_alloc_block(uint32_t size);
void packet_free(struct packet *packet); // all parts

// Makes one of packet_alloc empty: data is headroom bytes behind the start of its room.
void packet_reset(struct packet *packet, uint32_t headroom);

// How many bytes there are in front of data.
static inline uint32_t packet_headroom(const struct packet *packet)
{
    return (uint32_t)(packet->data - ((const char *)packet + PACKET_ROOM_START));
}

#endif
