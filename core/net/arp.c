// SPDX-License-Identifier: BSD-3-Clause
// arp.c: see arp.h.
#include "core/net/arp.h"

#include "core/dev/packet.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/dhcp_client.h"
#include "core/net/ethernet.h"
#include "core/net/route.h"

enum { KIND_ETHERNET = 1, ASK = 1, ANSWER = 2 };

struct arp {
    uint16_t hardware_kind, protocol;
    uint8_t hardware_size, protocol_size;
    uint16_t operation;
    uint8_t source_hardware[NETIF_HARDWARE_SIZE], source[ADDRESS_V4_SIZE];
    uint8_t target_hardware[NETIF_HARDWARE_SIZE], target[ADDRESS_V4_SIZE];
};

_Static_assert(sizeof(struct arp) == 28, "RFC 826");

static const uint8_t all_hardware[NETIF_HARDWARE_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void arp_send(struct ethernet *ethernet, uint16_t operation,
                     const struct net_address *source, const struct net_address *target,
                     const uint8_t hardware[NETIF_HARDWARE_SIZE])
{
    struct arp arp = {
        .hardware_kind = net_order16(KIND_ETHERNET),
        .protocol = net_order16(ETHERNET_V4),
        .hardware_size = NETIF_HARDWARE_SIZE,
        .protocol_size = ADDRESS_V4_SIZE,
        .operation = net_order16(operation),
    };
    struct packet *packet = packet_alloc_block(sizeof arp);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return;
    }
    memcpy(arp.source_hardware, ethernet->netif.hardware, sizeof arp.source_hardware);
    memcpy(arp.source, address_v4_bytes(source), sizeof arp.source);
    if (operation == ANSWER) {
        memcpy(arp.target_hardware, hardware, sizeof arp.target_hardware);
    }
    memcpy(arp.target, address_v4_bytes(target), sizeof arp.target);
    memcpy(packet->data, &arp, sizeof arp);
    packet->size = sizeof arp;
    ethernet_send(ethernet, packet, ETHERNET_ARP, hardware);
}

// On the network of target, or by the route that says that target is on the link (RFC 3442).
static bool source_find(const struct ethernet *ethernet, const struct net_address *target,
                        struct net_address *source)
{
    struct route route;
    if (route_source(&ethernet->netif, target, false, source)) {
        return true;
    }
    const bool is_there = route_find(target, &route) == 0 && route.netif == &ethernet->netif;
    *source = is_there ? route.source : *source;
    return is_there;
}

void arp_ask(struct ethernet *ethernet, const struct neighbour_step *step)
{
    struct net_address source;
    const bool is_known = step->act == NEIGHBOUR_ASK_ONE;
    if (source_find(ethernet, &step->address, &source)) {
        arp_send(ethernet, ASK, &source, &step->address, is_known ? step->hardware : all_hardware);
    }
}

void arp_probe(struct ethernet *ethernet, const struct net_address *address)
{
    const struct net_address nobody = address_any(true);
    arp_send(ethernet, ASK, &nobody, address, all_hardware);
}

void arp_announce(struct ethernet *ethernet, const struct net_address *address)
{
    arp_send(ethernet, ASK, address, address, all_hardware);
}

static bool is_ours(const struct ethernet *ethernet, const struct net_address *address)
{
    return route_has(&ethernet->netif, address);
}

// Of a right form. What nobody may say of himself is not learnt.
static void learn(struct ethernet *ethernet, const struct arp *arp)
{
    const struct net_address source = address_of_v4(arp->source);
    const struct net_address target = address_of_v4(arp->target);
    const bool is_to_us = is_ours(ethernet, &target);
    const bool is_answer = arp->operation == net_order16(ANSWER);
    struct neighbour_step step;
    if ((arp->source_hardware[0] & 1) != 0 || address_is_any(&source) ||
        address_is_multicast(&source) || route_is_broadcast(&source) ||
        is_ours(ethernet, &source)) {
        return;
    }
    neighbour_learn(&ethernet->neighbours, &source, arp->source_hardware,
                    NEIGHBOUR_OVERRIDES | (is_answer && is_to_us ? NEIGHBOUR_SOLICITED : 0) |
                        (!is_answer && is_to_us ? NEIGHBOUR_IS_NEW : 0),
                    hal_clock_ns(), &step);
    ethernet_step(ethernet, &step);
}

// Whoever has an address, or is about to take it, is heard by who is about to take it here.
static void use_tell(struct ethernet *ethernet, const struct arp *arp)
{
    const struct net_address source = address_of_v4(arp->source);
    const struct net_address target = address_of_v4(arp->target);
    struct dhcp_client *dhcp = ethernet->dhcp;
    if (dhcp != NULL &&
        memcmp(arp->source_hardware, ethernet->netif.hardware, sizeof arp->source_hardware) != 0) {
        const bool is_probe = address_is_any(&source) && arp->operation == net_order16(ASK);
        dhcp_client_heard(dhcp, is_probe ? &target : &source);
    }
}

void arp_input(struct ethernet *ethernet, struct packet *packet)
{
    struct arp arp;
    bool is_right = packet->size >= sizeof arp;
    if (is_right) {
        memcpy(&arp, packet->data, sizeof arp);
        is_right = arp.hardware_kind == net_order16(KIND_ETHERNET) &&
                   arp.protocol == net_order16(ETHERNET_V4) &&
                   arp.hardware_size == NETIF_HARDWARE_SIZE && arp.protocol_size == ADDRESS_V4_SIZE;
    }
    packet_free(packet);
    if (!is_right) {
        netif_count(&ethernet->netif, NETIF_RECEIVED_STRANGE, 1);
        return;
    }
    const struct net_address source = address_of_v4(arp.source);
    const struct net_address target = address_of_v4(arp.target);
    use_tell(ethernet, &arp);
    learn(ethernet, &arp);
    if (arp.operation == net_order16(ASK) && is_ours(ethernet, &target) &&
        !address_is_equal(&source, &target)) {
        arp_send(ethernet, ANSWER, &target, &source, arp.source_hardware);
    }
}
