// SPDX-License-Identifier: BSD-3-Clause
// merge.h: segments of TCP that come in a row, of one connection, become one packet, as if the
// device had put them together: what they have in common is looked at once. Interrupts off; the
// caller's CPU alone uses a struct merge.
#ifndef CORE_NET_MERGE_H
#define CORE_NET_MERGE_H

#include <stdint.h>

struct packet;

struct merge {           // of zeros at first
    struct packet *held; // the first frame, its checksum right; the others are its further parts
    struct packet *last;
    uint32_t head;     // bytes in front of its data
    uint32_t data_max; // of one: a shorter one is the last
    uint32_t size;     // of all, bytes
    uint32_t sequence; // of the byte behind it
    uint32_t cut; // bytes of headers that the last frame lost to be a further part; 0: it is none
};

// A frame of Ethernet has come. Answers those that are to go on now, in the order in which they
// came, in a list by next; it may be held until one that does not continue it, or the end.
struct packet *merge_frame(struct merge *merge, struct packet *frame);

// No more will come for now. Answers what was held, or NULL.
struct packet *merge_end(struct merge *merge);

#endif
