// SPDX-License-Identifier: BSD-3-Clause
// merge.c: see merge.h.
//
// Only what says nothing but "here is more data" is held, and only what differs from it in sequence
// number, data, checksums and IPv4's number is put behind it, so that nothing is lost of what the
// others say. A checksum is looked at before that: nobody could do so afterwards.
#include "core/net/merge.h"

#include "core/dev/packet.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/ethernet.h"
#include "core/net/ip.h"
#include "core/net/tcp_header.h"

enum { // places in headers
    KIND = 12,
    IP4_SIZE = 2,
    IP4_CUTS = 6,
    IP4_SUM = 10,
    IP4_ENDS = 12,
    IP6_SIZE = 4,
    IP6_REST = 6,
    SEQUENCE = 4,
    ACKNOWLEDGED = 8,
    FLAGS = 13,
    WINDOW = 14,
    SUM = 16,
    URGENT = 18,
};

struct segment {
    uint32_t transport, head; // from the frame's start
    uint32_t size, sequence;  // of its data
    bool is_last;             // of what its sender had to send
};

static uint16_t word_at(const struct packet *frame, uint32_t at)
{
    uint16_t word;
    memcpy(&word, frame->data + at, sizeof word);
    return net_order16(word);
}

static void word_put(struct packet *frame, uint32_t at, uint32_t value)
{
    const uint16_t word = net_order16((uint16_t)value);
    memcpy(frame->data + at, &word, sizeof word);
}

static bool is_v4(const struct packet *frame)
{
    return word_at(frame, KIND) == ETHERNET_V4;
}

// Of a packet of IP: whether it is whole, one of TCP, without options of IP's, and right.
static bool is_right(const struct packet *packet, uint32_t length)
{
    struct ip_header header;
    if ((uint8_t)packet->data[0] >> 4 != (length == IP4_HEADER ? 4 : 6) ||
        ip_packet_read(&header, packet) != 0 || header.protocol != IP_TCP ||
        header.transport != length || header.size != packet->size - length ||
        !tcp_header_is_whole(packet->data + length, header.size)) {
        return false;
    }
    if (packet->is_trusted) {
        return true;
    }
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_TCP, header.size);
    return checksum_end(checksum_add(sum, packet->data + length, header.size)) == 0;
}

// False: it is not to be held. Otherwise its checksum has been looked at.
static bool segment_read(struct segment *segment, struct packet *frame)
{
    if (frame->more != NULL || frame->size < ETHERNET_HEADER + IP6_HEADER ||
        (!is_v4(frame) && word_at(frame, KIND) != ETHERNET_V6)) {
        return false;
    }
    const uint32_t length = is_v4(frame) ? IP4_HEADER : IP6_HEADER;
    frame->data += ETHERNET_HEADER;
    frame->size -= ETHERNET_HEADER;
    const bool is_segment = is_right(frame, length);
    frame->data -= ETHERNET_HEADER;
    frame->size += ETHERNET_HEADER;
    if (!is_segment) {
        return false;
    }
    frame->is_trusted = true;
    segment->transport = ETHERNET_HEADER + length;
    const char *tcp = frame->data + segment->transport;
    segment->head = segment->transport + tcp_header_length(tcp);
    segment->size = frame->size - segment->head;
    segment->sequence = (uint32_t)word_at(frame, segment->transport + SEQUENCE) << 16 |
                        word_at(frame, segment->transport + SEQUENCE + 2);
    segment->is_last = (tcp[FLAGS] & TCP_PSH) != 0;
    return segment->size > 0 && (tcp[FLAGS] & ~TCP_PSH) == TCP_ACK;
}

static bool are_same(const struct packet *a, const struct packet *b, uint32_t from, uint32_t to)
{
    return memcmp(a->data + from, b->data + from, to - from) == 0;
}

