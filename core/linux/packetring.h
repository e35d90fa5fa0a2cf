// SPDX-License-Identifier: BSD-3-Clause
// packetring.h: memory that a packet socket shares with its program, into which frames are written
// as they come (packet(7), PACKET_RX_RING): places of one size, each in turn the kernel's or the
// program's, as its first word says.
//
// Guarded by the socket's lock, but for the pages, which stay until the ring is freed.
#ifndef CORE_LINUX_PACKETRING_H
#define CORE_LINUX_PACKETRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct file;
struct packet_note;
struct packet_ring;
struct sockaddr_ll;
struct vm_pager;

enum packet_ring_version { PACKET_RING_V1, PACKET_RING_V2 }; // of what stands before a frame

struct packet_ring_request { // as struct tpacket_req of Linux
    uint32_t block_size, block_count, frame_size, frame_count;
};

struct packet_ring_frame {
    const struct packet_note *note;
    const struct sockaddr_ll *name;
    const char *bytes;
    uint32_t size;
    uint32_t link_size;  // bytes of the link's header at bytes
    uint32_t reserved;   // to be left free before the frame: PACKET_RESERVE
    bool is_after_drops; // some were dropped since the program was told
};

// Bytes of what stands before a frame; 0: there is no such version.
uint32_t packet_ring_header_size(int version);

// -EINVAL: no such ring. -ENOMEM.
HAL_MUST_CHECK int packet_ring_make(struct packet_ring **ring,
                                    const struct packet_ring_request *request, int version,
                                    uint32_t reserved);
// Nothing of it is mapped, nor will be.
void packet_ring_free(struct packet_ring *ring); // or NULL

// False: the next place is the program's.
bool packet_ring_put(struct packet_ring *ring, const struct packet_ring_frame *frame);
bool packet_ring_has_some(const struct packet_ring *ring); // for the program

// For mappings, which keep file open. -ENOMEM.
HAL_MUST_CHECK int packet_ring_pager(struct packet_ring *ring, struct file *file,
                                     struct vm_pager **pager);
bool packet_ring_is_mapped(const struct packet_ring *ring);

#endif
