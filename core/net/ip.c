// SPDX-License-Identifier: BSD-3-Clause
// ip.c: see ip.h. What may not be cut needs no number (RFC 6864, 4).
#include "core/net/ip.h"

#include <stddef.h>

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"

enum {
    IP4_WHOLE = 0x4000, // "do not fragment"
    IP4_MORE = 0x2000,  // follow
    IP4_OFFSET = 0x1fff,
    IP6_MORE = 1,
    IP6_OFFSET = 0xfff8,
    IP6_HEADERS_MAX = 8, // behind the first
    IP6_HEADERS_SIZE_MAX = 2048,
    OPTION_PAD = 0,       // RFC 8200, 4.2
    OPTION_STRICT = 0xc0, // who does not know it drops the packet
};

enum { HEADER_HOPS = 0, HEADER_ROUTING = 43, HEADER_TARGET = 60 };

struct ip4_header {
    uint8_t version, service;
    uint16_t size, number, fragment;
    uint8_t hops, protocol;
    uint16_t checksum;
    uint8_t source[ADDRESS_V4_SIZE], target[ADDRESS_V4_SIZE];
};

struct ip6_header {
    uint8_t version, service; // four bits; eight; the flow label begins in the second byte
    uint16_t flow, size;
    uint8_t next, hops;
    uint8_t source[ADDRESS_V6_SIZE], target[ADDRESS_V6_SIZE];
};

struct ip6_fragment {
    uint8_t next, reserved;
    uint16_t offset; // in bytes, and IP6_MORE
    uint32_t number;
};

_Static_assert(sizeof(struct ip6_fragment) == IP6_FRAGMENT_HEADER, "RFC 8200, 4.5");
_Static_assert(sizeof(struct ip4_header) == IP4_HEADER, "RFC 791, 3.1");
_Static_assert(sizeof(struct ip6_header) == IP6_HEADER, "RFC 8200, 3");

// Of whole words of 32 bits.
static uint16_t header_checksum(const char *header, uint32_t length)
{
    uint64_t sum = 0;
    for (uint32_t at = 0; at < length; at += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, header + at, sizeof word);
        sum += word;
    }
    return checksum_end(sum);
}

static uint32_t ip4_length(const struct ip4_header *raw)
{
    return (uint32_t)(raw->version & 15) * 4;
}

__attribute__((noinline)) static void ip4_tell(struct ip_header *header,
                                               const struct ip4_header *raw)
{
    const uint16_t fragment = net_order16(raw->fragment);
    const uint32_t length = ip4_length(raw);
    *header = (struct ip_header){
        .source = address_of_v4(raw->source),
        .target = address_of_v4(raw->target),
        .protocol = raw->protocol,
        .hops = raw->hops,
        .service = raw->service,
        .has_more = (fragment & IP4_MORE) != 0,
        .may_cut = (fragment & IP4_WHOLE) == 0,
        .transport = (uint16_t)length,
        .size = net_order16(raw->size) - length,
        .offset = (fragment & IP4_OFFSET) * 8u,
        .number = raw->number,
    };
}

static int ip4_read(struct ip_header *header, const char *data, uint32_t size, bool is_cut)
{
    struct ip4_header raw;
    if (size < sizeof raw) {
        return -EINVAL;
    }
    memcpy(&raw, data, sizeof raw);
    const uint32_t length = ip4_length(&raw);
    const uint32_t total = net_order16(raw.size);
    if (length < sizeof raw || length > total || length > size || (total > size && !is_cut) ||
        header_checksum(data, length) != 0) {
        return -EINVAL;
    }
    ip4_tell(header, &raw);
    return header->has_more || header->offset != 0 ? -EOPNOTSUPP : 0;
}

// Options of a header of size bytes at data (RFC 8200, 4.2). False: the packet is to be dropped.
static bool options_are_known(const char *data, uint32_t size)
{
    for (uint32_t at = 2; at < size;) {
        const uint8_t type = (uint8_t)data[at];
        if (type == OPTION_PAD) {
            ++at;
        } else if (at + 1 == size || (uint8_t)data[at + 1] > size - at - 2 ||
                   (type & OPTION_STRICT) != 0) {
            return false;
        } else {
            at += 2u + (uint8_t)data[at + 1];
        }
    }
    return true;
}

