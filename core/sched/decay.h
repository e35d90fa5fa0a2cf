// SPDX-License-Identifier: BSD-3-Clause
// decay.h: processor time that is forgotten exponentially: what the scheduler is fair by.
//
// The measure of a thread is the time that it has had, each moment of it weighed by e^(-age/tau).
// It is the algorithm of "OSv - Optimizing the Operating System for Virtual Machines" (USENIX ATC
// 2014): rather than let all threads' measures shrink, the unit grows. With c(t) = e^(t/tau), a
// thread that has run from t to t' has tau * (c(t') - c(t)) more of it, in nanoseconds at time 0;
// the measure itself is that sum divided by c(now). The sums of threads that do not run stay what
// they are, so that their order does, too, and a tree can hold it.
//
// A sum is a floating-point number in an integer, so that it needs no floating-point registers,
// which are the application's, and is compared as an integer. c(t) is 2 to a power that has 32 bits
// before the point, enough for 18 years: the sums are never scaled down. As all CPUs have the same
// c(t), a thread may go from one to another as it is.
#ifndef CORE_SCHED_DECAY_H
#define CORE_SCHED_DECAY_H

#include <stdint.h>

#include "hal/hal.h"

// 32 bits of exponent over 32 of mantissa, whose leading one is left out. 0: never ran.
typedef uint64_t decayed;

enum {
    DECAY_TAU_NS = 200000000,
    DECAY_WEIGHT_ONE = 1 << 20,      // time counts as it is
    DECAY_WEIGHT_MAX = 1 << 29,      // and 512 times
    DECAY_WEIGHT_SHIFT = 30,         // what a product with a weight is shifted by,
    DECAY_WEIGHT_EXPONENT = 30 - 20, // and what its exponent is then more than the clock's
    DECAY_LINEAR_NS = 131072,        // for so long the scale grows as it did at the start
};

// c(t) as of the time up to which a CPU has accounted; decay_anchor starts it.
struct decay_clock {
    hal_ns anchor_ns; // when the scale was computed, not only added to
    uint64_t scale;   // 2^62 .. 2^63 for 1 .. 2 times 2^exponent
    uint64_t slope;   // what it grows by in a nanosecond
    uint32_t exponent;
};

// The same for a clock that is computed afresh.
uint64_t decay_anchor(struct decay_clock *clock, hal_ns now);

// Lets the clock, which has shown `before`, show `now`, not earlier; by how much the scale has
// grown, for decay_add.
static inline uint64_t decay_advance(struct decay_clock *clock, hal_ns before, hal_ns now)
{
    if (now - clock->anchor_ns >= DECAY_LINEAR_NS) {
        return decay_anchor(clock, now);
    }
    uint64_t growth = (now - before) * clock->slope;
    clock->scale += growth;
    return growth;
}

// sum and amount * 2^exponent, in units of 2^-62. amount <= 2^63.
decayed decay_sum(decayed sum, uint64_t amount, uint32_t exponent);

// After a run of that growth; weight is at most DECAY_WEIGHT_MAX.
static inline decayed decay_add(decayed sum, const struct decay_clock *clock, uint64_t growth,
                                uint32_t weight)
{
    uint64_t amount = (uint64_t)((unsigned __int128)growth * weight >> DECAY_WEIGHT_SHIFT);
    uint32_t exponent = clock->exponent + DECAY_WEIGHT_EXPONENT;
    // Mostly the sum's exponent stays: then its mantissa grows by the amount, rounded.
    uint32_t shift = (uint32_t)(sum >> 32) - exponent + 29;
    if (shift < 64) {
        uint64_t more = (sum & UINT32_MAX) + ((amount >> shift) + 1) / 2;
        if (more <= UINT32_MAX) {
            return sum + ((amount >> shift) + 1) / 2;
        }
    }
    return decay_sum(sum, amount, exponent);
}

// What sum would be after a run of ns, or before one; at most DECAY_TAU_NS, and never less than 0.
decayed decay_after(decayed sum, const struct decay_clock *clock, hal_ns ns, uint32_t weight);
decayed decay_before(decayed sum, const struct decay_clock *clock, hal_ns ns, uint32_t weight);

// The measure: sum / c(now), in nanoseconds.
int64_t decay_ns(decayed sum, const struct decay_clock *clock);

// The weight of a thread that is to have `share` where one of nice 0 has 1024.
static inline uint32_t decay_weight(uint32_t share)
{
    return (uint32_t)(((uint64_t)DECAY_WEIGHT_ONE * 1024 + share / 2) / share);
}

#endif
