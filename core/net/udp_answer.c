// SPDX-License-Identifier: BSD-3-Clause
// udp_answer.c: see udp_answer.h.
#include "core/net/udp_answer.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/udp.h"

static bool is_answerable(const struct ip_header *came)
{
    return came->protocol == IP_UDP && came->size >= UDP_HEADER &&
           !address_is_multicast(&came->target);
}

// Without the checksum: is_trusted says so.
static void headers_push(struct packet *answer, const struct ip_header *came,
                         const struct udp_header *asked)
{
    const struct ip_header header = {
        .source = came->target,
        .target = came->source,
        .protocol = IP_UDP,
        .hops = IP_HOPS_DEFAULT,
    };
    const struct udp_header own = {asked->target, asked->source,
                                   net_order16((uint16_t)(answer->size + UDP_HEADER)), 0};
    answer->data -= sizeof own;
    answer->size += (uint32_t)sizeof own;
    memcpy(answer->data, &own, sizeof own);
    answer->is_trusted = true;
    ip_header_push(answer, &header);
}

int udp_answer_make(struct packet **made, const char *asked, const struct ip_header *came,
                    const struct netif *netif, const void *payload, size_t size)
{
    const uint32_t heads = address_is_v4(&came->target) ? IP4_HEADER : IP6_HEADER;
    struct udp_header header;
    if (!is_answerable(came)) {
        return -EINVAL;
    }
    if (size > IP_SIZE_MAX - UDP_HEADER - heads || size + UDP_HEADER + heads > netif->mtu) {
        return -EMSGSIZE;
    }
    struct packet *answer = packet_alloc_block((uint32_t)size);
    if (answer == NULL) {
        return -ENOBUFS;
    }
    memcpy(&header, asked + came->transport, sizeof header);
    memcpy(answer->data, payload, size);
    answer->size = (uint32_t)size;
    answer->netif = (uint8_t)netif->index;
    headers_push(answer, came, &header);
    *made = answer;
    return 0;
}
