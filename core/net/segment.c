// SPDX-License-Identifier: BSD-3-Clause
// segment.c: see segment.h. The bytes are copied: a frame in one part costs a device less than the
// parts it would have.
#include "core/net/segment.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/ip.h"
#include "core/net/tcp_header.h"

struct cursor { // in the parts of a packet
    const struct packet *part;
    uint32_t offset;
};

static void bytes_take(struct cursor *cursor, char *to, uint32_t size)
{
    while (size > 0) {
        const uint32_t left = cursor->part->size - cursor->offset;
        const uint32_t step = size < left ? size : left;
        memcpy(to, cursor->part->data + cursor->offset, step);
        to += step;
        size -= step;
        cursor->offset += step;
        if (cursor->offset == cursor->part->size && cursor->part->more != NULL) {
            *cursor = (struct cursor){.part = cursor->part->more};
        }
    }
}

// The TCP header in front of the bytes, which begin at `at` in the data of the whole.
static void header_put(struct packet *piece, const char *head, uint32_t length, uint32_t at,
                       bool is_last)
{
    enum { SEQUENCE = 4, FLAGS = 13 };
    uint32_t sequence;
    piece->data -= length;
    piece->size += length;
    memcpy(piece->data, head, length);
    memcpy(&sequence, head + SEQUENCE, sizeof sequence);
    sequence = __builtin_bswap32(__builtin_bswap32(sequence) + at);
    memcpy(piece->data + SEQUENCE, &sequence, sizeof sequence);
    if (!is_last) {
        piece->data[FLAGS] = (char)(piece->data[FLAGS] & ~(TCP_FIN | TCP_PSH));
    }
}

struct packet *segments_cut(struct packet *packet, const struct ip_header *header)
{
    const char *head = packet->data + header->transport;
    const uint32_t length = tcp_header_length(head);
    const uint32_t most = packet->segment_size, bytes = header->size - length;
    struct cursor cursor = {packet, header->transport + length};
    struct packet *first = NULL, **end = &first;
    ASSERT(length >= TCP_HEADER_MIN && length <= header->size && most > 0);
    for (uint32_t at = 0; at < bytes; at += most) {
        const uint32_t size = bytes - at < most ? bytes - at : most;
        struct packet *piece = packet_alloc_block(size);
        if (piece == NULL) {
            net_count(NET_NO_MEMORY);
            break; // what comes behind it would come out of order
        }
        bytes_take(&cursor, piece->data, size);
        piece->size = size;
        header_put(piece, head, length, at, at + size == bytes);
        ip_header_push(piece, header);
        piece->is_trusted = packet->is_trusted;
        *end = piece;
        end = &piece->next;
    }
    packet_free(packet);
    return first;
}
