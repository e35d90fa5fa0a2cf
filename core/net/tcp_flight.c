// SPDX-License-Identifier: BSD-3-Clause
// tcp_flight.c: what a connection has under way: from una to next, in flights of bytes that were
// sent at one time and have met the same fate.
//
// There is room for so many. Where more are needed neighbours become one, with the later time, so
// that nothing is taken for lost too early; or what was said to have arrived is forgotten, as the
// peer may, too (RFC 2018, 8).
#include "core/net/tcp.h"

#include <stddef.h>

#include "core/lib/assert.h"
#include "core/lib/string.h"

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t start_of(const struct tcp *tcp, uint32_t index)
{
    return index == 0 ? tcp->una : tcp->flights[index - 1].end;
}

static uint32_t fate(const struct tcp_flight *flight)
{
    return flight->state & (TCP_FLIGHT_SACKED | TCP_FLIGHT_LOST);
}

static void recount(struct tcp *tcp)
{
    tcp->sacked = tcp->lost = 0;
    for (uint32_t i = 0; i < tcp->flight_count; ++i) {
        const uint32_t size = tcp->flights[i].end - start_of(tcp, i);
        tcp->sacked += tcp->flights[i].state & TCP_FLIGHT_SACKED ? size : 0;
        tcp->lost += tcp->flights[i].state & TCP_FLIGHT_LOST ? size : 0;
    }
}

// The second becomes part of the first.
static void join(struct tcp_flight *first, const struct tcp_flight *second)
{
    first->end = second->end;
    first->sent_at = tcp_later(first->sent_at, second->sent_at);
    first->state |= second->state & TCP_FLIGHT_RESENT;
}

void tcp_space_use(struct tcp *tcp)
{
    struct tcp_space *space = NULL;
    if (tcp->flights == tcp->few_flights && tcp->host->space != NULL) {
        space = tcp->host->space(tcp);
    }
    if (space != NULL) {
        memcpy(space->flights, tcp->flights, tcp->flight_count * sizeof *tcp->flights);
        memcpy(space->held, tcp->held, tcp->held_count * sizeof *tcp->held);
        tcp->flights = space->flights;
        tcp->flight_room = TCP_FLIGHTS_MAX;
        tcp->held = space->held;
        tcp->held_room = TCP_RANGES_MAX;
    }
}

// For two more.
static void room_make(struct tcp *tcp)
{
    uint32_t kept = 0;
    if (tcp->flight_count + 2 > tcp->flight_room) {
        tcp_space_use(tcp);
    }
    if (tcp->flight_count + 2 <= tcp->flight_room) {
        return;
    }
    struct tcp_flight *flights = tcp->flights;
    for (uint32_t i = 0; i < tcp->flight_count; ++i) {
        flights[kept] = flights[i];
        if (i + 1 < tcp->flight_count && fate(&flights[i]) == fate(&flights[i + 1])) {
            join(&flights[kept], &flights[++i]);
        }
        ++kept;
    }
    tcp->flight_count = kept;
    while (tcp->flight_count + 2 > tcp->flight_room) {
        struct tcp_flight *last = &flights[--tcp->flight_count];
        join(last - 1, last);
        last[-1].state &= ~(uint32_t)TCP_FLIGHT_SACKED;
    }
    recount(tcp);
}

// The flight that begins at place, which lies between una and next; it may be cut for that.
static uint32_t split(struct tcp *tcp, uint32_t place)
{
    uint32_t index = 0;
    while (index < tcp->flight_count && !tcp_is_before(place, tcp->flights[index].end)) {
        ++index;
    }
    if (index == tcp->flight_count || place == start_of(tcp, index)) {
        return index;
    }
    ASSERT(tcp->flight_count < tcp->flight_room);
    struct tcp_flight *flight = &tcp->flights[index];
    memmove(flight + 1, flight, (tcp->flight_count - index) * sizeof *flight);
    flight->end = place;
    ++tcp->flight_count;
    return index + 1;
}

static void append(struct tcp *tcp, uint32_t end, uint32_t sent_at)
{
    struct tcp_flight *last = &tcp->flights[tcp->flight_count];
    if (tcp->flight_count > 0 && last[-1].state == 0 && last[-1].sent_at == sent_at) {
        last[-1].end = end;
        return;
    }
    *last = (struct tcp_flight){.end = end, .sent_at = sent_at};
    ++tcp->flight_count;
}

void tcp_flight_sent(struct tcp *tcp, uint32_t start, uint32_t end)
{
    const uint32_t sent_at = (uint32_t)(tcp->now / 1000);
    const bool is_old = tcp_is_before(start, tcp->next);
    room_make(tcp);
    if (is_old) {
        const uint32_t first = split(tcp, start);
        const uint32_t last = split(tcp, tcp_is_before(end, tcp->next) ? end : tcp->next);
        struct tcp_flight *flight = &tcp->flights[first];
        ASSERT(first < last);
        *flight = (struct tcp_flight){tcp->flights[last - 1].end, sent_at, TCP_FLIGHT_RESENT};
        memmove(flight + 1, &tcp->flights[last], (tcp->flight_count - last) * sizeof *flight);
        tcp->flight_count -= last - first - 1;
        recount(tcp);
    }
    if (tcp_is_before(tcp->next, end)) {
        append(tcp, end, sent_at);
        tcp->next = end;
    }
}

