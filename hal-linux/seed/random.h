// SPDX-License-Identifier: BSD-3-Clause
// random.h: streams of numbers from a seed: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
#ifndef HAL_LINUX_SEED_RANDOM_H
#define HAL_LINUX_SEED_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_mix(uint64_t word)
{
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
    word = (word ^ word >> 27) * 0x94d049bb133111ebu;
    return word ^ word >> 31;
}

static inline uint64_t random_next(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return random_mix(random->state);
}

// 0 .. limit - 1; limit is not 0.
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)random_next(random) * limit >> 64);
}

// Stream number `stream` of seed: streams do not disturb one another.
static inline struct random random_stream(uint64_t seed, uint64_t stream)
{
    return (struct random){random_mix(seed + 1) ^ random_mix(~stream)};
}

#endif
