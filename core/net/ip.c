// SPDX-License-Identifier: BSD-3-Clause
// ip.c: see ip.h. What is sent may not be fragmented (RFC 6864, 4: such packets need no number).
#include "core/net/ip.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"

enum {
    IP4_WHOLE = 0x4000,    // "do not fragment"
    IP4_FRAGMENT = 0x3fff, // more follow, or an offset
};

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

_Static_assert(sizeof(struct ip4_header) == IP4_HEADER, "RFC 791, 3.1");
_Static_assert(sizeof(struct ip6_header) == IP6_HEADER, "RFC 8200, 3");

static int ip4_read(struct ip_header *header, const char *data, uint32_t size, bool is_cut)
{
    struct ip4_header raw;
    if (size < sizeof raw) {
        return -EINVAL;
    }
    memcpy(&raw, data, sizeof raw);
    const uint32_t length = (uint32_t)(raw.version & 15) * 4;
    const uint32_t total = net_order16(raw.size);
    if (length < sizeof raw || length > total || length > size || (total > size && !is_cut) ||
        checksum_end(checksum_add(0, data, length)) != 0) {
        return -EINVAL;
    }
    if ((net_order16(raw.fragment) & IP4_FRAGMENT) != 0) {
        return -EOPNOTSUPP;
    }
    *header = (struct ip_header){
        .source = address_of_v4(raw.source),
        .target = address_of_v4(raw.target),
        .protocol = raw.protocol,
        .hops = raw.hops,
        .service = raw.service,
        .transport = (uint16_t)length,
        .size = total - length,
    };
    return 0;
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
    if (raw.next != IP_TCP && raw.next != IP_UDP && raw.next != IP_ICMPV6) {
        return -EOPNOTSUPP;
    }
    *header = (struct ip_header){
        .source = address_of_v6(raw.source),
        .target = address_of_v6(raw.target),
        .protocol = raw.next,
        .hops = raw.hops,
        .service = (uint8_t)(raw.version << 4 | raw.service >> 4),
        .transport = sizeof raw,
        .size = net_order16(raw.size),
    };
    return 0;
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

static void ip4_push(struct packet *packet, const struct ip_header *header)
{
    struct ip4_header raw = {
        .version = 4 << 4 | sizeof raw / 4,
        .service = header->service,
        .size = net_order16((uint16_t)packet->size),
        .fragment = net_order16(IP4_WHOLE),
        .hops = header->hops,
        .protocol = header->protocol,
    };
    memcpy(raw.source, address_v4_bytes(&header->source), sizeof raw.source);
    memcpy(raw.target, address_v4_bytes(&header->target), sizeof raw.target);
    raw.checksum = checksum_end(checksum_add(0, &raw, sizeof raw));
    memcpy(packet->data, &raw, sizeof raw);
}

static void ip6_push(struct packet *packet, const struct ip_header *header)
{
    struct ip6_header raw = {
        .version = (uint8_t)(6 << 4 | header->service >> 4),
        .service = (uint8_t)(header->service << 4),
        .size = net_order16((uint16_t)(packet->size - sizeof raw)),
        .next = header->protocol,
        .hops = header->hops,
    };
    memcpy(raw.source, &header->source, sizeof raw.source);
    memcpy(raw.target, &header->target, sizeof raw.target);
    memcpy(packet->data, &raw, sizeof raw);
}

void ip_header_push(struct packet *packet, const struct ip_header *header)
{
    const bool is_v4 = address_is_v4(&header->target);
    const uint32_t length = is_v4 ? IP4_HEADER : IP6_HEADER;
    ASSERT(packet_headroom(packet) >= length);
    packet->data -= length;
    packet->size += length;
    packet->transport = (uint16_t)length;
    if (is_v4) {
        ip4_push(packet, header);
    } else {
        ip6_push(packet, header);
    }
}
