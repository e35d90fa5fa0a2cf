// SPDX-License-Identifier: BSD-3-Clause
// icmp.c: see icmp.h.
#include "core/net/icmp.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"

enum {
    HEADER = 8,
    QUOTE_V4 = 576 - IP4_HEADER - HEADER,  // RFC 1812, 4.3.2.3
    QUOTE_V6 = 1280 - IP6_HEADER - HEADER, // RFC 4443, 2.4 (c)
    V4_UNREACHABLE = 3,
    V4_NO_PORT = 3,
    V6_UNREACHABLE = 1,
    V6_NO_PORT = 4,
};

struct icmp_header {
    uint8_t type, code;
    uint16_t checksum;
    uint32_t rest;
};

_Static_assert(sizeof(struct icmp_header) == HEADER, "RFC 792");

static uint64_t ends_sum(const struct ip_header *header, uint32_t size)
{
    const bool is_v4 = address_is_v4(&header->target);
    return is_v4 ? 0 : checksum_add_ends(0, &header->source, &header->target, IP_ICMPV6, size);
}

struct packet *icmp_port_unreachable(const struct packet *packet, const struct ip_header *header)
{
    const bool is_v4 = address_is_v4(&header->target);
    const uint32_t most = is_v4 ? QUOTE_V4 : QUOTE_V6;
    const uint32_t quoted = packet->size < most ? packet->size : most;
    struct packet *message = packet_alloc_block(HEADER + quoted);
    if (message == NULL) {
        net_count(NET_NO_MEMORY);
        return NULL;
    }
    struct icmp_header head = {
        .type = is_v4 ? V4_UNREACHABLE : V6_UNREACHABLE,
        .code = is_v4 ? V4_NO_PORT : V6_NO_PORT,
    };
    const struct ip_header back = {
        .source = header->target,
        .target = header->source,
        .protocol = is_v4 ? IP_ICMP : IP_ICMPV6,
        .hops = IP_HOPS_DEFAULT,
    };
    uint64_t sum = ends_sum(&back, HEADER + quoted);
    sum = checksum_add(sum, &head, sizeof head);
    head.checksum = checksum_end(checksum_add(sum, packet->data, quoted));
    memcpy(message->data, &head, sizeof head);
    memcpy(message->data + sizeof head, packet->data, quoted);
    message->size = HEADER + quoted;
    ip_header_push(message, &back);
    net_count(NET_ICMP_SENT);
    return message;
}

static int error_of(const struct icmp_header *head, bool is_v4)
{
    // By code: RFC 792 and 1122, 3.2.2.1; RFC 4443, 3.1.
    static const int16_t v4[] = {ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED};
    static const int16_t v6[] = {ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED};
    const uint8_t count = is_v4 ? sizeof v4 / sizeof *v4 : sizeof v6 / sizeof *v6;
    const bool is_unreachable = head->type == (is_v4 ? V4_UNREACHABLE : V6_UNREACHABLE);
    return !is_unreachable || head->code >= count ? 0 : is_v4 ? -v4[head->code] : -v6[head->code];
}

int icmp_error_read(const struct packet *packet, const struct ip_header *header,
                    struct ip_header *about, uint32_t *quoted)
{
    struct icmp_header head;
    const bool is_v4 = header->protocol == IP_ICMP;
    if (header->size < sizeof head || is_v4 != address_is_v4(&header->target)) {
        return 0;
    }
    const char *data = packet->data + header->transport;
    if (checksum_end(checksum_add(ends_sum(header, header->size), data, header->size)) != 0) {
        return 0;
    }
    memcpy(&head, data, sizeof head);
    *quoted = header->transport + HEADER;
    const int error = ip_header_read(about, packet->data + *quoted, header->size - HEADER, true);
    return error != 0 ? 0 : error_of(&head, is_v4);
}
