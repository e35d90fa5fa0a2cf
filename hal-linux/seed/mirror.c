// SPDX-License-Identifier: BSD-3-Clause
// mirror.c: see mirror.h. Exchanging two addresses changes neither IP's checksum nor that of what
// is inside, since a sum does not know the order of its terms; so packets that are damaged stay so.
// What a message of ICMP quotes is what the machine itself has sent, turned round: it is turned
// back.
#include "hal-linux/seed/mirror.h"

#include <stdbool.h>

enum {
    TARGET = 0,
    SOURCE = 6,
    KIND = 12,
    BODY = 14, // of a frame

    KIND_V4 = 0x0800,
    KIND_ARP = 0x0806,
    KIND_V6 = 0x86dd,

    ARP_OPERATION = 7, // its low byte
    ARP_SENDER = 8,
    ARP_SENDER_ADDRESS = 14,
    ARP_TARGET = 18,
    ARP_TARGET_ADDRESS = 24,
    ARP_SIZE = 28,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,

    V4_PLACE = 6, // of a fragment
    V4_PROTOCOL = 9,
    V4_SOURCE = 12,
    V4_TARGET = 16,
    V4_SIZE = 20,
    V4_ICMP = 1,

    V6_LENGTH = 4,
    V6_NEXT = 6,
    V6_HOPS = 7,
    V6_SOURCE = 8,
    V6_TARGET = 24,
    V6_SIZE = 40,
    V6_ICMP = 58,

    ICMP_QUOTE = 8,
    ASKS_NEIGHBOUR = 135, // RFC 4861, 4.3 and 4.4
    IS_NEIGHBOUR = 136,
    NEIGHBOUR_FLAGS = 0x60, // it was asked for, and counts more than what was known
    NEIGHBOUR_ADDRESS = 8,
    NEIGHBOUR_OPTION = 24,
    NEIGHBOUR_SIZE = 32,
};

const uint8_t mirror_hardware[MIRROR_HARDWARE_SIZE] = {2, 0, 0, 0, 0, 2};

static void bytes_copy(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        to[i] = from[i];
    }
}

static void bytes_swap(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        const uint8_t kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

static bool is_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    size_t same = 0;
    while (same < size && a[same] == b[same]) {
        ++same;
    }
    return same == size;
}

static bool is_nothing(const uint8_t *bytes, size_t size)
{
    size_t zeros = 0;
    while (zeros < size && bytes[zeros] == 0) {
        ++zeros;
    }
    return zeros == size;
}

// Who announces itself, or asks whether anybody has its address, gets no answer.
static bool arp_turn(uint8_t *arp, size_t size)
{
    if (size < ARP_SIZE || arp[ARP_OPERATION] != ARP_REQUEST ||
        is_nothing(arp + ARP_SENDER_ADDRESS, 4) ||
        is_equal(arp + ARP_SENDER_ADDRESS, arp + ARP_TARGET_ADDRESS, 4)) {
        return false;
    }
    arp[ARP_OPERATION] = ARP_REPLY;
    bytes_swap(arp + ARP_SENDER_ADDRESS, arp + ARP_TARGET_ADDRESS, 4);
    bytes_copy(arp + ARP_TARGET, arp + ARP_SENDER, MIRROR_HARDWARE_SIZE);
    bytes_copy(arp + ARP_SENDER, mirror_hardware, MIRROR_HARDWARE_SIZE);
    return true;
}

static bool v4_turn(uint8_t *packet, size_t size)
{
    const size_t header = size == 0 ? 0 : (size_t)(packet[0] & 15) * 4;
    if (size < V4_SIZE || packet[V4_TARGET] >= 224) { // of many
        return false;
    }
    bytes_swap(packet + V4_SOURCE, packet + V4_TARGET, 4);
    const uint8_t kind = size > header ? packet[header] : 0;
    const bool is_first = (packet[V4_PLACE] & 31) == 0 && packet[V4_PLACE + 1] == 0;
    const bool quotes = packet[V4_PROTOCOL] == V4_ICMP && is_first &&
                        (kind == 3 || kind == 4 || kind == 5 || kind == 11 || kind == 12);
    uint8_t *quoted = packet + header + ICMP_QUOTE;
    if (quotes && header >= V4_SIZE && size >= header + ICMP_QUOTE + V4_SIZE) {
        bytes_swap(quoted + V4_SOURCE, quoted + V4_TARGET, 4);
    }
    return true;
}

