// SPDX-License-Identifier: BSD-3-Clause
// ethernet.c: see ethernet.h.
#include "core/net/ethernet.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/net/arp.h"
#include "core/net/counts.h"
#include "core/net/dhcp_client.h"
#include "core/net/filter.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/nd.h"
#include "core/net/output.h"
#include "core/net/packet_socket.h"
#include "core/net/route.h"
#include "core/net/run.h"

struct ethernet_header {
    uint8_t target[NETIF_HARDWARE_SIZE], source[NETIF_HARDWARE_SIZE];
    uint16_t kind;
};

_Static_assert(sizeof(struct ethernet_header) == ETHERNET_HEADER, "IEEE 802.3");

// ---- Sending -------------------------------------------------------------------------

static void frame_send(struct netif *netif, struct packet *frame,
                       const struct packet_socket *sender)
{
    struct ethernet *ethernet = container_of(netif, struct ethernet, netif);
    if (packet_sockets_are_there()) {
        packet_sockets_show(netif, frame, PACKET_WAY_SENT, sender);
    }
    ethernet->transmit(ethernet, frame);
}

void ethernet_send(struct ethernet *ethernet, struct packet *packet, enum ethernet_kind kind,
                   const uint8_t hardware[NETIF_HARDWARE_SIZE])
{
    struct ethernet_header head = {.kind = net_order16((uint16_t)kind)};
    memcpy(head.target, hardware, sizeof head.target);
    memcpy(head.source, ethernet->netif.hardware, sizeof head.source);
    ASSERT(packet_headroom(packet) >= sizeof head);
    packet->data -= sizeof head;
    packet->size += (uint32_t)sizeof head;
    packet->transport = (uint16_t)(packet->transport + sizeof head);
    memcpy(packet->data, &head, sizeof head);
    frame_send(&ethernet->netif, packet, NULL);
}

static void alarm_update(struct ethernet *ethernet)
{
    mutex_lock(&ethernet->alarm_lock); // whoever sets it last has seen all
    const int error = alarm_set(&ethernet->alarm, neighbour_deadline(&ethernet->neighbours));
    (void)error; // ethernet_start has made its thread
    mutex_unlock(&ethernet->alarm_lock);
}

// The first of a list, taken off it. NULL: it is empty.
static struct packet *packet_first(struct packet **packets)
{
    struct packet *first = *packets;
    if (first != NULL) {
        *packets = first->next;
        first->next = NULL;
    }
    return first;
}

// Nobody has the address: its sender, which is this machine, is told.
static void give_up(struct ethernet *ethernet, struct packet *packet)
{
    struct ip_header header;
    netif_count(&ethernet->netif, NETIF_SENT_DROPPED, 1);
    struct packet *message = NULL;
    if (ip_packet_read(&header, packet) == 0 && icmp_may_tell_of(packet, &header)) {
        message = icmp_unreachable(packet, &header, ICMP_NO_HOST);
    }
    packet_free(packet);
    if (message != NULL) {
        net_output(message);
    }
}

static enum ethernet_kind kind_of(const struct net_address *address)
{
    return address_is_v4(address) ? ETHERNET_V4 : ETHERNET_V6;
}

void ethernet_step(struct ethernet *ethernet, const struct neighbour_step *step)
{
    struct packet *dropped = step->dropped, *packets = step->packets, *packet;
    while ((packet = packet_first(&dropped)) != NULL) {
        netif_count(&ethernet->netif, NETIF_SENT_DROPPED, 1);
        packet_free(packet);
    }
    switch (step->act) {
    case NEIGHBOUR_NOTHING:
        break;
    case NEIGHBOUR_SEND:
        while ((packet = packet_first(&packets)) != NULL) {
            ethernet_send(ethernet, packet, kind_of(&step->address), step->hardware);
        }
        break;
    case NEIGHBOUR_ASK_ALL:
    case NEIGHBOUR_ASK_ONE:
        if (address_is_v4(&step->address)) {
            arp_ask(ethernet, step);
        } else {
            nd_ask(ethernet, step);
        }
        break;
    case NEIGHBOUR_GIVE_UP:
        net_count(NET_NO_NEIGHBOUR);
        while ((packet = packet_first(&packets)) != NULL) {
            give_up(ethernet, packet);
        }
        break;
    }
}

