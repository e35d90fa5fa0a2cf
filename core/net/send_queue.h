// SPDX-License-Identifier: BSD-3-Clause
// send_queue.h: the bytes of a stream that were written and are not acknowledged.
//
// They are copied once, into buffers of packets (core/dev/packet.h), or lent, and stay where they
// are: what is sent has parts of them, and so has what is sent again. Bytes are named by their
// place in the stream, from 0 on. All of it under a lock of its owner's, but for packets, which go
// their own way.
#ifndef CORE_NET_SEND_QUEUE_H
#define CORE_NET_SEND_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct packet;
struct packet_buffer;
struct send_chunk;

enum { SEND_LEND_MIN = 4096 }; // bytes that may be lent: fewer cost less to copy

struct send_queue { // all-zero is empty, of a stream of which nothing was written
    struct send_chunk *first, *last;
    uint64_t start; // the first byte that is not acknowledged
    uint32_t used;  // bytes from there on
    uint32_t taken; // bytes of memory
};

// Appends size bytes of a program's. -EFAULT, -ENOMEM: those before are in, and used says how many.
HAL_MUST_CHECK int send_queue_put(struct send_queue *queue, const char *user, uint32_t size);

// Appends SEND_LEND_MIN bytes at least, which stay where they are, and are one run of physical
// memory; buffer, which is counted, is released once nobody has a part of them. -ENOMEM.
HAL_MUST_CHECK int send_queue_lend(struct send_queue *queue, char *data, uint32_t size,
                                   struct packet_buffer *buffer);

// What lies before place, which is in the queue or its end, is no longer needed.
void send_queue_acknowledged(struct send_queue *queue, uint64_t place);

// A packet with size bytes of the queue from place on, and PACKET_HEADROOM in front of them: few of
// them in the packet's first part, many behind an empty one. NULL: no memory.
struct packet *send_queue_packet(const struct send_queue *queue, uint64_t place, uint32_t size);

void send_queue_end(struct send_queue *queue); // gives back what it holds

#endif
