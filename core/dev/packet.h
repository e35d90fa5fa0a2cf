// SPDX-License-Identifier: BSD-3-Clause
// packet.h: packets in memory that devices read and write.
//
// A packet is a chain of parts. A part is in memory of its own, a page frame or a block of the
// heap: this struct, room in front for headers, the bytes; or it is this struct alone, and its
// bytes lie in a buffer, which others have parts of, too. Nobody writes what others can see, and
// headers are written in front of the bytes of a first part only, which are its own. Any context;
// never blocks.
#ifndef CORE_DEV_PACKET_H
#define CORE_DEV_PACKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

// Memory that parts of packets share: what was written once, and is sent, sent again and received
// without being copied; a program's own pages. release is called with the last reference, in any
// context.
struct packet_buffer {
    _Atomic uint32_t reference_count;
    void (*release)(struct packet_buffer *buffer);
};

struct packet {
    struct packet *next; // the owner's: of a list of packets
    struct packet *more; // the next part of the same packet
    char *data;          // of this part; data and size stay within packet_room
    uint32_t size;
    bool is_block; // of the heap
    // core/net's, of a first part.
    bool is_trusted;    // its payload needs no checksum: it has not left this machine, or
                        // the device says that it is right
    uint16_t transport; // from data to the header behind IP's
    uint32_t cost;      // what it counts for in a channel, bytes
    uint8_t netif;      // the index of the interface that it has come by, or is to go by; 0: any
    bool is_message;    // of ICMP, about a packet of ours
    bool is_gathered;   // tcp_stream.c's: there may be room behind the bytes
    bool is_bare;       // of TCP, without headers (tcp_bare.h)
    bool is_call;       // one of those: it begins a connection
    // To be sent: others follow at once, by the same interface, and the device need not hear of it
    // before the last (netif.flush).
    bool has_more;
    // To be sent: to be cut into segments of TCP, or datagrams of UDP, of so many bytes of data; 0:
    // as it is.
    uint16_t segment_size;
    bool is_fragmented; // with that: one datagram, to be cut into fragments, behind IP's header
    // To be sent: where in the transport's header the checksum is to be put, in which there is that
    // of the ends alone; 0: nothing is.
    uint8_t checksum_place;
    uint64_t place;               // of data in a stream; of a datagram, when it came, ns, or 0; of one that
                                  // is lent, its socket
    struct packet_buffer *buffer; // that data lies in, counted; NULL: it is the part's own memory
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
// A part whose bytes are size at data, in buffer, which is counted, and one run of physical memory.
// NULL: no memory.
struct packet *packet_alloc_shared(struct packet_buffer *buffer, char *data, uint32_t size);
void packet_free(struct packet *packet); // all parts

uint32_t packet_size(const struct packet *packet);       // of all parts, bytes
void packet_copy(const struct packet *packet, char *to); // the bytes of all parts
// count bytes from offset on, of whatever parts: they are there.
void packet_read(const struct packet *packet, uint32_t offset, void *to, uint32_t count);
void packet_trim(struct packet *packet, uint32_t size);  // the first size bytes, of all parts, stay
// Another with the same bytes, in one part, for the same purpose. NULL: no memory.
struct packet *packet_clone(const struct packet *packet);
// The bytes of all parts in one, with PACKET_HEADROOM; packet is gone. NULL: no memory, and packet
// is gone, too.
struct packet *packet_join(struct packet *packet);

static inline void packet_buffer_get(struct packet_buffer *buffer)
{
    atomic_fetch_add_explicit(&buffer->reference_count, 1, memory_order_relaxed);
}

void packet_buffer_put(struct packet_buffer *buffer);

// Nobody but the caller has a reference, so that it may be written again.
static inline bool packet_buffer_is_mine(const struct packet_buffer *buffer)
{
    // Pairs with packet_buffer_put: what others have read of it they have read before.
    return atomic_load_explicit(&buffer->reference_count, memory_order_acquire) == 1;
}

// Makes one of packet_alloc empty: data is headroom bytes behind the start of its room.
void packet_reset(struct packet *packet, uint32_t headroom);

// How many bytes there are in front of data.
static inline uint32_t packet_headroom(const struct packet *packet)
{
    return (uint32_t)(packet->data - ((const char *)packet + PACKET_ROOM_START));
}

#endif
