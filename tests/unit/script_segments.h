// SPDX-License-Identifier: BSD-3-Clause
// script_segments.h: the segments of a script, as its words say them.
#ifndef TESTS_UNIT_SCRIPT_SEGMENTS_H
#define TESTS_UNIT_SCRIPT_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/tcp.h"

// The numbers of both SYNs, near the end of all, so that nearly each case sees them wrap.
#define ISS (UINT32_MAX - 2999)
#define IRS (UINT32_MAX - 499)

enum { NOTHING = 99 /* no cookie, not even an empty one */ };

extern const uint8_t script_cookie[TCP_FAST_COOKIE_MAX];

struct pattern {
    struct tcp_segment segment;
    uint32_t count, stride;
    bool has_acknowledgement, has_window, has_times, has_echo, has_sacks, has_no_times, has_urgent,
        has_no_cookie;
};

// FLAGS SEQUENCE[+SIZE] and what is said of the rest, from the words that are next; source and
// target are the numbers of the SYNs of who sends it, and of the other.
struct pattern pattern_read(uint32_t source, uint32_t target);
bool script_segment_is(const struct tcp_segment *is, const struct pattern *pattern);
const char *script_segment_text(const struct tcp_segment *segment); // of ours; until the next call

#endif