// RFC 1071, over the pseudo header of IPv6 and an advertisement.
static void advertisement_sum(uint8_t *packet)
{
    uint32_t sum = NEIGHBOUR_SIZE + V6_ICMP;
    for (size_t i = V6_SOURCE; i < V6_SIZE + NEIGHBOUR_SIZE; i += 2) {
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    packet[V6_SIZE + 2] = (uint8_t)(sum >> 8);
    packet[V6_SIZE + 3] = (uint8_t)sum;
}

// The size of the answer; 0: of one who asks whether anybody has its address.
static size_t neighbour_turn(uint8_t *packet, size_t size)
{
    uint8_t *message = packet + V6_SIZE;
    if (size < V6_SIZE + NEIGHBOUR_OPTION || is_nothing(packet + V6_SOURCE, 16)) {
        return 0;
    }
    bytes_copy(packet + V6_TARGET, packet + V6_SOURCE, 16);
    bytes_copy(packet + V6_SOURCE, message + NEIGHBOUR_ADDRESS, 16);
    packet[V6_LENGTH] = 0;
    packet[V6_LENGTH + 1] = NEIGHBOUR_SIZE;
    packet[V6_HOPS] = 255;
    const uint8_t begin[] = {IS_NEIGHBOUR, 0, 0, 0, NEIGHBOUR_FLAGS, 0, 0, 0};
    bytes_copy(message, begin, sizeof begin);
    message[NEIGHBOUR_OPTION] = 2; // the hardware's address
    message[NEIGHBOUR_OPTION + 1] = 1;
    bytes_copy(message + NEIGHBOUR_OPTION + 2, mirror_hardware, MIRROR_HARDWARE_SIZE);
    advertisement_sum(packet);
    return V6_SIZE + NEIGHBOUR_SIZE;
}

static size_t v6_turn(uint8_t *packet, size_t size)
{
    if (size < V6_SIZE) {
        return 0;
    }
    const bool is_message = packet[V6_NEXT] == V6_ICMP && size > V6_SIZE;
    const uint8_t kind = is_message ? packet[V6_SIZE] : 0;
    if (kind == ASKS_NEIGHBOUR) {
        return neighbour_turn(packet, size);
    }
    if (packet[V6_TARGET] == 0xff) { // of many
        return 0;
    }
    bytes_swap(packet + V6_SOURCE, packet + V6_TARGET, 16);
    uint8_t *quoted = packet + V6_SIZE + ICMP_QUOTE;
    if (kind > 0 && kind < 128 && size >= V6_SIZE + ICMP_QUOTE + V6_SIZE) { // an error
        bytes_swap(quoted + V6_SOURCE, quoted + V6_TARGET, 16);
    }
    return size;
}

size_t mirror_turn(uint8_t *frame, size_t size)
{
    if (size < BODY) {
        return 0;
    }
    const bool is_many = (frame[TARGET] & 1) != 0;
    if (!is_many && !is_equal(frame + TARGET, mirror_hardware, MIRROR_HARDWARE_SIZE)) {
        return 0;
    }
    const size_t body = size - BODY;
    size_t turned = 0;
    switch (frame[KIND] << 8 | frame[KIND + 1]) {
    case KIND_V4:
        turned = !is_many && v4_turn(frame + BODY, body) ? body : 0;
        break;
    case KIND_ARP:
        turned = arp_turn(frame + BODY, body) ? body : 0;
        break;
    case KIND_V6:
        turned = v6_turn(frame + BODY, body);
        break;
    }
    bytes_copy(frame + TARGET, frame + SOURCE, MIRROR_HARDWARE_SIZE);
    bytes_copy(frame + SOURCE, mirror_hardware, MIRROR_HARDWARE_SIZE);
    return turned == 0 ? 0 : BODY + turned;
}
