// SPDX-License-Identifier: BSD-3-Clause
// tcp_range.c: ranges of sequence numbers, ascending, apart from each other.
#include "core/net/tcp.h"

#include "core/lib/string.h"

bool tcp_range_add(struct tcp_range *ranges, uint32_t *count, uint32_t room, struct tcp_range range)
{
    uint32_t first = 0;
    while (first < *count && tcp_is_before(ranges[first].end, range.start)) {
        ++first;
    }
    uint32_t last = first; // [first, last) touch the new one
    while (last < *count && !tcp_is_before(range.end, ranges[last].start)) {
        range.start =
            tcp_is_before(ranges[last].start, range.start) ? ranges[last].start : range.start;
        range.end = tcp_later(range.end, ranges[last].end);
        ++last;
    }
    if (first == last && *count == room) {
        return false;
    }
    memmove(&ranges[first + 1], &ranges[last], (*count - last) * sizeof *ranges);
    ranges[first] = range;
    *count = *count - (last - first) + 1;
    return true;
}

bool tcp_range_fits(const struct tcp_range *ranges, uint32_t count, uint32_t room,
                    struct tcp_range range)
{
    for (uint32_t i = 0; i < count; ++i) {
        if (!tcp_is_before(ranges[i].end, range.start) &&
            !tcp_is_before(range.end, ranges[i].start)) {
            return true;
        }
    }
    return count < room;
}

void tcp_range_cut(struct tcp_range *ranges, uint32_t *count, uint32_t start)
{
    uint32_t gone = 0;
    while (gone < *count && !tcp_is_before(start, ranges[gone].end)) {
        ++gone;
    }
    memmove(ranges, &ranges[gone], (*count - gone) * sizeof *ranges);
    *count -= gone;
    if (*count > 0) {
        ranges[0].start = tcp_later(ranges[0].start, start);
    }
}
