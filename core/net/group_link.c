// SPDX-License-Identifier: BSD-3-Clause
// group_link.c: see group_link.h.
#include "core/net/group_link.h"

#include "core/dev/packet.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/ethernet.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/route.h"

enum { // RFC 3376, 4; RFC 2236, 2; RFC 1112
    IGMP_QUESTION = 0x11,
    IGMP_MEMBER_1 = 0x12,
    IGMP_MEMBER_2 = 0x16,
    IGMP_LEFT_2 = 0x17,
    IGMP_REPORT_3 = 0x22,
    IGMP_SERVICE = 0xc0, // of the packet: internetwork control
};

enum { // RFC 3810, 5; RFC 2710, 3
    MLD_QUESTION = 130,
    MLD_MEMBER_1 = 131,
    MLD_LEFT_1 = 132,
    MLD_REPORT_2 = 143,
};

enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 }; // of a record: no source, that is

#define TENTH UINT64_C(100000000) // of a second, ns
#define MILLISECOND UINT64_C(1000000)

struct igmp_message { // of the older versions; the first bytes of a question of the newest
    uint8_t type, span;
    uint16_t checksum;
    uint8_t group[ADDRESS_V4_SIZE];
};

struct igmp_report { // with one record
    uint8_t type, reserved;
    uint16_t checksum, reserved2, count;
    uint8_t kind, auxiliary;
    uint16_t source_count;
    uint8_t group[ADDRESS_V4_SIZE];
};

struct mld_message {
    uint8_t type, code;
    uint16_t checksum, span, reserved;
    uint8_t group[ADDRESS_V6_SIZE];
};

struct mld_report {
    uint8_t type, reserved;
    uint16_t checksum, reserved2, count;
    uint8_t kind, auxiliary;
    uint16_t source_count;
    uint8_t group[ADDRESS_V6_SIZE];
};

enum { IGMP_QUESTION_3 = 12, MLD_QUESTION_2 = 28 }; // at least, bytes

_Static_assert(sizeof(struct igmp_message) == 8 && sizeof(struct igmp_report) == 16, "IGMP");
_Static_assert(sizeof(struct mld_message) == 24 && sizeof(struct mld_report) == 28, "MLD");

// ---- Sending -------------------------------------------------------------------------------

static struct net_address v4_of(uint8_t first, uint8_t last)
{
    const uint8_t bytes[ADDRESS_V4_SIZE] = {first, 0, 0, last};
    return address_of_v4(bytes);
}

static struct net_address v6_of(uint8_t last) // ff02::last
{
    const uint8_t bytes[ADDRESS_V6_SIZE] = {0xff, 2, [15] = last};
    return address_of_v6(bytes);
}

static uint8_t kind_of(const struct group_step *step)
{
    return step->act == GROUP_IS_JOINED   ? TO_EXCLUDE
           : step->act == GROUP_IS_MEMBER ? IS_EXCLUDE
                                          : TO_INCLUDE;
}

static struct packet *igmp_make(const struct ip_header *header, void *message, uint32_t size)
{
    struct packet *packet = packet_alloc_block(size);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return NULL;
    }
    const uint16_t checksum = checksum_end(checksum_add(0, message, size));
    memcpy((char *)message + 2, &checksum, sizeof checksum);
    memcpy(packet->data, message, size);
    packet->size = size;
    ip_header_push(packet, header);
    return packet;
}

static struct packet *v4_make(const struct group_step *step, struct ip_header *header)
{
    const bool is_left = step->act == GROUP_IS_LEFT;
    struct igmp_report report = {
        .type = IGMP_REPORT_3, .count = net_order16(1), .kind = kind_of(step)};
    struct igmp_message message = {.type = is_left                            ? IGMP_LEFT_2
                                           : step->version == GROUP_VERSION_1 ? IGMP_MEMBER_1
                                                                              : IGMP_MEMBER_2};
    header->protocol = IP_IGMP;
    header->service = IGMP_SERVICE;
    if (step->version == GROUP_VERSION_3) {
        header->target = v4_of(224, 22);
        memcpy(report.group, address_v4_bytes(&step->address), sizeof report.group);
        return igmp_make(header, &report, sizeof report);
    }
    header->target = is_left ? v4_of(224, 2) : step->address;
    memcpy(message.group, address_v4_bytes(&step->address), sizeof message.group);
    return igmp_make(header, &message, sizeof message);
}

static struct packet *v6_make(const struct group_step *step, struct ip_header *header)
{
    const bool is_left = step->act == GROUP_IS_LEFT;
    struct mld_report report = {
        .type = MLD_REPORT_2, .count = net_order16(1), .kind = kind_of(step)};
    struct mld_message message = {.type = is_left ? MLD_LEFT_1 : MLD_MEMBER_1};
    header->protocol = IP_ICMPV6;
    if (step->version == GROUP_VERSION_3) {
        header->target = v6_of(22);
        memcpy(report.group, &step->address, sizeof report.group);
        return icmp6_make(header, &report, sizeof report);
    }
    header->target = is_left ? v6_of(2) : step->address;
    memcpy(message.group, &step->address, sizeof message.group);
    return icmp6_make(header, &message, sizeof message);
}

