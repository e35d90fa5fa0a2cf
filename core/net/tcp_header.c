// SPDX-License-Identifier: BSD-3-Clause
// tcp_header.c: see tcp_header.h.
#include "core/net/tcp_header.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/net/address.h"

enum option { // RFC 9293, 3.2; RFC 7323; RFC 2018
    OPTION_END,
    OPTION_NOTHING,
    OPTION_MSS,
    OPTION_SCALE,
    OPTION_MAY_SACK,
    OPTION_SACK,
    OPTION_TIMES = 8,
    OPTION_COOKIE = 34, // RFC 7413, 4.1.1
};

enum {
    TIMES_HEAD = OPTION_NOTHING << 24 | OPTION_NOTHING << 16 | OPTION_TIMES << 8 | 10,
    TIMES_SIZE = 12,
};

struct header {
    uint16_t source, target;
    uint32_t sequence, acknowledgement;
    uint8_t length, flags; // length: in 4 bytes, in the upper half
    uint16_t window, checksum, urgent;
};

_Static_assert(sizeof(struct header) == TCP_HEADER_MIN, "RFC 9293, 3.1");

static uint32_t order32(uint32_t value)
{
    return __builtin_bswap32(value);
}

static uint32_t word_at(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return order32(word);
}

static void option_read(struct tcp_segment *segment, const char *option, uint8_t size)
{
    const uint8_t *bytes = (const uint8_t *)option;
    const bool is_syn = (segment->flags & TCP_SYN) != 0;
    switch (bytes[0]) {
    case OPTION_MSS:
        segment->mss = size == 4 ? (uint16_t)(bytes[2] << 8 | bytes[3]) : segment->mss;
        break;
    case OPTION_SCALE:
        segment->scale = size == 3 ? bytes[2] : segment->scale;
        break;
    case OPTION_MAY_SACK:
        segment->may_sack |= size == 2;
        break;
    case OPTION_SACK:
        for (uint8_t at = 2; !is_syn && at + 8 <= size && segment->sack_count < TCP_SACK_MAX;
             at += 8) {
            segment->sacks[segment->sack_count++] =
                (struct tcp_range){word_at(option + at), word_at(option + at + 4)};
        }
        break;
    case OPTION_TIMES:
        if (size == 10) {
            segment->has_timestamps = true;
            segment->time = word_at(option + 2);
            segment->echo = word_at(option + 6);
        }
        break;
    case OPTION_COOKIE:
        if (is_syn && (size == 2 || (size >= 2 + TCP_FAST_COOKIE_MIN &&
                                     size <= 2 + TCP_FAST_COOKIE_MAX && size % 2 == 0))) {
            segment->has_cookie = true;
            segment->cookie = bytes + 2;
            segment->cookie_size = size - 2;
        }
        break;
    default:
        break;
    }
}

// What most segments have: times alone, as RFC 7323, appendix A puts them.
static bool times_read(struct tcp_segment *segment, const char *data, uint32_t size)
{
    if (size != TIMES_SIZE || word_at(data) != TIMES_HEAD) {
        return false;
    }
    segment->has_timestamps = true;
    segment->time = word_at(data + 4);
    segment->echo = word_at(data + 8);
    return true;
}

static void options_read(struct tcp_segment *segment, const char *data, uint32_t size)
{
    uint32_t at = 0;
    while (at < size && data[at] != OPTION_END) {
        if (data[at] == OPTION_NOTHING) {
            ++at;
            continue;
        }
        const uint8_t length = at + 1 < size ? (uint8_t)data[at + 1] : 0;
        if (length < 2 || length > size - at) {
            return; // what follows cannot be told
        }
        option_read(segment, data + at, length);
        at += length;
    }
}

bool tcp_header_is_whole(const char *data, uint32_t size)
{
    struct header raw;
    if (size < sizeof raw) {
        return false;
    }
    memcpy(&raw, data, sizeof raw);
    const uint32_t length = (uint32_t)(raw.length >> 4) * 4;
    return length >= sizeof raw && length <= size;
}

int tcp_ports_read(struct tcp_ports *ports, const char *data, uint32_t size)
{
    struct header raw;
    if (!tcp_header_is_whole(data, size)) {
        return -EINVAL;
    }
    memcpy(&raw, data, sizeof raw);
    *ports = (struct tcp_ports){net_order16(raw.source), net_order16(raw.target)};
    return 0;
}

