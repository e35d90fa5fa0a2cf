// SPDX-License-Identifier: BSD-3-Clause
// tcp_congestion.c: how many bytes may be under way: CUBIC (RFC 9438), or what RFC 5681 has.
//
// CUBIC's window after a loss is C (t - K)^3 + top, with t since the loss and top the window
// before it: flat near top, steep far from it; and never less than what RFC 5681 would have by now.
#include "core/net/tcp.h"

enum {
    BETA = 7,         // tenths (RFC 9438, 4.6)
    ALPHA = 529,      // thousandths: 3 (1 - beta) / (1 + beta)
    CONVERGENCE = 85, // hundredths: (1 + beta) / 2
    SPAN_MAX = 100000,
    BYTES_BEGIN = 14600, // RFC 6928
};

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t begin_window(const struct tcp *tcp)
{
    return min(10u * tcp->mss, tcp->mss * 2u > BYTES_BEGIN ? tcp->mss * 2u : BYTES_BEGIN);
}

void tcp_congestion_begin(struct tcp *tcp)
{
    tcp->congestion = begin_window(tcp);
}

static uint32_t cube_root(uint64_t value)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 20; bit > 0; bit >>= 1) {
        const uint64_t next = root + bit;
        root = next * next * next <= value ? root + bit : root;
    }
    return root;
}

// ---- CUBIC -----------------------------------------------------------------------------

static void epoch_begin(struct tcp *tcp)
{
    const uint32_t below = tcp->cubic.top > tcp->congestion ? tcp->cubic.top - tcp->congestion : 0;
    tcp->cubic.epoch = tcp->now;
    tcp->cubic.top = below > 0 ? tcp->cubic.top : tcp->congestion;
    tcp->cubic.k = cube_root((uint64_t)below * 2500000000u / tcp->mss); // (below / 0.4) s^3
    tcp->cubic.estimate = tcp->congestion;
}

// So long after the epoch began.
static uint32_t cubic_window(const struct tcp *tcp, hal_ns span)
{
    const int64_t all = (int64_t)(span / 1000000) - tcp->cubic.k;
    const int64_t ms = all > SPAN_MAX ? SPAN_MAX : all < -SPAN_MAX ? -SPAN_MAX : all;
    const int64_t off = ms * ms * ms / 1000000 * tcp->mss * 4 / 10000; // 0.4 segments at 1 s
    const int64_t window = tcp->cubic.top + off;
    return window < tcp->mss ? tcp->mss : window > INT32_MAX ? INT32_MAX : (uint32_t)window;
}

static void cubic_grow(struct tcp *tcp, uint32_t bytes)
{
    if (tcp->cubic.epoch == 0) {
        epoch_begin(tcp);
    }
    const hal_ns span = tcp->now - tcp->cubic.epoch;
    const uint64_t alpha = tcp->cubic.estimate < tcp->cubic.prior ? ALPHA : 1000;
    tcp->cubic.estimate += (uint32_t)(alpha * bytes * tcp->mss / tcp->congestion / 1000);
    uint32_t target = cubic_window(tcp, span + tcp->rtt);
    target = min(target, tcp->congestion + tcp->congestion / 2);
    if (cubic_window(tcp, span) < tcp->cubic.estimate) {
        tcp->congestion =
            tcp->cubic.estimate > tcp->congestion ? tcp->cubic.estimate : tcp->congestion;
    } else if (target > tcp->congestion) {
        tcp->congestion +=
            (uint32_t)((uint64_t)(target - tcp->congestion) * bytes / tcp->congestion);
    }
}

static uint32_t cubic_lost(struct tcp *tcp, uint32_t flight)
{
    const bool falls = tcp->congestion < tcp->cubic.top; // others have come: leave them room
    tcp->cubic.top =
        falls ? (uint32_t)((uint64_t)tcp->congestion * CONVERGENCE / 100) : tcp->congestion;
    tcp->cubic.prior = tcp->congestion;
    tcp->cubic.epoch = 0;
    return (uint32_t)((uint64_t)flight * BETA / 10);
}

// ---- Both --------------------------------------------------------------------------------

void tcp_congestion_acknowledged(struct tcp *tcp, uint32_t bytes)
{
    if (tcp->congestion < tcp->threshold) {
        const uint32_t grown = min(bytes, tcp->threshold - tcp->congestion);
        tcp->congestion += grown;
        bytes -= grown;
    }
    if (bytes == 0 || tcp->congestion > INT32_MAX) {
        return;
    }
    if (tcp->settings.control == TCP_CONGESTION_CUBIC) {
        cubic_grow(tcp, bytes);
    } else { // a segment for each window
        const uint64_t step = (uint64_t)tcp->mss * bytes / tcp->congestion;
        tcp->congestion += step > 0 ? (uint32_t)step : 1;
    }
}

void tcp_congestion_lost(struct tcp *tcp)
{
    const uint32_t flight = min(tcp->next - tcp->una, tcp->congestion);
    const uint32_t after =
        tcp->settings.control == TCP_CONGESTION_CUBIC ? cubic_lost(tcp, flight) : flight / 2;
    tcp->threshold = after < 2u * tcp->mss ? 2u * tcp->mss : after;
}

// Nothing is under way. The network may have changed meanwhile (RFC 5681, 4.1; RFC 2861: by half
// for each timeout).
void tcp_congestion_idle(struct tcp *tcp)
{
    const uint32_t least = begin_window(tcp);
    hal_ns idle = tcp->now - tcp->sent_at;
    if (tcp->sent_at == 0 || idle <= tcp->timeout || tcp->congestion <= least) {
        return;
    }
    const uint32_t known = tcp->congestion / 4 * 3;
    tcp->threshold = tcp->threshold > known ? tcp->threshold : known;
    for (; idle > tcp->timeout && tcp->congestion > least; idle -= tcp->timeout) {
        tcp->congestion /= 2;
    }
    tcp->congestion = tcp->congestion > least ? tcp->congestion : least;
    tcp->cubic.epoch = 0;
}
