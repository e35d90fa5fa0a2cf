// SPDX-License-Identifier: BSD-3-Clause
// script_segments.c: see script_segments.h.
#include "script_segments.h"

#include <stdio.h>
#include <string.h>

#include "script_words.h"

const uint8_t script_cookie[TCP_FAST_COOKIE_MAX] = "0123456789abcde";

static const char flag_letters[] = "FSRP.U";

static uint8_t flags_of(const char *text)
{
    uint8_t flags = 0;
    for (; *text != 0; ++text) {
        const char *letter = strchr(flag_letters, *text);
        if (letter == NULL) {
            fail("'%s' are no flags", text);
            return 0;
        }
        flags |= (uint8_t)(1 << (letter - flag_letters));
    }
    return flags;
}

static void sacks_read(struct pattern *pattern, uint32_t base)
{
    pattern->has_sacks = true;
    if (word_is("none")) {
        return;
    }
    do {
        const char *text = word();
        char *end = NULL;
        const uint32_t start = text != NULL ? (uint32_t)number_of(text, &end) : 0;
        if (end == NULL || *end != '-' || pattern->segment.sack_count == TCP_SACK_MAX) {
            fail("ranges are START-END, at most %d", TCP_SACK_MAX);
            return;
        }
        const uint32_t stop = (uint32_t)number_of(end + 1, &end);
        pattern->segment.sacks[pattern->segment.sack_count++] =
            (struct tcp_range){base + start, base + stop};
    } while (token_next < token_count && strchr(tokens[token_next], '-') != NULL);
}

struct pattern pattern_read(uint32_t source, uint32_t target)
{
    struct pattern pattern = {.segment = {.scale = UINT8_MAX}, .count = 1};
    struct tcp_segment *segment = &pattern.segment;
    const char *flags = word();
    const char *place = word();
    char *end;
    if (flags == NULL || place == NULL) {
        fail("a segment is FLAGS SEQUENCE");
        return pattern;
    }
    segment->flags = flags_of(flags);
    const bool is_negative = *place == '-';
    const uint32_t sequence = (uint32_t)number_of(place + is_negative, &end);
    segment->sequence = source + (is_negative ? -sequence : sequence);
    segment->size = *end == '+' ? (uint32_t)number_of(end + 1, &end) : 0;
    while (token_next < token_count && !has_failed) {
        if (word_is("ack")) {
            pattern.has_acknowledgement = true;
            segment->acknowledgement = target + number();
        } else if (word_is("win")) {
            pattern.has_window = true;
            segment->window = number();
        } else if (word_is("urg")) {
            pattern.has_urgent = true;
            segment->urgent = (uint16_t)number();
        } else if (word_is("mss")) {
            segment->mss = (uint16_t)number();
        } else if (word_is("scale")) {
            segment->scale = (uint8_t)number();
        } else if (word_is("sackok")) {
            segment->may_sack = true;
        } else if (word_is("ts")) {
            pattern.has_times = segment->has_timestamps = true;
            segment->time = number();
            segment->echo = number();
        } else if (word_is("echo")) {
            pattern.has_echo = true;
            segment->echo = number();
        } else if (word_is("cookie")) {
            segment->has_cookie = true;
            segment->cookie = script_cookie;
            segment->cookie_size = (uint8_t)number();
        } else if (word_is("nocookie")) {
            pattern.has_no_cookie = true;
        } else if (word_is("piece")) {
            segment->piece = (uint16_t)number();
        } else if (word_is("nots")) {
            pattern.has_no_times = true;
        } else if (word_is("sack")) {
            sacks_read(&pattern, target);
        } else if (word_is("every")) {
            pattern.stride = number();
        } else if (*tokens[token_next] == 'x') {
            pattern.count = (uint32_t)number_of(word() + 1, &end);
        } else {
            fail("'%s' says nothing of a segment", tokens[token_next]);
        }
    }
    return pattern;
}

const char *script_segment_text(const struct tcp_segment *segment)
{
    static char text[256];
    char flags[8] = "";
    unsigned count = 0;
    for (unsigned i = 0; i < 6; ++i) {
        if (segment->flags >> i & 1) {
            flags[count++] = flag_letters[i];
        }
    }
    flags[count] = 0;
    int length = snprintf(text, sizeof text, "> %s %d+%u ack %d win %u", flags,
                          (int)(segment->sequence - ISS), segment->size,
                          segment->flags & TCP_ACK ? (int)(segment->acknowledgement - IRS) : 0,
                          segment->window);
    if (segment->has_timestamps) {
        length += snprintf(text + length, sizeof text - (size_t)length, " ts %u %u", segment->time,
                           segment->echo);
    }
    for (uint32_t i = 0; i < segment->sack_count; ++i) {
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%d-%d",
                           i == 0 ? " sack " : " ", (int)(segment->sacks[i].start - IRS),
                           (int)(segment->sacks[i].end - IRS));
    }
    return text;
}

static bool ranges_are_equal(const struct tcp_segment *a, const struct tcp_segment *b)
{
    return a->sack_count == b->sack_count &&
           memcmp(a->sacks, b->sacks, a->sack_count * sizeof *a->sacks) == 0;
}

static bool cookie_is(const struct tcp_segment *segment, uint8_t size)
{
    return segment->has_cookie && segment->cookie_size == size &&
           memcmp(segment->cookie, script_cookie, size) == 0;
}

bool script_segment_is(const struct tcp_segment *is, const struct pattern *pattern)
{
    const struct tcp_segment *wanted = &pattern->segment;
    const uint8_t judged = (uint8_t) ~((wanted->flags & TCP_PSH) ? 0 : TCP_PSH);
    return (is->flags & judged) == (wanted->flags & judged) && is->sequence == wanted->sequence &&
           is->size == wanted->size &&
           (!pattern->has_acknowledgement || is->acknowledgement == wanted->acknowledgement) &&
           (!pattern->has_urgent || is->urgent == wanted->urgent) &&
           (!pattern->has_window || is->window == wanted->window) &&
           (wanted->mss == 0 || is->mss == wanted->mss) &&
           (wanted->scale == UINT8_MAX || is->scale == wanted->scale) &&
           (!wanted->may_sack || is->may_sack) &&
           (!pattern->has_times ||
            (is->has_timestamps && is->time == wanted->time && is->echo == wanted->echo)) &&
           (!pattern->has_echo || (is->has_timestamps && is->echo == wanted->echo)) &&
           (wanted->piece == 0 || is->piece == wanted->piece) &&
           (!wanted->has_cookie || cookie_is(is, wanted->cookie_size)) &&
           (!pattern->has_no_cookie || !is->has_cookie) &&
           (!pattern->has_no_times || !is->has_timestamps) &&
           (!pattern->has_sacks || ranges_are_equal(is, wanted));
}
