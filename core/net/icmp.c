// SPDX-License-Identifier: BSD-3-Clause
// icmp.c: see icmp.h.
#include "core/net/icmp.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/route.h"

enum {
    HEADER = 8,
    QUOTE_V4 = 576 - IP4_HEADER - HEADER,  // RFC 1812, 4.3.2.3
    QUOTE_V6 = 1280 - IP6_HEADER - HEADER, // RFC 4443, 2.4 (c)
    V4_UNREACHABLE = 3,
    V4_ECHO = 8,
    V4_ECHO_REPLY = 0,
    V4_TIME_EXCEEDED = 11,
    V4_PARAMETER = 12,
    V6_UNREACHABLE = 1,
    V6_TOO_BIG = 2,
    V6_TIME_EXCEEDED = 3,
    V6_PARAMETER = 4,
    V6_ECHO = 128,
    V6_ECHO_REPLY = 129,
    CHECKSUM = 2, // where it lies
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

// Of head and size bytes more, with the checksum put in; between header's ends.
static struct packet *message_make(const struct ip_header *header, const struct icmp_header *head,
                                   const void *data, uint32_t size)
{
    struct packet *message = packet_alloc_block(HEADER + size);
    if (message == NULL) {
        net_count(NET_NO_MEMORY);
        return NULL;
    }
    memcpy(message->data, head, HEADER);
    memcpy(message->data + HEADER, data, size);
    message->size = HEADER + size;
    memset(message->data + CHECKSUM, 0, sizeof head->checksum);
    const uint64_t sum = ends_sum(header, message->size);
    const uint16_t checksum = checksum_end(checksum_add(sum, message->data, message->size));
    memcpy(message->data + CHECKSUM, &checksum, sizeof checksum);
    ip_header_push(message, header);
    net_count(NET_ICMP_SENT);
    return message;
}

static struct ip_header header_back(const struct ip_header *header)
{
    const bool is_v4 = address_is_v4(&header->target);
    return (struct ip_header){
        .source = header->target,
        .target = header->source,
        .protocol = is_v4 ? IP_ICMP : IP_ICMPV6,
        .hops = IP_HOPS_DEFAULT,
        .may_cut = true,
    };
}

// RFC 1122, 3.2.2: not about what went to many, or came from nobody in particular; RFC 4443, 2.4.
static bool may_answer(const struct ip_header *header)
{
    return !address_is_multicast(&header->target) && !route_is_broadcast(&header->target) &&
           !address_is_any(&header->source) && !address_is_multicast(&header->source) &&
           !route_is_broadcast(&header->source);
}

bool icmp_may_tell_of(const struct packet *packet, const struct ip_header *header)
{
    if (header->protocol != IP_ICMP && header->protocol != IP_ICMPV6) {
        return true;
    }
    const uint8_t echo = header->protocol == IP_ICMP ? V4_ECHO : V6_ECHO;
    return header->transport < packet->size && (uint8_t)packet->data[header->transport] == echo;
}

struct packet *icmp_unreachable(const struct packet *packet, const struct ip_header *header,
                                enum icmp_reason reason)
{
    static const uint8_t v4_codes[] = {[ICMP_NO_PORT] = 3, [ICMP_NO_HOST] = 1};
    static const uint8_t v6_codes[] = {[ICMP_NO_PORT] = 4, [ICMP_NO_HOST] = 3};
    const bool is_v4 = address_is_v4(&header->target);
    const uint32_t most = is_v4 ? QUOTE_V4 : QUOTE_V6;
    struct ip_header back = header_back(header);
    back.source = reason == ICMP_NO_HOST ? header->source : back.source; // we say so ourselves
    const struct icmp_header head = {
        .type = is_v4 ? V4_UNREACHABLE : V6_UNREACHABLE,
        .code = is_v4 ? v4_codes[reason] : v6_codes[reason],
    };
    return !may_answer(header) ? NULL
                               : message_make(&back, &head, packet->data,
                                              packet->size < most ? packet->size : most);
}

bool icmp_is_right(const struct packet *packet, const struct ip_header *header)
{
    const char *data = packet->data + header->transport;
    const bool is_v4 = header->protocol == IP_ICMP;
    return header->size >= HEADER && is_v4 == address_is_v4(&header->target) &&
           checksum_end(checksum_add(ends_sum(header, header->size), data, header->size)) == 0;
}

struct packet *icmp_echo(const struct packet *packet, const struct ip_header *header)
{
    struct icmp_header head;
    const bool is_v4 = header->protocol == IP_ICMP;
    if (!icmp_is_right(packet, header) || !may_answer(header)) {
        return NULL;
    }
    memcpy(&head, packet->data + header->transport, sizeof head);
    if (head.type != (is_v4 ? V4_ECHO : V6_ECHO) || head.code != 0) {
        return NULL;
    }
    head.type = is_v4 ? V4_ECHO_REPLY : V6_ECHO_REPLY;
    const struct ip_header back = header_back(header);
    return message_make(&back, &head, packet->data + header->transport + HEADER,
                        header->size - HEADER);
}

struct packet *icmp6_make(const struct ip_header *header, const void *head, uint32_t size)
{
    struct icmp_header first;
    memcpy(&first, head, sizeof first);
    return message_make(header, &first, (const char *)head + HEADER, size - HEADER);
}

static int error_of(const struct icmp_header *head, bool is_v4)
{
    // By code: RFC 792 and 1122, 3.2.2.1; RFC 4443, 3.1.
    static const int16_t v4[] = {ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE};
    static const int16_t v6[] = {ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED};
    const uint8_t count = is_v4 ? sizeof v4 / sizeof *v4 : sizeof v6 / sizeof *v6;
    if (!is_v4 && head->type == V6_TOO_BIG) {
        return -EMSGSIZE;
    }
    if (head->type == (is_v4 ? V4_TIME_EXCEEDED : V6_TIME_EXCEEDED)) {
        return -EHOSTUNREACH;
    }
    if (head->type == (is_v4 ? V4_PARAMETER : V6_PARAMETER)) {
        return -EPROTO;
    }
    const bool is_unreachable = head->type == (is_v4 ? V4_UNREACHABLE : V6_UNREACHABLE);
    return !is_unreachable || head->code >= count ? 0 : is_v4 ? -v4[head->code] : -v6[head->code];
}

int icmp_error_read(const struct packet *packet, const struct ip_header *header,
                    struct ip_header *about, uint32_t *quoted)
{
    struct icmp_header head;
    const bool is_v4 = header->protocol == IP_ICMP;
    if (!icmp_is_right(packet, header)) {
        return 0;
    }
    memcpy(&head, packet->data + header->transport, sizeof head);
    *quoted = header->transport + HEADER;
    const int error = ip_header_read(about, packet->data + *quoted, header->size - HEADER, true);
    return error != 0 ? 0 : error_of(&head, is_v4);
}

uint32_t icmp_error_mtu(const struct packet *packet, const struct ip_header *header)
{
    struct icmp_header head;
    memcpy(&head, packet->data + header->transport, sizeof head);
    const uint32_t rest = __builtin_bswap32(head.rest);
    return header->protocol == IP_ICMP ? rest & UINT16_MAX : rest;
}
