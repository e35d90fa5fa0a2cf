// SPDX-License-Identifier: BSD-3-Clause
// checksum.c: see checksum.h. The sum is of words as they lie in memory: swapping the bytes of all
// swaps those of the sum (RFC 1071, 2 (B)). 32 bits at a time: 2^32 of them fit the sum.
#include "core/net/checksum.h"

#include "core/dev/packet.h"
#include "core/lib/string.h"
#include "core/net/address.h"

uint64_t checksum_add(uint64_t sum, const void *data, size_t size)
{
    const char *at = data;
    for (; size >= sizeof(uint32_t); at += sizeof(uint32_t), size -= sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, at, sizeof word);
        sum += word;
    }
    uint32_t rest = 0;
    memcpy(&rest, at, size);
    return sum + rest;
}

// A part that begins at an odd place has each byte in the other half of a word.
uint64_t checksum_add_packet(uint64_t sum, const struct packet *packet, uint32_t from)
{
    bool is_odd = false;
    for (; packet != NULL; packet = packet->more) {
        const uint32_t size = packet->size - from;
        const uint16_t words = (uint16_t)~checksum_end(checksum_add(0, packet->data + from, size));
        sum += is_odd ? __builtin_bswap16(words) : words;
        is_odd ^= size % 2 != 0;
        from = 0;
    }
    return sum;
}

uint64_t checksum_add_ends(uint64_t sum, const struct net_address *source,
                           const struct net_address *target, uint8_t protocol, uint32_t size)
{
    const uint8_t last[] = {
        (uint8_t)(size >> 24),
        (uint8_t)(size >> 16),
        (uint8_t)(size >> 8),
        (uint8_t)size,
        0,
        0,
        0,
        protocol,
    };
    if (address_is_v4(target)) {
        sum = checksum_add(sum, address_v4_bytes(source), ADDRESS_V4_SIZE);
        sum = checksum_add(sum, address_v4_bytes(target), ADDRESS_V4_SIZE);
    } else {
        sum = checksum_add(sum, source, sizeof *source);
        sum = checksum_add(sum, target, sizeof *target);
    }
    return checksum_add(sum, last, sizeof last);
}

uint16_t checksum_end(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    return (uint16_t)~sum;
}
