// SPDX-License-Identifier: BSD-3-Clause
// nd.c: see nd.h.
#include "core/net/nd.h"

#include "core/dev/packet.h"
#include "core/lib/string.h"
#include "core/net/autoconf_client.h"
#include "core/net/counts.h"
#include "core/net/ethernet.h"
#include "core/net/group_link.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/route.h"

enum {
    SOLICIT = 133,
    ADVERTISE = 134,
    ASK = 135,
    ANSWER = 136,
    FIRST = 133, // of all messages about neighbours and routers
    LAST = 137,
    HOPS = 255, // so it has not come from another link
    OPTION_SOURCE = 1,
    OPTION_TARGET = 2,
    OPTION_UNIT = 8, // bytes
    IS_SOLICITED = 0x40,
    OVERRIDES = 0x20,
};

struct nd_message { // RFC 4861, 4.3, 4.4
    uint8_t type, code;
    uint16_t checksum;
    uint8_t flags, reserved[3];
    uint8_t target[ADDRESS_V6_SIZE];
    uint8_t option, option_units, hardware[NETIF_HARDWARE_SIZE];
};

enum { MESSAGE = sizeof(struct nd_message), MESSAGE_BARE = MESSAGE - OPTION_UNIT };

_Static_assert(MESSAGE_BARE == 24, "RFC 4861, 4.3");

struct nd_solicitation { // 4.1
    uint8_t type, code;
    uint16_t checksum;
    uint32_t reserved;
    uint8_t option, option_units, hardware[NETIF_HARDWARE_SIZE];
};

static const struct net_address all_routers = {{0x2ff, UINT64_C(2) << 56}}; // ff02::2
static const struct net_address all_nodes = {{0x2ff, UINT64_C(1) << 56}};   // ff02::1

// Those whose last 24 bits are target's (RFC 4291, 2.7.1).
static struct net_address group_of(const struct net_address *target)
{
    uint8_t bytes[ADDRESS_V6_SIZE] = {0xff, 2, [11] = 1, [12] = 0xff};
    memcpy(bytes + 13, address_bytes(target) + 13, 3);
    return address_of_v6(bytes);
}

static struct packet *message_make(const struct ethernet *ethernet, uint8_t type, uint8_t flags,
                                   const struct net_address *about,
                                   const struct net_address *source, const struct net_address *to)
{
    const struct ip_header header = {
        .source = *source, .target = *to, .protocol = IP_ICMPV6, .hops = HOPS};
    struct nd_message message = {
        .type = type,
        .flags = flags,
        .option = type == ASK ? OPTION_SOURCE : OPTION_TARGET,
        .option_units = 1,
    };
    memcpy(message.target, about, sizeof message.target);
    memcpy(message.hardware, ethernet->netif.hardware, sizeof message.hardware);
    return icmp6_make(&header, &message, MESSAGE);
}

static void message_send(struct ethernet *ethernet, struct packet *packet,
                         const struct net_address *to)
{
    if (packet != NULL) {
        ethernet->netif.send(&ethernet->netif, packet, to);
    }
}

// On the network of target, or on the link.
static bool source_find(const struct ethernet *ethernet, const struct net_address *target,
                        struct net_address *source)
{
    return route_source(&ethernet->netif, target, false, source) ||
           route_source(&ethernet->netif, target, true, source);
}

void nd_ask(struct ethernet *ethernet, const struct neighbour_step *step)
{
    struct net_address source;
    const bool is_known = step->act == NEIGHBOUR_ASK_ONE;
    const struct net_address to = is_known ? step->address : group_of(&step->address);
    if (!source_find(ethernet, &step->address, &source)) {
        return;
    }
    struct packet *packet = message_make(ethernet, ASK, 0, &step->address, &source, &to);
    if (packet != NULL && is_known) {
        ethernet_send(ethernet, packet, ETHERNET_V6, step->hardware);
    } else {
        message_send(ethernet, packet, &to);
    }
}

void nd_probe(struct ethernet *ethernet, const struct net_address *address)
{
    const struct net_address to = group_of(address);
    struct nd_message message = {.type = ASK};
    const struct ip_header header = {
        .source = address_any(false), .target = to, .protocol = IP_ICMPV6, .hops = HOPS};
    memcpy(message.target, address, sizeof message.target);
    message_send(ethernet, icmp6_make(&header, &message, MESSAGE_BARE), &to);
}

void nd_solicit(struct ethernet *ethernet, const struct net_address *source)
{
    const struct nd_solicitation head = {SOLICIT, 0, 0, 0, OPTION_SOURCE, 1, {0}};
    const struct ip_header header = {
        .source = *source, .target = all_routers, .protocol = IP_ICMPV6, .hops = HOPS};
    struct nd_solicitation message = head;
    memcpy(message.hardware, ethernet->netif.hardware, sizeof message.hardware);
    message_send(ethernet, icmp6_make(&header, &message, sizeof message), &all_routers);
}

int nd_group_join(struct ethernet *ethernet, const struct net_address *address)
{
    const struct net_address group = group_of(address);
    return netif_join(&ethernet->netif, &group);
}

void nd_group_leave(struct ethernet *ethernet, const struct net_address *address)
{
    const struct net_address group = group_of(address);
    if (group_is_joined(ethernet->netif.groups, &group)) { // nd_group_join may have failed
        netif_leave(&ethernet->netif, &group);
    }
}