// One more has arrived, whole or up to end.
static void arrived(struct tcp *tcp, uint32_t start, uint32_t index, uint32_t end,
                    struct tcp_arrival *arrival)
{
    const struct tcp_flight *flight = &tcp->flights[index];
    if (flight->state & TCP_FLIGHT_SACKED) {
        return;
    }
    arrival->sent_at = arrival->bytes == 0 ? flight->sent_at : arrival->sent_at;
    arrival->bytes += end - start;
    arrival->has_resent |= (flight->state & TCP_FLIGHT_RESENT) != 0;
    if (tcp->doubt != TCP_DOUBT_NONE && (flight->state & TCP_FLIGHT_RESENT) == 0) {
        arrival->has_original |= !tcp_is_before(tcp->recovery_end, end);
    }
    tcp_loss_arrived(tcp, flight, end);
}

void tcp_flight_advance(struct tcp *tcp, uint32_t una, struct tcp_arrival *arrival)
{
    uint32_t gone = 0;
    for (; gone < tcp->flight_count && tcp_is_before(tcp->una, una); ++gone) {
        const uint32_t end = tcp->flights[gone].end;
        const bool is_whole = !tcp_is_before(una, end);
        arrived(tcp, tcp->una, gone, is_whole ? end : una, arrival);
        tcp->una = is_whole ? end : una;
        if (!is_whole) {
            break;
        }
    }
    tcp->una = una;
    tcp->flight_count -= gone;
    if (tcp->flight_count > 0) {
        memmove(tcp->flights, &tcp->flights[gone], tcp->flight_count * sizeof *tcp->flights);
    }
    if ((tcp->sacked | tcp->lost) != 0) {
        recount(tcp);
    }
}

void tcp_flight_sacked(struct tcp *tcp, struct tcp_range range, struct tcp_arrival *arrival)
{
    room_make(tcp);
    const uint32_t first = split(tcp, range.start);
    const uint32_t last = split(tcp, range.end);
    for (uint32_t i = first; i < last; ++i) {
        arrived(tcp, start_of(tcp, i), i, tcp->flights[i].end, arrival);
        tcp->flights[i].state |= TCP_FLIGHT_SACKED;
        tcp->flights[i].state &= ~(uint32_t)TCP_FLIGHT_LOST;
    }
    for (uint32_t i = first; i + 1 < tcp->flight_count && i <= last;) {
        struct tcp_flight *flight = &tcp->flights[i];
        if ((flight[0].state & flight[1].state & TCP_FLIGHT_SACKED) == 0) {
            ++i;
            continue;
        }
        join(flight, flight + 1);
        memmove(flight + 1, flight + 2, (tcp->flight_count - i - 2) * sizeof *flight);
        --tcp->flight_count;
    }
    recount(tcp);
}

void tcp_flight_lose(struct tcp *tcp, uint32_t index)
{
    tcp->flights[index].state |= TCP_FLIGHT_LOST;
    tcp->lost += tcp->flights[index].end - start_of(tcp, index);
}

void tcp_flight_lose_first(struct tcp *tcp, uint32_t size)
{
    room_make(tcp);
    const uint32_t end = split(tcp, tcp->una + min(size, tcp->next - tcp->una));
    for (uint32_t i = 0; i < end; ++i) {
        if (fate(&tcp->flights[i]) == 0) {
            tcp_flight_lose(tcp, i);
        }
    }
}

void tcp_flight_distrust(struct tcp *tcp)
{
    for (uint32_t i = 0; i < tcp->flight_count; ++i) {
        tcp->flights[i].state &= ~(uint32_t)TCP_FLIGHT_SACKED;
    }
    recount(tcp);
}

void tcp_flight_find_again(struct tcp *tcp)
{
    for (uint32_t i = 0; i < tcp->flight_count; ++i) {
        tcp->flights[i].state &= ~(uint32_t)TCP_FLIGHT_LOST;
    }
    recount(tcp);
}

uint32_t tcp_flight_resent(const struct tcp *tcp)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < tcp->flight_count; ++i) {
        const bool is_resent = tcp->flights[i].state == TCP_FLIGHT_RESENT; // and nothing else
        size += is_resent ? tcp->flights[i].end - start_of(tcp, i) : 0;
    }
    return size;
}

bool tcp_flight_lost(const struct tcp *tcp, struct tcp_range *range)
{
    uint32_t i = 0;
    while (i < tcp->flight_count && (tcp->flights[i].state & TCP_FLIGHT_LOST) == 0) {
        ++i;
    }
    if (i == tcp->flight_count) {
        return false;
    }
    range->start = start_of(tcp, i);
    while (i < tcp->flight_count && (tcp->flights[i].state & TCP_FLIGHT_LOST) != 0) {
        range->end = tcp->flights[i++].end;
    }
    return true;
}
