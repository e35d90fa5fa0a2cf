// SPDX-License-Identifier: BSD-3-Clause
// tcp_header.h: the header of TCP (RFC 9293, 3.1) and its options, as bytes.
#ifndef CORE_NET_TCP_HEADER_H
#define CORE_NET_TCP_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/tcp.h"
#include "hal/hal.h"

enum { TCP_HEADER_MIN = 20, TCP_HEADER_MAX = 60 };

struct tcp_ports { // in the machine's order
    uint16_t source, target;
};

// The ports alone, of a header that lies within size bytes. -EINVAL: it does not.
HAL_MUST_CHECK int tcp_ports_read(struct tcp_ports *ports, const char *data, uint32_t size);

// That of a whole header, bytes.
static inline uint32_t tcp_header_length(const char *data)
{
    enum { LENGTH = 12 };
    return ((uint8_t)data[LENGTH] >> 4) * (uint32_t)sizeof(uint32_t);
}

// Whether the header that begins at data lies within size bytes, and says so: none is shorter than
// TCP_HEADER_MIN.
bool tcp_header_is_whole(const char *data, uint32_t size);

// Reads what size bytes at data say; segment->data and size are those behind the header. -EINVAL:
// shorter than it says. Options that are none are passed over.
HAL_MUST_CHECK int tcp_header_read(struct tcp_segment *segment, struct tcp_ports *ports, char *data,
                                   uint32_t size);

// How long the header of segment is, which says no cookie.
static inline uint32_t tcp_header_size(const struct tcp_segment *segment)
{
    enum { OPTION = 4, TIMES = 12, RANGE = 8 };
    return TCP_HEADER_MIN + (segment->mss != 0 ? OPTION : 0) +
           (segment->scale != UINT8_MAX ? OPTION : 0) + (segment->may_sack ? OPTION : 0) +
           (segment->has_timestamps ? TIMES : 0) +
           (segment->sack_count > 0 ? OPTION + RANGE * segment->sack_count : 0);
}

// Writes the header, its checksum 0, and answers its length.
uint32_t tcp_header_write(char data[TCP_HEADER_MAX], const struct tcp_segment *segment,
                          const struct tcp_ports *ports);

#endif