int tcp_header_read(struct tcp_segment *segment, struct tcp_ports *ports, char *data, uint32_t size)
{
    struct header raw;
    if (size < sizeof raw) {
        return -EINVAL;
    }
    memcpy(&raw, data, sizeof raw);
    const uint32_t length = (uint32_t)(raw.length >> 4) * 4;
    if (length < sizeof raw || length > size) {
        return -EINVAL;
    }
    *ports = (struct tcp_ports){net_order16(raw.source), net_order16(raw.target)};
    *segment = (struct tcp_segment){
        .sequence = order32(raw.sequence),
        .acknowledgement = order32(raw.acknowledgement),
        .window = net_order16(raw.window),
        .flags = raw.flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG),
        .urgent = net_order16(raw.urgent),
        .scale = UINT8_MAX,
        .size = size - length,
        .data = data + length,
    };
    const uint32_t options = length - (uint32_t)sizeof raw;
    if (options > 0 && !times_read(segment, data + sizeof raw, options)) {
        options_read(segment, data + sizeof raw, options);
    }
    return 0;
}

static char *bytes_put(char *at, const void *bytes, uint32_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static char *word_put(char *at, uint32_t word)
{
    const uint32_t bytes = order32(word);
    return bytes_put(at, &bytes, sizeof bytes);
}

static char *cookie_put(char *at, const struct tcp_segment *segment)
{
    const uint8_t head[] = {OPTION_COOKIE, (uint8_t)(2 + segment->cookie_size)};
    const char filling[] = {OPTION_NOTHING, OPTION_NOTHING};
    at = bytes_put(at, head, sizeof head);
    at = bytes_put(at, segment->cookie, segment->cookie_size);
    return bytes_put(at, filling, segment->cookie_size % 4 == 0 ? sizeof filling : 0);
}

uint32_t tcp_header_write(char data[TCP_HEADER_MAX], const struct tcp_segment *segment,
                          const struct tcp_ports *ports)
{
    char *at = data + sizeof(struct header);
    if (segment->mss != 0) {
        at = word_put(at, OPTION_MSS << 24 | 4 << 16 | segment->mss);
    }
    if (segment->scale != UINT8_MAX) {
        at = word_put(at, OPTION_NOTHING << 24 | OPTION_SCALE << 16 | 3 << 8 | segment->scale);
    }
    // A long cookie leaves no room for two options that are filled up.
    const bool is_tight = segment->may_sack && segment->has_timestamps && segment->cookie_size > 0;
    if (is_tight) {
        at = word_put(at, OPTION_MAY_SACK << 24 | 2 << 16 | OPTION_TIMES << 8 | 10);
    } else if (segment->may_sack) {
        at = word_put(at, OPTION_NOTHING << 24 | OPTION_NOTHING << 16 | OPTION_MAY_SACK << 8 | 2);
    }
    if (segment->has_timestamps) {
        at = is_tight ? at : word_put(at, TIMES_HEAD);
        at = word_put(at, segment->time);
        at = word_put(at, segment->echo);
    }
    if (segment->sack_count > 0) {
        at = word_put(at, OPTION_NOTHING << 24 | OPTION_NOTHING << 16 | OPTION_SACK << 8 |
                              (2 + 8 * segment->sack_count));
        for (uint32_t i = 0; i < segment->sack_count; ++i) {
            at = word_put(at, segment->sacks[i].start);
            at = word_put(at, segment->sacks[i].end);
        }
    }
    if (segment->has_cookie) {
        at = cookie_put(at, segment);
    }
    const uint32_t length = (uint32_t)(at - data);
    ASSERT(length <= TCP_HEADER_MAX); // a SYN has no ranges
    const struct header raw = {
        .source = net_order16(ports->source),
        .target = net_order16(ports->target),
        .sequence = order32(segment->sequence),
        .acknowledgement = order32(segment->acknowledgement),
        .length = (uint8_t)(length / 4 << 4),
        .flags = segment->flags,
        .window = net_order16((uint16_t)segment->window),
        .urgent = net_order16(segment->urgent),
    };
    memcpy(data, &raw, sizeof raw);
    return length;
}