// One header of IPv6 behind the first: header->protocol says which, and is then the next one's. Its
// size, or -errno.
static int ip6_further_read(struct ip_header *header, const char *data, uint32_t room, bool first)
{
    if (room < 8) {
        return -EINVAL;
    }
    const uint8_t kind = header->protocol;
    const uint32_t size = kind == IP_FRAGMENT ? 8 : 8u * ((uint8_t)data[1] + 1u);
    header->protocol = (uint8_t)data[0];
    if (size > room) {
        return -EINVAL;
    }
    if (kind == IP_FRAGMENT) {
        struct ip6_fragment raw;
        memcpy(&raw, data, sizeof raw);
        header->offset = net_order16(raw.offset) & IP6_OFFSET;
        header->has_more = (net_order16(raw.offset) & IP6_MORE) != 0;
        header->number = raw.number;
        return sizeof raw;
    }
    const bool is_known = kind == HEADER_ROUTING
                              ? data[3] == 0 // nobody else is to get it
                              : (kind != HEADER_HOPS || first) && options_are_known(data, size);
    return is_known ? (int)size : -EPROTONOSUPPORT;
}

// Those between the first and the transport's.
static int ip6_further_all_read(struct ip_header *header, const char *data, uint32_t end)
{
    for (int i = 0; i < IP6_HEADERS_MAX; ++i) {
        const uint8_t kind = header->protocol;
        if (kind != HEADER_HOPS && kind != HEADER_ROUTING && kind != HEADER_TARGET &&
            kind != IP_FRAGMENT) {
            return 0;
        }
        const int size =
            ip6_further_read(header, data + header->transport, end - header->transport, i == 0);
        if (size < 0) {
            return size;
        }
        if (kind == IP_FRAGMENT && (header->offset != 0 || header->has_more)) {
            header->fragment = header->transport;
        }
        header->transport = (uint16_t)(header->transport + size);
        if (header->transport > IP6_HEADERS_SIZE_MAX) {
            return -EPROTONOSUPPORT;
        }
        if (header->fragment != 0) { // what follows is a part of something
            return -EOPNOTSUPP;
        }
    }
    return -EPROTONOSUPPORT;
}

static int ip6_read(struct ip_header *header, const char *data, uint32_t size, bool is_cut)
{
    struct ip6_header raw;
    if (size < sizeof raw) {
        return -EINVAL;
    }
    memcpy(&raw, data, sizeof raw);
    if (net_order16(raw.size) > size - sizeof raw && !is_cut) {
        return -EINVAL;
    }
    *header = (struct ip_header){
        .source = address_of_v6(raw.source),
        .target = address_of_v6(raw.target),
        .protocol = raw.next,
        .hops = raw.hops,
        .service = (uint8_t)(raw.version << 4 | raw.service >> 4),
        .may_cut = true, // by its sender
        .transport = sizeof raw,
    };
    if (address_is_v4(&header->source) || address_is_v4(&header->target)) {
        return -EPROTONOSUPPORT; // as if IPv4 had brought it: names of this machine's alone
    }
    const uint32_t total = (uint32_t)sizeof raw + net_order16(raw.size);
    const int error = ip6_further_all_read(header, data, total < size ? total : size);
    header->size = total - header->transport;
    return error;
}

int ip_header_read(struct ip_header *header, const char *data, uint32_t size, bool is_cut)
{
    switch (size == 0 ? 0 : (uint8_t)data[0] >> 4) {
    case 4:
        return ip4_read(header, data, size, is_cut);
    case 6:
        return ip6_read(header, data, size, is_cut);
    default:
        return -EINVAL;
    }
}

int ip_packet_read(struct ip_header *header, const struct packet *packet)
{
    const bool is_cut = packet->more != NULL;
    const int error = ip_header_read(header, packet->data, packet->size, is_cut);
    const bool is_read = error == 0 || error == -EOPNOTSUPP;
    return is_cut && is_read && header->transport + header->size > packet_size(packet) ? -EINVAL
                                                                                       : error;
}

int ip_packet_read_again(struct ip_header *header, const struct packet *packet)
{
    struct ip4_header raw;
    if ((uint8_t)packet->data[0] >> 4 != 4) {
        return ip_header_read(header, packet->data, packet->size, true);
    }
    memcpy(&raw, packet->data, sizeof raw);
    ip4_tell(header, &raw);
    header->transport = packet->transport; // whatever a device writes there meanwhile
    header->size = (packet->more == NULL ? packet->size : packet_size(packet)) - packet->transport;
    return 0;
}

static void ip4_push(struct packet *packet, const struct ip_header *header)
{
    struct ip4_header raw = {
        .version = 4 << 4 | sizeof raw / 4,
        .service = header->service,
        .size = net_order16((uint16_t)packet_size(packet)),
        .number = header->may_cut ? (uint16_t)header->number : 0,
        .fragment = net_order16((uint16_t)((header->may_cut ? 0 : IP4_WHOLE) |
                                           (header->has_more ? IP4_MORE : 0) | header->offset / 8)),
        .hops = header->hops,
        .protocol = header->protocol,
    };
    memcpy(raw.source, address_v4_bytes(&header->source), sizeof raw.source);
    memcpy(raw.target, address_v4_bytes(&header->target), sizeof raw.target);
    raw.checksum = header_checksum((const char *)&raw, sizeof raw);
    memcpy(packet->data, &raw, sizeof raw);
}