static bool continues(const struct merge *merge, const struct segment *segment,
                      const struct packet *frame)
{
    const struct packet *held = merge->held;
    const uint32_t ip = ETHERNET_HEADER, tcp = segment->transport;
    if (held == NULL || segment->head != merge->head || segment->sequence != merge->sequence ||
        segment->size > merge->data_max ||
        merge->size - ETHERNET_HEADER + segment->size > IP_SIZE_MAX ||
        !are_same(held, frame, 0, ip)) {
        return false;
    }
    const bool has_same_ip =
        is_v4(frame)
            ? are_same(held, frame, ip, ip + IP4_SIZE) &&
                  are_same(held, frame, ip + IP4_CUTS, ip + IP4_SUM) &&
                  are_same(held, frame, ip + IP4_ENDS, tcp)
            : are_same(held, frame, ip, ip + IP6_SIZE) && are_same(held, frame, ip + IP6_REST, tcp);
    return has_same_ip && are_same(held, frame, tcp, tcp + SEQUENCE) &&
           are_same(held, frame, tcp + ACKNOWLEDGED, tcp + FLAGS) &&
           are_same(held, frame, tcp + WINDOW, tcp + SUM) &&
           are_same(held, frame, tcp + URGENT, segment->head);
}

static void hold(struct merge *merge, const struct segment *segment, struct packet *frame)
{
    *merge = (struct merge){
        .held = frame,
        .last = frame,
        .head = segment->head,
        .data_max = segment->size,
        .size = frame->size,
        .sequence = segment->sequence + segment->size,
    };
}

static void append(struct merge *merge, const struct segment *segment, struct packet *frame)
{
    const char *flags = frame->data + segment->transport + FLAGS;
    merge->held->data[segment->transport + FLAGS] |= *flags;
    frame->data += segment->head;
    frame->size = segment->size;
    merge->last->more = frame;
    merge->last = frame;
    merge->size += segment->size;
    merge->sequence += segment->size;
    merge->cut = segment->head;
}

struct packet *merge_end(struct merge *merge)
{
    struct packet *held = merge->held;
    if (held == NULL || held == merge->last) {
        merge->held = NULL;
        return held;
    }
    const uint32_t size = merge->size - ETHERNET_HEADER;
    if (is_v4(held)) {
        word_put(held, ETHERNET_HEADER + IP4_SIZE, size);
        word_put(held, ETHERNET_HEADER + IP4_SUM, 0);
        const uint16_t sum =
            checksum_end(checksum_add(0, held->data + ETHERNET_HEADER, IP4_HEADER));
        memcpy(held->data + ETHERNET_HEADER + IP4_SUM, &sum, sizeof sum);
    } else {
        word_put(held, ETHERNET_HEADER + IP6_SIZE, size - IP6_HEADER);
    }
    merge->held = NULL;
    return held;
}

// first, if any, and then other, or that alone.
static struct packet *listed(struct packet *first, struct packet *other)
{
    if (first == NULL) {
        return other;
    }
    first->next = other;
    return first;
}

// Whatever the frame is, there is none that it could continue, and none could continue it: a
// segment that can be held has the flags of one alone.
static bool is_alone(const struct merge *merge, const struct packet *frame)
{
    if (merge->held != NULL || frame->size < ETHERNET_HEADER) {
        return false;
    }
    const uint32_t flags = ETHERNET_HEADER + (is_v4(frame) ? IP4_HEADER : IP6_HEADER) + FLAGS;
    return flags < frame->size && (uint8_t)frame->data[flags] != TCP_ACK;
}

struct packet *merge_frame(struct merge *merge, struct packet *frame)
{
    struct segment segment;
    frame->next = NULL;
    merge->cut = 0;
    if (is_alone(merge, frame)) {
        return frame;
    }
    if (!segment_read(&segment, frame)) {
        return listed(merge_end(merge), frame);
    }
    if (continues(merge, &segment, frame)) {
        append(merge, &segment, frame);
        return segment.is_last || segment.size < merge->data_max ? merge_end(merge) : NULL;
    }
    struct packet *before = merge_end(merge);
    if (segment.is_last) {
        return listed(before, frame);
    }
    hold(merge, &segment, frame);
    return before;
}