static void step_send(struct ethernet *ethernet, const struct group_step *step)
{
    const bool is_v4 = address_is_v4(&step->address);
    struct netif *netif = &ethernet->netif;
    struct ip_header header = {.hops = 1};
    if (!route_source_any(netif, is_v4, !is_v4, &header.source)) {
        header.source = address_any(is_v4);
    }
    if (is_v4 && step->act == GROUP_IS_LEFT && step->version == GROUP_VERSION_1) {
        return; // it has no words for that
    }
    struct packet *packet = is_v4 ? v4_make(step, &header) : v6_make(step, &header);
    if (packet != NULL) {
        ip_alert_insert(packet);
        netif->send(netif, packet, &header.target);
    }
}

static void due_send(struct group_link *link)
{
    struct group_step step;
    for (;;) {
        group_timeout(&link->groups, hal_clock_ns(), &step);
        if (step.act == GROUP_NOTHING) {
            break;
        }
        step_send(link->ethernet, &step);
    }
    mutex_lock(&link->alarm_lock); // whoever sets it last has seen all
    const int error = alarm_set(&link->alarm, group_deadline(&link->groups));
    (void)error; // ethernet_start has made its thread
    mutex_unlock(&link->alarm_lock);
}

static void alarm_ring(struct alarm *alarm)
{
    due_send(container_of(alarm, struct group_link, alarm));
}

static void groups_changed(struct netif *netif)
{
    due_send(&container_of(netif, struct ethernet, netif)->group_link);
}

void group_link_start(struct group_link *link, struct ethernet *ethernet)
{
    uint64_t random;
    hal_entropy(&random, sizeof random);
    groups_init(&link->groups, random | 1);
    link->ethernet = ethernet;
    link->alarm.ring = alarm_ring;
    ethernet->netif.groups = &link->groups;
    ethernet->netif.groups_changed = groups_changed;
}

int netif_join(struct netif *netif, const struct net_address *address)
{
    const int error = group_join(netif->groups, address, hal_clock_ns());
    if (error == 0 && netif->groups_changed != NULL) {
        netif->groups_changed(netif);
    }
    return error;
}

void netif_leave(struct netif *netif, const struct net_address *address)
{
    group_leave(netif->groups, address, hal_clock_ns());
    if (netif->groups_changed != NULL) {
        netif->groups_changed(netif);
    }
}

// ---- What comes ----------------------------------------------------------------------------

// Numbers that are too large for bits are written as floating-point ones (RFC 3376, 4.1.1).
static uint64_t span_of(uint32_t code, unsigned bits)
{
    if (code < 1u << (bits - 1)) {
        return code;
    }
    const unsigned mantissa = bits - 4; // its bits
    const uint64_t value = (code & ((1u << mantissa) - 1)) | 1u << mantissa;
    return value << ((code >> mantissa & 7) + 3);
}

static bool igmp_take(struct group_link *link, const struct packet *packet,
                      const struct ip_header *header)
{
    struct igmp_message message;
    const char *data = packet->data + header->transport;
    if (header->size < sizeof message || checksum_end(checksum_add(0, data, header->size)) != 0) {
        return false;
    }
    memcpy(&message, data, sizeof message);
    const struct net_address group = address_of_v4(message.group);
    if (message.type == IGMP_QUESTION) {
        const enum group_version version = header->size >= IGMP_QUESTION_3 ? GROUP_VERSION_3
                                           : message.span != 0             ? GROUP_VERSION_2
                                                                           : GROUP_VERSION_1;
        const uint64_t span = version == GROUP_VERSION_3   ? span_of(message.span, 8)
                              : version == GROUP_VERSION_2 ? message.span
                                                           : 100;
        group_asked(&link->groups, &group, version, span * TENTH, hal_clock_ns());
        due_send(link);
    } else if (message.type == IGMP_MEMBER_1 || message.type == IGMP_MEMBER_2) {
        group_heard(&link->groups, &group);
    }
    return true;
}

static bool mld_take(struct group_link *link, const struct packet *packet,
                     const struct ip_header *header)
{
    struct mld_message message;
    if (header->size < sizeof message || header->hops != 1 ||
        !address_is_link_local(&header->source) || !icmp_is_right(packet, header)) {
        return false;
    }
    memcpy(&message, packet->data + header->transport, sizeof message);
    const struct net_address group = address_of_v6(message.group);
    if (message.type == MLD_QUESTION) {
        const bool is_new = header->size >= MLD_QUESTION_2;
        const uint32_t span = net_order16(message.span);
        group_asked(&link->groups, &group, is_new ? GROUP_VERSION_3 : GROUP_VERSION_2,
                    (is_new ? span_of(span, 16) : span) * MILLISECOND, hal_clock_ns());
        due_send(link);
    } else if (message.type == MLD_MEMBER_1) {
        group_heard(&link->groups, &group);
    }
    return true;
}

bool group_input(struct group_link *link, struct packet *packet, const struct ip_header *header)
{
    const bool is_igmp = header->protocol == IP_IGMP;
    const uint8_t type = header->size == 0 ? 0 : (uint8_t)packet->data[header->transport];
    if (!is_igmp && type != MLD_REPORT_2 && (type < MLD_QUESTION || type > MLD_LEFT_1)) {
        return false;
    }
    net_count(NET_ICMP_RECEIVED);
    if (!(is_igmp ? igmp_take : mld_take)(link, packet, header)) {
        net_count(NET_ICMP_DROPPED);
    }
    packet_free(packet);
    return true;
}
