// SPDX-License-Identifier: BSD-3-Clause
// tcp_fuzz.c: any bytes at all as what a peer, a program and the time do to one connection of TCP:
// segments, with options as they come, near the numbers that the connection awaits. It stays within
// its own numbers and its memory, sends only what was written, and never asks to be called at once
// for ever.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/tcp_header.h"

enum { TICKS_MAX = 1000, WRITTEN_MAX = 1 << 20, PAYLOAD_MAX = 3000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tcp tcp;
static hal_ns now;
static const uint8_t *input;
static size_t left;

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static uint32_t byte(void)
{
    if (left == 0) {
        return 0;
    }
    --left;
    return *input++;
}

static uint32_t word(void)
{
    const uint32_t high = byte();
    return high << 8 | byte();
}

// ---- The connection's host -----------------------------------------------------------

static void host_send(struct tcp *from, const struct tcp_segment *segment)
{
    const struct tcp_ports ports = {1, 2};
    char head[TCP_HEADER_MAX];
    demand(tcp_header_write(head, segment, &ports) <= TCP_HEADER_MAX);
    demand(segment->size <= from->mss);
    demand(segment->size == 0 || segment->from + segment->size <= from->written);
    demand(segment->window <= UINT16_MAX);
}

static bool host_store(struct tcp *to, const struct tcp_segment *segment, uint64_t from,
                       uint32_t skip, uint32_t size)
{
    demand(size > 0 && skip <= segment->size && size <= segment->size - skip);
    demand(from >= tcp_received(to) && from + size <= to->taken + to->settings.room);
    return true;
}

static struct tcp_space *host_space(struct tcp *of)
{
    static struct tcp_space space;
    return (of->iss & 16) != 0 ? &space : NULL;
}

static const struct tcp_host host = {.send = host_send, .store = host_store, .space = host_space};

static void check(void)
{
    uint32_t end = tcp.una, sacked = 0, lost = 0;
    demand(!tcp_is_before(tcp.next, tcp.una) && tcp.flight_count <= tcp.flight_room);
    for (uint32_t i = 0; i < tcp.flight_count; ++i) {
        const struct tcp_flight *flight = &tcp.flights[i];
        demand(tcp_is_before(end, flight->end));
        sacked += flight->state & TCP_FLIGHT_SACKED ? flight->end - end : 0;
        lost += flight->state & TCP_FLIGHT_LOST ? flight->end - end : 0;
        end = flight->end;
    }
    demand(tcp.flight_count == 0 || end == tcp.next);
    demand(sacked == tcp.sacked && lost == tcp.lost);
    for (uint32_t i = 0; i < tcp.held_count; ++i) {
        demand(tcp_is_before(tcp.held[i].start, tcp.held[i].end));
        demand(tcp_is_before(i == 0 ? tcp.expected : tcp.held[i - 1].end, tcp.held[i].start));
    }
    demand(tcp_received(&tcp) >= tcp.taken && tcp_acknowledged(&tcp) <= tcp.written);
}

// ---- What happens --------------------------------------------------------------------

static void bring(void)
{
    char data[TCP_HEADER_MAX + PAYLOAD_MAX] = {0};
    struct tcp_segment segment;
    struct tcp_ports ports;
    const uint32_t kind = byte(), flags = byte() & 63;
    const uint32_t sequence = tcp.expected + (uint32_t)(int16_t)word();
    const uint32_t acknowledgement = (kind & 1 ? tcp.next : tcp.una) + (uint32_t)(int16_t)word();
    const uint32_t options = kind >> 1 & 15, size = word() % PAYLOAD_MAX, window = word();
    const uint32_t length = TCP_HEADER_MIN + (options > 10 ? 10 : options) * 4;
    const uint32_t fields[] = {__builtin_bswap32(sequence), __builtin_bswap32(acknowledgement)};
    memcpy(data + 4, fields, sizeof fields);
    data[12] = (char)(length / 4 << 4);
    data[13] = (char)flags;
    data[14] = (char)(window >> 8);
    data[15] = (char)window;
    for (uint32_t i = TCP_HEADER_MIN; i < length; ++i) {
        data[i] = (char)byte();
    }
    if (tcp_header_read(&segment, &ports, data, length + size) != 0) {
        abort();
    }
    if (kind & 32) { // ranges that are near, where chance seldom puts them
        segment.sack_count = 1 + (kind >> 6);
        for (uint32_t i = 0; i < segment.sack_count && i < TCP_SACK_MAX; ++i) {
            segment.sacks[i].start = tcp.una + word();
            segment.sacks[i].end = segment.sacks[i].start + word() % 4000;
        }
    }
    tcp_input(&tcp, &segment, now);
}

static void pass(void)
{
    now += (hal_ns)1000 << byte() % 32;
    for (int turn = 0; tcp.deadline <= now; ++turn) {
        demand(turn < TICKS_MAX);
        tcp_tick(&tcp, now);
    }
}

static void step(void)
{
    const uint32_t kind = byte();
    switch (kind % 8) {
    case 0:
        pass();
        break;
    case 1:
        if (!tcp.is_closing && tcp.written < WRITTEN_MAX) {
            tcp_write(&tcp, tcp.written + word() % 20000, now);
        }
        break;
    case 2:
        tcp_read(&tcp, tcp.taken + word() % (tcp_received(&tcp) - tcp.taken + 1), now);
        break;
    case 3:
        if (kind > 200) {
            kind > 250 ? tcp_abort(&tcp, now) : tcp_close(&tcp, now);
        }
        break;
    default:
        bring();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    now = 1000000000;
    const uint32_t kind = byte();
    const struct tcp_settings settings = {
        .mss = (uint16_t)(kind & 1 ? 1460 : 100),
        .room = kind & 2 ? 3000 : 1 << 20,
        .has_no_delay = (kind & 4) != 0,
        .is_corked = (kind & 24) == 24,
        .is_kept_alive = (kind & 32) != 0,
        .keep_idle = 1000000000,
        .keep_interval = 1000000000,
        .keep_count = 3,
        .control = kind & 64 ? TCP_CONGESTION_CUBIC : TCP_CONGESTION_RENO,
        .pace = kind & 128 ? 100000 : 0,
    };
    const uint32_t iss = UINT32_MAX - byte() * 16;
    const struct tcp_segment syn = {.flags = (uint8_t)(kind & 8 ? TCP_SYN | TCP_ACK : TCP_SYN),
                                    .sequence = UINT32_MAX - byte() * 16,
                                    .acknowledgement = iss + 1,
                                    .window = word(),
                                    .scale = (uint8_t)(kind & 16 ? 7 : UINT8_MAX),
                                    .may_sack = (kind & 32) != 0,
                                    .has_timestamps = (kind & 64) != 0,
                                    .mss = (uint16_t)word()};
    if (kind & 8) {
        tcp_connect(&tcp, &host, &settings, iss, now);
        tcp_input(&tcp, &syn, now);
    } else {
        tcp_answer(&tcp, &host, &settings, iss, &syn, now);
    }
    while (left > 0) {
        step();
        check();
    }
    return 0;
}