static void alarm_ring(struct alarm *alarm)
{
    struct ethernet *ethernet = container_of(alarm, struct ethernet, alarm);
    struct neighbour_step step;
    do {
        neighbour_timeout(&ethernet->neighbours, hal_clock_ns(), &step);
        ethernet_step(ethernet, &step);
    } while (step.act != NEIGHBOUR_NOTHING);
    alarm_update(ethernet);
    net_run(); // who was told that nobody has an address
}

// Addresses of many have hardware's by rule (RFC 1112, 6.4; RFC 2464, 7). False: of one.
static bool hardware_by_rule(const struct net_address *address,
                             uint8_t hardware[NETIF_HARDWARE_SIZE])
{
    const uint8_t *bytes = address_bytes(address);
    if (route_is_broadcast(address)) {
        memset(hardware, 0xff, NETIF_HARDWARE_SIZE);
        return true;
    }
    if (!address_is_multicast(address)) {
        return false;
    }
    if (address_is_v4(address)) {
        const uint8_t start[] = {0x01, 0x00, 0x5e, (uint8_t)(bytes[13] & 0x7f)};
        memcpy(hardware, start, sizeof start);
        memcpy(hardware + sizeof start, bytes + 14, 2);
    } else {
        memset(hardware, 0x33, 2);
        memcpy(hardware + 2, bytes + 12, 4);
    }
    return true;
}

static void netif_send(struct netif *netif, struct packet *packet, const struct net_address *hop)
{
    struct ethernet *ethernet = container_of(netif, struct ethernet, netif);
    uint8_t hardware[NETIF_HARDWARE_SIZE];
    struct neighbour_step step;
    if (hardware_by_rule(hop, hardware)) {
        ethernet_send(ethernet, packet, kind_of(hop), hardware);
        return;
    }
    neighbour_send(&ethernet->neighbours, hop, packet, hal_clock_ns(), &step);
    ethernet_step(ethernet, &step);
    if (step.waits) {
        alarm_update(ethernet);
    }
}

void ethernet_announce(struct ethernet *ethernet, const struct net_address *address)
{
    if (address_is_v4(address)) {
        arp_announce(ethernet, address);
    } else {
        nd_announce(ethernet, address);
    }
}

static bool neighbour_input(struct netif *netif, struct packet *packet,
                            const struct ip_header *header)
{
    struct ethernet *ethernet = container_of(netif, struct ethernet, netif);
    return (header->protocol == IP_ICMPV6 && nd_input(ethernet, packet, header)) ||
           group_input(&ethernet->group_link, packet, header);
}

// ---- Receiving -----------------------------------------------------------------------

static bool is_for_us(const struct ethernet *ethernet, const struct ethernet_header *head)
{
    return (head->target[0] & 1) != 0 || // what is for many IP looks at
           memcmp(head->target, ethernet->netif.hardware, sizeof head->target) == 0;
}

static bool is_ip(const struct packet *packet, uint16_t kind)
{
    const unsigned version = (uint8_t)packet->data[0] >> 4;
    return (kind == ETHERNET_V4 && version == 4) ||
           (kind == ETHERNET_V6 && version == 6 && packet->size >= IP6_HEADER);
}

static void strange_drop(struct ethernet *ethernet, struct packet *frame)
{
    netif_count(&ethernet->netif, NETIF_RECEIVED_STRANGE, 1);
    packet_free(frame);
}

static void ip_input(struct ethernet *ethernet, struct packet *packet, bool is_to_many)
{
    if (ethernet->dhcp != NULL && dhcp_client_input(ethernet->dhcp, packet)) {
        return;
    }
    const struct net_address target = ip_target(packet);
    if (is_to_many && route_is_local(&target)) { // RFC 1122, 3.3.6
        strange_drop(ethernet, packet);
        return;
    }
    struct packet *answer = net_input(&ethernet->netif, packet);
    if (answer != NULL) {
        const struct net_address asker = ip_target(answer);
        answer->netif = address_is_link_local(&asker) ? (uint8_t)ethernet->netif.index : 0;
        net_output(answer);
    }
}

