// SPDX-License-Identifier: BSD-3-Clause
// address.h: addresses of both IP versions in one form: IPv6's 16 bytes, IPv4's mapped into them
// (RFC 4291, 2.5.5.2: ::ffff:a.b.c.d).
#ifndef CORE_NET_ADDRESS_H
#define CORE_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/lib/string.h"

struct net_address {
    uint64_t words[2]; // the bytes in their order in packets
};

// A transport's name of one end. The port is in the machine's order.
struct net_end {
    struct net_address address;
    uint16_t port;
};

enum { ADDRESS_V4_SIZE = 4, ADDRESS_V6_SIZE = 16, ADDRESS_V4_OFFSET = 12 };

static inline uint16_t net_order16(uint16_t value) // and back
{
    return __builtin_bswap16(value);
}

static inline uint32_t net_order32(uint32_t value) // and back
{
    return __builtin_bswap32(value);
}

// The second word of a mapped address is 0, 0, 0xff, 0xff, a, b, c, d.
static inline struct net_address address_of_v4(const void *bytes)
{
    uint32_t low;
    memcpy(&low, bytes, sizeof low);
    return (struct net_address){{0, (uint64_t)low << 32 | 0xffff0000}};
}

static inline struct net_address address_of_v6(const void *bytes)
{
    struct net_address address;
    memcpy(&address, bytes, sizeof address);
    return address;
}

static inline bool address_is_v4(const struct net_address *address)
{
    return address->words[0] == 0 && (uint32_t)address->words[1] == 0xffff0000;
}

static inline bool address_is_equal(const struct net_address *a, const struct net_address *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

static inline const uint8_t *address_bytes(const struct net_address *address)
{
    return (const uint8_t *)address->words;
}

static inline const uint8_t *address_v4_bytes(const struct net_address *address)
{
    return address_bytes(address) + ADDRESS_V4_OFFSET;
}

// 0.0.0.0 or ::
static inline bool address_is_any(const struct net_address *address)
{
    return address->words[0] == 0 && (address->words[1] == 0 || address->words[1] == 0xffff0000);
}

static inline struct net_address address_any(bool is_v4)
{
    return (struct net_address){{0, is_v4 ? 0xffff0000 : 0}};
}

// 127.0.0.1 or ::1
static inline struct net_address address_loopback(bool is_v4)
{
    static const uint8_t v4[ADDRESS_V4_SIZE] = {127, 0, 0, 1};
    return is_v4 ? address_of_v4(v4) : (struct net_address){{0, UINT64_C(1) << 56}};
}

// 127.0.0.0/8 or ::1
static inline bool address_is_loopback(const struct net_address *address)
{
    return address_is_v4(address)
               ? address_v4_bytes(address)[0] == 127
               : address->words[0] == 0 && address->words[1] == UINT64_C(1) << 56;
}

// 224.0.0.0/4 or ff00::/8
static inline bool address_is_multicast(const struct net_address *address)
{
    return address_is_v4(address) ? address_v4_bytes(address)[0] >> 4 == 14
                                  : address_bytes(address)[0] == 0xff;
}

// fe80::/10
static inline bool address_is_link_local(const struct net_address *address)
{
    return address_bytes(address)[0] == 0xfe && address_bytes(address)[1] >> 6 == 2;
}

// It says something only together with an interface: fe80::/10, and groups of one interface or link.
static inline bool address_needs_scope(const struct net_address *address)
{
    const uint8_t reach = address_bytes(address)[1] & 15;
    return address_is_link_local(address) ||
           (address_bytes(address)[0] == 0xff && (reach == 1 || reach == 2));
}

// The first bits, of 32 or 128, and zeros.
static inline struct net_address address_prefix(const struct net_address *address, unsigned bits)
{
    struct net_address prefix = *address;
    uint8_t *bytes = (uint8_t *)prefix.words;
    const unsigned from = address_is_v4(address) ? ADDRESS_V4_OFFSET : 0;
    for (unsigned i = from; i < ADDRESS_V6_SIZE; ++i) {
        const unsigned kept = bits > 8 * (i - from) ? bits - 8 * (i - from) : 0;
        bytes[i] &= kept >= 8 ? 0xff : (uint8_t)(0xff00 >> kept);
    }
    return prefix;
}

// The last of the network of IPv4 whose first bits they are.
static inline struct net_address address_last(const struct net_address *address, unsigned bits)
{
    uint32_t low;
    memcpy(&low, address_v4_bytes(address), sizeof low);
    low |= bits < 32 ? net_order32(UINT32_MAX >> bits) : 0;
    return address_of_v4(&low);
}

#endif