void nd_announce(struct ethernet *ethernet, const struct net_address *address)
{
    message_send(ethernet, message_make(ethernet, ANSWER, OVERRIDES, address, address, &all_nodes),
                 &all_nodes);
}

// ---- What comes ------------------------------------------------------------------------

// The hardware address that an option of that type has. NULL: none has. False in *is_right: an
// option is damaged.
static const uint8_t *option_find(const uint8_t *options, uint32_t size, uint8_t type,
                                  bool *is_right)
{
    const uint8_t *found = NULL;
    for (uint32_t at = 0; at < size;) {
        const uint32_t length = at + 1 < size ? OPTION_UNIT * (uint32_t)options[at + 1] : 0;
        if (length == 0 || length > size - at) {
            *is_right = false;
            return NULL;
        }
        found = found == NULL && options[at] == type ? options + at + 2 : found;
        at += length;
    }
    return found;
}

static void learn(struct ethernet *ethernet, const struct net_address *address,
                  const uint8_t *hardware, unsigned news)
{
    struct neighbour_step step;
    if ((hardware[0] & 1) != 0 || route_has(&ethernet->netif, address)) {
        return;
    }
    neighbour_learn(&ethernet->neighbours, address, hardware, news, hal_clock_ns(), &step);
    ethernet_step(ethernet, &step);
}

static void ask_input(struct ethernet *ethernet, const struct net_address *about,
                      const struct ip_header *header, const uint8_t *hardware)
{
    const bool is_new = address_is_any(&header->source); // somebody wants the address himself
    if (!route_has(&ethernet->netif, about)) {
        if (is_new && ethernet->autoconf != NULL) {
            autoconf_client_heard(ethernet->autoconf, about);
        }
        return;
    }
    if (hardware != NULL && !is_new) {
        learn(ethernet, &header->source, hardware, NEIGHBOUR_OVERRIDES | NEIGHBOUR_IS_NEW);
    }
    const struct net_address to = is_new ? all_nodes : header->source;
    const uint8_t flags = OVERRIDES | (is_new ? 0 : IS_SOLICITED);
    message_send(ethernet, message_make(ethernet, ANSWER, flags, about, about, &to), &to);
}

static void answer_input(struct ethernet *ethernet, const struct nd_message *message,
                         const struct net_address *about, const struct ip_header *header,
                         const uint8_t *hardware)
{
    const bool is_solicited = (message->flags & IS_SOLICITED) != 0;
    if (ethernet->autoconf != NULL) {
        autoconf_client_heard(ethernet->autoconf, about);
    }
    if (hardware != NULL && !(is_solicited && address_is_multicast(&header->target))) {
        learn(ethernet, about, hardware,
              (is_solicited ? NEIGHBOUR_SOLICITED : 0) |
                  ((message->flags & OVERRIDES) != 0 ? NEIGHBOUR_OVERRIDES : 0));
    }
}

// RFC 4861, 6.1.2. The router's hardware is learnt, too.
static bool router_input(struct ethernet *ethernet, const struct packet *packet,
                         const struct ip_header *header)
{
    enum { HEAD = 16 };
    const uint8_t *data = (const uint8_t *)packet->data + header->transport;
    bool is_right = true;
    if (ethernet->autoconf == NULL) {
        return true;
    }
    if (header->size < HEAD || header->hops != HOPS || !icmp_is_right(packet, header) ||
        !autoconf_client_input(ethernet->autoconf, packet, header)) {
        return false;
    }
    const uint8_t *hardware =
        option_find(data + HEAD, header->size - HEAD, OPTION_SOURCE, &is_right);
    if (hardware != NULL) {
        learn(ethernet, &header->source, hardware, NEIGHBOUR_OVERRIDES | NEIGHBOUR_IS_NEW);
    }
    return true;
}

// RFC 4861, 7.1.
static bool message_take(struct ethernet *ethernet, const struct packet *packet,
                         const struct ip_header *header)
{
    struct nd_message message;
    const uint8_t *data = (const uint8_t *)packet->data + header->transport;
    if (header->size < MESSAGE_BARE || header->hops != HOPS || !icmp_is_right(packet, header)) {
        return false;
    }
    memcpy(&message, data, MESSAGE_BARE);
    const struct net_address about = address_of_v6(message.target);
    const uint8_t type = message.type == ASK ? OPTION_SOURCE : OPTION_TARGET;
    bool is_right = message.code == 0 && !address_is_multicast(&about) && !address_is_v4(&about);
    const uint8_t *hardware =
        option_find(data + MESSAGE_BARE, header->size - MESSAGE_BARE, type, &is_right);
    if (!is_right) {
        return false;
    }
    if (message.type == ASK) {
        ask_input(ethernet, &about, header, hardware);
    } else if (message.type == ANSWER) {
        answer_input(ethernet, &message, &about, header, hardware);
    }
    return true;
}

bool nd_input(struct ethernet *ethernet, struct packet *packet, const struct ip_header *header)
{
    const uint8_t type = header->size == 0 ? 0 : (uint8_t)packet->data[header->transport];
    if (type < FIRST || type > LAST) {
        return false;
    }
    net_count(NET_ICMP_RECEIVED);
    if (!(type == ADVERTISE ? router_input : message_take)(ethernet, packet, header)) {
        net_count(NET_ICMP_DROPPED);
    }
    packet_free(packet);
    return true;
}
