// SPDX-License-Identifier: BSD-3-Clause
// decay.c: see decay.h.
#include "core/sched/decay.h"

// The exponent at time 0: so that nothing is too small, and what has never run is less than all.
enum { EXPONENT_START = 80, WEIGHT_EXPONENT = DECAY_WEIGHT_EXPONENT };

static const uint64_t OCTAVES_PER_NS = 0x1efb4cc3e2717730; // 2^88 / (tau * ln 2)

// ln(2)^n / n! * 2^62
static const uint64_t exp2_series[] = {
    0x4000000000000000, 0x2c5c85fdf473de6b, 0x0f5fdeffc162c754, 0x038d611ae09417f1,
    0x009d955b7dd273b9, 0x0015d87fe78a6731, 0x0002861225f0d8f1, 0x00003ff97f8b1162,
    0x0000058b0088e972, 0x0000006d494f4e58, 0x00000007933d4563, 0x000000007a32b1cd,
    0x00000000070ef594, 0x0000000000605865,
};

// 2^(fraction / 2^63) * 2^62; right to 2^-44.
static uint64_t exp2_of(uint64_t fraction)
{
    uint32_t i = sizeof exp2_series / sizeof exp2_series[0] - 1;
    uint64_t sum = exp2_series[i];
    while (i > 0) {
        sum = exp2_series[--i] + (uint64_t)((unsigned __int128)sum * fraction >> 63);
    }
    return sum;
}

uint64_t decay_anchor(struct decay_clock *clock, hal_ns now)
{
    struct decay_clock before = *clock;
    unsigned __int128 octaves = (unsigned __int128)now * OCTAVES_PER_NS;
    clock->anchor_ns = now;
    clock->exponent = EXPONENT_START + (uint32_t)(octaves >> 88);
    clock->scale = exp2_of((uint64_t)(octaves >> 25) & INT64_MAX);
    clock->slope = clock->scale / DECAY_TAU_NS;
    uint32_t shift = clock->exponent - before.exponent;
    uint64_t old = shift < 64 ? before.scale >> shift : 0;
    return clock->scale > old ? clock->scale - old : 0;
}

decayed decay_sum(decayed sum, uint64_t amount, uint32_t exponent)
{
    uint32_t sum_exponent = (uint32_t)(sum >> 32);
    uint64_t mantissa = ((sum & UINT32_MAX) | (uint64_t)1 << 32) << 30;
    if (sum_exponent < exponent) {
        uint32_t shift = exponent - sum_exponent;
        mantissa = shift < 64 ? mantissa >> shift : 0;
    } else {
        uint32_t shift = sum_exponent - exponent;
        amount = shift < 64 ? amount >> shift : 0;
        exponent = sum_exponent;
    }
    mantissa = (mantissa + amount) | 1;
    uint32_t shift = (uint32_t)__builtin_clzl(mantissa);
    mantissa <<= shift;
    // A carry of the rounding goes on into the exponent, as it should.
    uint64_t rounded = (mantissa >> 31) + (mantissa >> 30 & 1) - ((uint64_t)1 << 32);
    return ((uint64_t)(exponent + 1 - shift) << 32) + rounded;
}

// sum in the units of decay_sum, for the exponent of weighed amounts.
static uint64_t aligned(decayed sum, const struct decay_clock *clock)
{
    uint32_t exponent = (uint32_t)(sum >> 32);
    uint32_t common = clock->exponent + WEIGHT_EXPONENT;
    uint64_t mantissa = ((sum & UINT32_MAX) | (uint64_t)1 << 32) << 30;
    if (exponent > common) {
        return INT64_MAX; // beyond all that a run can have given
    }
    return common - exponent < 64 ? mantissa >> (common - exponent) : 0;
}

static uint64_t weighed(const struct decay_clock *clock, hal_ns ns, uint32_t weight)
{
    return (uint64_t)((unsigned __int128)(clock->slope * ns) * weight >> DECAY_WEIGHT_SHIFT);
}

decayed decay_after(decayed sum, const struct decay_clock *clock, hal_ns ns, uint32_t weight)
{
    return decay_sum(sum, weighed(clock, ns, weight), clock->exponent + WEIGHT_EXPONENT);
}

decayed decay_before(decayed sum, const struct decay_clock *clock, hal_ns ns, uint32_t weight)
{
    uint64_t value = aligned(sum, clock);
    uint64_t less = weighed(clock, ns, weight);
    return value <= less ? 0 : decay_sum(0, value - less, clock->exponent + WEIGHT_EXPONENT);
}

int64_t decay_ns(decayed sum, const struct decay_clock *clock)
{
    uint64_t unit = clock->scale / DECAY_TAU_NS >> WEIGHT_EXPONENT | 1;
    return (int64_t)(aligned(sum, clock) / unit);
}
