// SPDX-License-Identifier: BSD-3-Clause
// frame.c: see frame.h. Segments of TCP are cut as RFC 9293 has them: each has its own number of
// sequence; what ends the stream or pushes is the last one's, what says that the window was made
// smaller (CWR, RFC 3168) the first one's.
#include "sim/run/frame.h"

#include <endian.h>
#include <linux/virtio_net.h>
#include <string.h>

enum {
    ETHERNET = 14,
    TAG = 4,
    TYPE_TAG = 0x8100,
    TYPE_V4 = 0x0800,
    TYPE_V6 = 0x86dd,
    V4_SIZE = 20,
    V6_SIZE = 40,
    TCP = 6,
    TCP_SIZE = 20,
    FLAG_FIN = 1,
    FLAG_PUSH = 8,
    FLAG_CWR = 0x80,
};

_Static_assert(FRAME_HEADER == sizeof(struct virtio_net_hdr_v1), "virtio 1.2, 5.1.6");

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, size_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

// Of 16-bit words; not yet folded.
static uint32_t sum(uint32_t total, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        total += get16(bytes + i);
    }
    return size % 2 != 0 ? total + (uint32_t)bytes[size - 1] * 256 : total;
}

static uint16_t checksum(uint32_t total)
{
    total = (total & 0xffff) + (total >> 16);
    total = (total & 0xffff) + (total >> 16);
    return (uint16_t)~total;
}

static bool is_v4(const struct frame *frame)
{
    return get16(frame->bytes + frame->network - 2) == TYPE_V4;
}

// Where the packet begins, and that it is one of IP.
static bool network_find(struct frame *frame)
{
    frame->network = ETHERNET;
    if (frame->size >= ETHERNET + TAG && get16(frame->bytes + ETHERNET - 2) == TYPE_TAG) {
        frame->network += TAG;
    }
    const size_t type = get16(frame->bytes + frame->network - 2);
    const size_t least = type == TYPE_V4 ? V4_SIZE : V6_SIZE;
    return (type == TYPE_V4 || type == TYPE_V6) && frame->network + least <= frame->transport;
}

static bool segments_begin(struct frame *frame, const struct virtio_net_hdr_v1 *header)
{
    const uint8_t kind = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    frame->transport = le16toh(header->csum_start);
    frame->segment = le16toh(header->gso_size);
    if (frame->transport + TCP_SIZE > frame->size || frame->segment == 0 || !network_find(frame) ||
        kind != (is_v4(frame) ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6)) {
        return false;
    }
    const uint8_t *tcp = frame->bytes + frame->transport;
    const size_t tcp_size = (size_t)(tcp[12] >> 4) * 4;
    frame->headers = frame->transport + tcp_size;
    frame->sequence = (uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6);
    frame->flags = tcp[13];
    frame->number = get16(frame->bytes + frame->network + 4);
    return tcp_size >= TCP_SIZE && frame->headers < frame->size;
}

bool frame_begin(struct frame *frame, uint8_t *data, size_t size)
{
    struct virtio_net_hdr_v1 header;
    if (size < FRAME_HEADER + ETHERNET) {
        return false;
    }
    memcpy(&header, data, sizeof header);
    *frame = (struct frame){.bytes = data + FRAME_HEADER, .size = size - FRAME_HEADER};
    if (header.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        return segments_begin(frame, &header);
    }
    if ((header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
        const size_t start = le16toh(header.csum_start);
        const size_t place = start + le16toh(header.csum_offset);
        if (place + 2 > frame->size) {
            return false;
        }
        const uint16_t value = checksum(sum(0, frame->bytes + start, frame->size - start));
        put16(frame->bytes + place, value != 0 ? value : 0xffff); // 0 is no checksum in UDP
    }
    return true;
}

static void network_write(struct frame *frame, size_t size)
{
    uint8_t *packet = frame->bytes + frame->network;
    if (is_v4(frame)) {
        put16(packet + 2, size - frame->network);
        put16(packet + 4, frame->number++);
        put16(packet + 10, 0);
        put16(packet + 10, checksum(sum(0, packet, frame->transport - frame->network)));
    } else {
        put16(packet + 4, size - frame->network - V6_SIZE);
    }
}

static uint32_t pseudo_sum(const struct frame *frame, size_t size)
{
    const uint8_t *packet = frame->bytes + frame->network;
    const uint32_t total = TCP + (uint32_t)(size - frame->transport);
    return is_v4(frame) ? sum(total, packet + 12, 8) : sum(total, packet + 8, 32);
}

// Headers of a piece of size bytes of data.
static void headers_write(struct frame *frame, const uint8_t *data, size_t size, bool is_last)
{
    uint8_t *tcp = frame->bytes + frame->transport;
    const uint32_t sequence = frame->sequence + (uint32_t)frame->done;
    const size_t whole = frame->headers + size;
    network_write(frame, whole);
    put16(tcp + 4, sequence >> 16);
    put16(tcp + 6, sequence);
    tcp[13] = (uint8_t)(frame->flags & ~((is_last ? 0 : FLAG_FIN | FLAG_PUSH) |
                                         (frame->done == 0 ? 0 : FLAG_CWR)));
    put16(tcp + 16, 0);
    put16(tcp + 16,
          checksum(sum(sum(pseudo_sum(frame, whole), tcp, frame->headers - frame->transport), data,
                       size)));
}

bool frame_next(struct frame *frame, struct frame_piece *piece)
{
    if (frame->is_over) {
        return false;
    }
    if (frame->segment == 0) {
        *piece = (struct frame_piece){.head = frame->bytes, .head_size = frame->size};
        frame->is_over = true;
        return true;
    }
    const size_t left = frame->size - frame->headers - frame->done;
    const size_t size = left < frame->segment ? left : frame->segment;
    const uint8_t *data = frame->bytes + frame->headers + frame->done;
    frame->is_over = size == left;
    headers_write(frame, data, size, frame->is_over);
    frame->done += size;
    *piece = (struct frame_piece){frame->bytes, data, frame->headers, size};
    return true;
}
