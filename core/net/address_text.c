// SPDX-License-Identifier: BSD-3-Clause
// address_text.c: addresses as people write them (RFC 4291, 2.2).
#include "core/net/address_text.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"

// Digits of base 10 or 16 from *text on, at most limit. False: there are none, or too many.
static bool number_read(const char **text, unsigned base, uint32_t limit, uint32_t *number)
{
    const char *at = *text;
    for (*number = 0; *number <= limit; ++at) {
        const char letter = (char)(*at | 0x20);
        const unsigned digit = *at >= '0' && *at <= '9'         ? (unsigned)(*at - '0')
                               : letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a') + 10
                                                                : base;
        if (digit >= base) {
            break;
        }
        *number = *number * base + digit;
    }
    const bool is_right = at != *text && *number <= limit;
    *text = at;
    return is_right;
}

static bool v4_read(const char **text, uint8_t bytes[ADDRESS_V4_SIZE])
{
    for (int i = 0; i < ADDRESS_V4_SIZE; ++i) {
        uint32_t number;
        if ((i > 0 && *(*text)++ != '.') || !number_read(text, 10, 255, &number)) {
            return false;
        }
        bytes[i] = (uint8_t)number;
    }
    return true;
}

static bool v6_read(const char **text, uint8_t bytes[ADDRESS_V6_SIZE])
{
    int count = 0, gap = -1; // of pairs of bytes; where "::" stands
    const char *at = *text;
    memset(bytes, 0, ADDRESS_V6_SIZE);
    if (at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (count < ADDRESS_V6_SIZE / 2) {
        uint32_t number;
        const char *part = at;
        if (!number_read(&at, 16, UINT16_MAX, &number)) {
            at = part;
            break;
        }
        bytes[2 * count] = (uint8_t)(number >> 8);
        bytes[2 * count + 1] = (uint8_t)number;
        ++count;
        if (at[0] == ':' && at[1] == ':' && gap < 0) {
            gap = count;
            at += 2;
        } else if (at[0] == ':' && at[1] != ':' && count < ADDRESS_V6_SIZE / 2) {
            ++at;
        } else {
            break;
        }
    }
    *text = at;
    if (gap < 0 || count == ADDRESS_V6_SIZE / 2) {
        return gap < 0 && count == ADDRESS_V6_SIZE / 2 && at[-1] != ':';
    }
    const int moved = (count - gap) * 2;
    memmove(bytes + ADDRESS_V6_SIZE - moved, bytes + 2 * gap, (size_t)moved);
    memset(bytes + 2 * gap, 0, (size_t)(ADDRESS_V6_SIZE - moved - 2 * gap));
    return at[-1] != ':' || at[-2] == ':';
}

int address_read(struct net_address *address, const char **text)
{
    uint8_t bytes[ADDRESS_V6_SIZE];
    const char *start = *text;
    if (v4_read(text, bytes)) {
        *address = address_of_v4(bytes);
        return 0;
    }
    *text = start;
    if (!v6_read(text, bytes)) {
        return -EINVAL;
    }
    *address = address_of_v6(bytes);
    return 0;
}

int address_network_read(struct net_address *address, uint8_t *bits, const char **text)
{
    uint32_t number;
    int error = address_read(address, text);
    if (error == 0 &&
        (*(*text)++ != '/' || !number_read(text, 10, address_is_v4(address) ? 32 : 128, &number))) {
        error = -EINVAL;
    }
    *bits = error == 0 ? (uint8_t)number : 0;
    return error;
}

void address_write(const struct net_address *address, char text[ADDRESS_TEXT_SIZE])
{
    const uint8_t *bytes = address_bytes(address);
    if (address_is_v4(address)) {
        bytes = address_v4_bytes(address);
        (void)format(text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2],
                     bytes[3]);
        return;
    }
    for (unsigned i = 0; i < ADDRESS_V6_SIZE; i += 2) {
        const size_t length = i == 0 ? 0 : strlen(text);
        (void)format(text + length, ADDRESS_TEXT_SIZE - length, "%s%x", i == 0 ? "" : ":",
                     (unsigned)bytes[i] << 8 | bytes[i + 1]);
    }
}