static void ip6_push(struct packet *packet, const struct ip_header *header, uint8_t next)
{
    struct ip6_header raw = {
        .version = (uint8_t)(6 << 4 | header->service >> 4),
        .service = (uint8_t)(header->service << 4),
        .size = net_order16((uint16_t)(packet_size(packet) - sizeof raw)),
        .next = next,
        .hops = header->hops,
    };
    memcpy(raw.source, &header->source, sizeof raw.source);
    memcpy(raw.target, &header->target, sizeof raw.target);
    memcpy(packet->data, &raw, sizeof raw);
}

static void fragment_push(struct packet *packet, const struct ip_header *header)
{
    const struct ip6_fragment raw = {
        .next = header->protocol,
        .offset = net_order16((uint16_t)(header->offset | (header->has_more ? IP6_MORE : 0))),
        .number = header->number,
    };
    packet->data -= sizeof raw;
    packet->size += (uint32_t)sizeof raw;
    memcpy(packet->data, &raw, sizeof raw);
}

void ip_header_push(struct packet *packet, const struct ip_header *header)
{
    const bool is_v4 = address_is_v4(&header->target);
    const uint32_t length = is_v4 ? IP4_HEADER : IP6_HEADER;
    uint8_t next = header->protocol;
    ASSERT(packet_headroom(packet) >= length + IP6_FRAGMENT_HEADER);
    if (!is_v4 && (header->has_more || header->offset != 0)) {
        fragment_push(packet, header);
        next = IP_FRAGMENT;
    }
    packet->data -= length;
    packet->size += length;
    packet->transport = (uint16_t)length;
    if (is_v4) {
        ip4_push(packet, header);
    } else {
        ip6_push(packet, header, next);
    }
}

void ip_number_put(struct packet *packet, uint32_t number)
{
    struct ip4_header raw;
    if ((uint8_t)packet->data[0] >> 4 == 4) {
        memcpy(&raw, packet->data, sizeof raw);
        raw.number = (uint16_t)number;
        raw.checksum = 0;
        memcpy(packet->data, &raw, sizeof raw);
        raw.checksum = header_checksum(packet->data, ip4_length(&raw));
        memcpy(packet->data, &raw, sizeof raw);
    }
}

// The first header moves down, to make room behind it.
static char *room_make(struct packet *packet, uint32_t first, uint32_t size)
{
    ASSERT(packet->more == NULL && packet_headroom(packet) >= size);
    packet->data -= size;
    packet->size += size;
    packet->transport = (uint16_t)(first + size);
    memmove(packet->data, packet->data + size, first);
    return packet->data + first;
}

static void alert4_insert(struct packet *packet)
{
    static const uint8_t option[] = {0x94, 4, 0, 0};
    struct ip4_header raw;
    memcpy(room_make(packet, sizeof raw, sizeof option), option, sizeof option);
    memcpy(&raw, packet->data, sizeof raw);
    raw.version = 4 << 4 | (sizeof raw + sizeof option) / 4;
    raw.size = net_order16((uint16_t)packet->size);
    raw.checksum = 0;
    memcpy(packet->data, &raw, sizeof raw);
    raw.checksum = checksum_end(checksum_add(0, packet->data, sizeof raw + sizeof option));
    memcpy(packet->data, &raw, sizeof raw);
}

static void alert6_insert(struct packet *packet)
{
    struct ip6_header raw;
    uint8_t option[] = {0, 0, 5, 2, 0, 0, 1, 0}; // the header of one, and two bytes of nothing
    char *room = room_make(packet, sizeof raw, sizeof option);
    memcpy(&raw, packet->data, sizeof raw);
    option[0] = raw.next;
    raw.next = HEADER_HOPS;
    raw.size = net_order16((uint16_t)(packet->size - sizeof raw));
    memcpy(room, option, sizeof option);
    memcpy(packet->data, &raw, sizeof raw);
}

void ip_alert_insert(struct packet *packet)
{
    if ((uint8_t)packet->data[0] >> 4 == 4) {
        alert4_insert(packet);
    } else {
        alert6_insert(packet);
    }
}

struct net_address ip_target(const struct packet *packet)
{
    return (uint8_t)packet->data[0] >> 4 == 4
               ? address_of_v4(packet->data + offsetof(struct ip4_header, target))
               : address_of_v6(packet->data + offsetof(struct ip6_header, target));
}
