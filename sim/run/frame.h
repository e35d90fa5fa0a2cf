// SPDX-License-Identifier: BSD-3-Clause
// frame.h: frames of a switch for a device that does nothing with headers of virtio: checksums and
// segments that their senders left to the device are made (virtio 1.2, 5.1.6).
#ifndef SIM_RUN_FRAME_H
#define SIM_RUN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEADER = 12 }; // of virtio

struct frame {
    uint8_t *bytes; // without virtio's header
    size_t size;
    size_t network, transport, headers; // where these begin; where the data does
    size_t segment, done;               // bytes of data in each piece, and before the next
    uint32_t sequence;
    uint16_t number; // of the packet, of IPv4
    uint8_t flags;
    bool is_over;
};

struct frame_piece { // a frame for the wire
    const uint8_t *head, *data;
    size_t head_size, data_size;
};

// data: with virtio's header; it is written to. False: it is no frame, or one that nobody on a
// switch may send.
bool frame_begin(struct frame *frame, uint8_t *data, size_t size);

// False: there are no more. The piece is there until the next call.
bool frame_next(struct frame *frame, struct frame_piece *piece);

#endif