static void frame_input(struct ethernet *ethernet, struct packet *frame)
{
    struct ethernet_header head;
    netif_count(&ethernet->netif, NETIF_RECEIVED, 1);
    netif_count(&ethernet->netif, NETIF_RECEIVED_BYTES, frame->size);
    if (frame->size < sizeof head + IP4_HEADER) {
        strange_drop(ethernet, frame);
        return;
    }
    memcpy(&head, frame->data, sizeof head);
    frame->data += sizeof head;
    frame->size -= (uint32_t)sizeof head;
    const uint16_t kind = net_order16(head.kind);
    if (!is_for_us(ethernet, &head)) {
        strange_drop(ethernet, frame);
    } else if (is_ip(frame, kind)) {
        ip_input(ethernet, frame, (head.target[0] & 1) != 0);
    } else if (kind == ETHERNET_ARP) {
        arp_input(ethernet, frame);
    } else {
        strange_drop(ethernet, frame);
    }
}

// Sockets that see all that comes do so before anybody else.
static void frame_show(const struct ethernet *ethernet, const struct packet *frame)
{
    if (frame->size >= ETHERNET_HEADER) {
        packet_sockets_show(&ethernet->netif, frame, packet_way_here(&ethernet->netif, frame),
                            NULL);
    }
}

void ethernet_input(struct ethernet *ethernet, struct packet *frame)
{
    if (packet_sockets_are_there()) {
        frame_show(ethernet, frame);
    }
    frame_input(ethernet, frame);
}

bool ethernet_input_direct(struct ethernet *ethernet, struct packet *frame,
                           struct net_socket **told)
{
    struct ethernet_header head;
    if (frame->size < sizeof head + IP4_HEADER) {
        return false;
    }
    const uint32_t bytes = packet_size(frame);
    memcpy(&head, frame->data, sizeof head);
    frame->data += sizeof head;
    frame->size -= (uint32_t)sizeof head;
    if (memcmp(head.target, ethernet->netif.hardware, sizeof head.target) == 0 &&
        is_ip(frame, net_order16(head.kind)) && net_input_direct(&ethernet->netif, frame, told)) {
        netif_count(&ethernet->netif, NETIF_RECEIVED, 1);
        netif_count(&ethernet->netif, NETIF_RECEIVED_BYTES, bytes);
        return true;
    }
    frame->data -= sizeof head;
    frame->size += (uint32_t)sizeof head;
    return false;
}

static void answer_settle(const struct netif *netif, struct packet *packet)
{
    struct ip_header header;
    if (ip_packet_read(&header, packet) == 0) {
        net_output_checksum(netif, packet, &header);
    }
}

// Filters see what IP would: the rest goes on.
static void netif_filtered(struct netif *netif, struct packet *frame, bool has_more)
{
    struct ethernet *ethernet = container_of(netif, struct ethernet, netif);
    struct ethernet_header head;
    enum net_verdict verdict = NET_PASS;
    frame = frame->more == NULL ? frame : packet_join(frame);
    if (frame == NULL) {
        netif_count(netif, NETIF_RECEIVED_DROPPED, 1);
        net_count(NET_NO_MEMORY);
        return;
    }
    if (packet_sockets_are_there()) {
        frame_show(ethernet, frame);
    }
    if (frame->size >= sizeof head + IP4_HEADER) {
        memcpy(&head, frame->data, sizeof head);
        frame->data += sizeof head;
        frame->size -= (uint32_t)sizeof head;
        if (is_for_us(ethernet, &head) && is_ip(frame, net_order16(head.kind))) {
            verdict = net_filter_look(netif, &frame);
        }
        if (verdict == NET_PASS) {
            frame->data -= sizeof head;
            frame->size += (uint32_t)sizeof head;
        }
    }
    if (verdict == NET_PASS) {
        frame_input(ethernet, frame);
    } else {
        netif_count(netif, NETIF_RECEIVED, 1);
    }
    if (verdict == NET_ANSWER) {
        frame->has_more = has_more;
        answer_settle(netif, frame);
        ethernet_send(ethernet, frame, (enum ethernet_kind)net_order16(head.kind), head.source);
    }
}

int ethernet_start(struct ethernet *ethernet)
{
    neighbours_init(&ethernet->neighbours);
    group_link_start(&ethernet->group_link, ethernet);
    ethernet->alarm.ring = alarm_ring;
    ethernet->netif.send = netif_send;
    ethernet->netif.send_frame = frame_send;
    ethernet->netif.filtered = netif_filtered;
    ethernet->netif.neighbours = &ethernet->neighbours;
    ethernet->netif.neighbour_input = neighbour_input;
    const int error = alarm_set(&ethernet->alarm, UINT64_MAX);
    return error != 0 ? error : netif_add(&ethernet->netif);
}
