// SPDX-License-Identifier: BSD-3-Clause
// tcp_undo.c: losses that were none. What was sent again because its acknowledgement was late, or
// had been overtaken, was not lost, and the window is as large again as before.
//
// Three things show it: the acknowledgement of what was sent again echoes a time before that (the
// Eifel detection of RFC 3522); the peer tells of each copy that it has had it before (RFC 3708);
// or, after a timeout, something is acknowledged that was not sent again, while only the first
// segment was, and then new ones (RFC 5682, with Linux's use of selective acknowledgements).
#include "core/net/tcp.h"

static uint32_t later_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t clock_ms(const struct tcp *tcp)
{
    return (uint32_t)(tcp->now / 1000000);
}

void tcp_undo_begin(struct tcp *tcp)
{
    tcp->undo.congestion = tcp->congestion;
    tcp->undo.threshold = tcp->threshold;
    tcp->undo.cubic = tcp->cubic;
    tcp->undo.start = tcp->una;
    tcp->undo.count = 0;
    tcp->undo.is_on = true;
    tcp->undo.is_original = false;
}

void tcp_undo_resent(struct tcp *tcp)
{
    if (!tcp->undo.is_on) {
        return;
    }
    if (tcp->undo.count++ == 0) {
        tcp->undo.resent_at = clock_ms(tcp);
    }
}

void tcp_undo_look(struct tcp *tcp, const struct tcp_segment *segment)
{
    tcp->undo.is_original = tcp->has_timestamps && segment->has_timestamps && segment->echo != 0 &&
                            tcp->recovery != TCP_RECOVERY_NONE &&
                            tcp_is_before(segment->echo, tcp->undo.resent_at);
}

static void undo(struct tcp *tcp)
{
    tcp->undo.is_on = tcp->undo.is_original = false;
    tcp->undo.count = 0;
    tcp->congestion = later_of(tcp->congestion, tcp->undo.congestion);
    tcp->threshold = later_of(tcp->threshold, tcp->undo.threshold);
    tcp->cubic = tcp->undo.cubic;
    tcp->recovery = TCP_RECOVERY_NONE;
    tcp->duplicates = 0;
    tcp_flight_find_again(tcp);
}

void tcp_undo_advanced(struct tcp *tcp, const struct tcp_arrival *arrival)
{
    if (tcp->undo.is_original && arrival->has_resent) {
        tcp->counts.undone_timeouts += tcp->recovery == TCP_RECOVERY_TIMEOUT;
        tcp->counts.undone_recoveries += tcp->recovery == TCP_RECOVERY_FAST;
        undo(tcp);
    }
}

void tcp_undo_doubted(struct tcp *tcp, const struct tcp_arrival *arrival, bool has_advanced)
{
    const bool is_first = tcp->doubt == TCP_DOUBT_FIRST;
    // Without selective acknowledgements nobody tells what the copy has made whole.
    const bool is_spurious = arrival->has_original && (tcp->may_sack || !arrival->has_resent);
    const bool is_over = !tcp_is_before(tcp->una, tcp->recovery_end);
    const bool may_try = tcp_unsent(tcp) > 0 && tcp_window_left(tcp) > 0;
    if (is_spurious && tcp->undo.is_on) {
        ++tcp->counts.undone_timeouts;
        ++tcp->counts.doubted_timeouts;
        undo(tcp);
    }
    tcp->doubt = is_first && has_advanced && !is_spurious && !is_over && may_try ? TCP_DOUBT_SECOND
                                                                                 : TCP_DOUBT_NONE;
}

void tcp_undo_repeated(struct tcp *tcp, struct tcp_range range)
{
    const uint32_t most = tcp_payload_max(tcp);
    const uint32_t segments = (range.end - range.start + most - 1) / most;
    if (tcp_is_before(range.start, tcp->undo.start) || tcp_is_before(tcp->una, range.end)) {
        return;
    }
    tcp->undo.count -= segments < tcp->undo.count ? segments : tcp->undo.count;
    if (tcp->undo.count == 0) {
        ++tcp->counts.undone_repeated;
        undo(tcp);
    }
}
