// SPDX-License-Identifier: BSD-3-Clause
// siphash.c: see siphash.h.
#include "core/lib/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotated(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct state *state)
{
    state->v0 += state->v1;
    state->v2 += state->v3;
    state->v1 = rotated(state->v1, 13) ^ state->v0;
    state->v3 = rotated(state->v3, 16) ^ state->v2;
    state->v0 = rotated(state->v0, 32);
    state->v2 += state->v1;
    state->v0 += state->v3;
    state->v1 = rotated(state->v1, 17) ^ state->v2;
    state->v3 = rotated(state->v3, 21) ^ state->v0;
    state->v2 = rotated(state->v2, 32);
}

static inline void absorb(struct state *state, uint64_t word, int rounds)
{
    state->v3 ^= word;
    for (int i = 0; i < rounds; ++i) {
        mix(state);
    }
    state->v0 ^= word;
}

__attribute__((always_inline)) static inline uint64_t hash(const struct siphash_key *key,
                                                           const uint64_t *words, size_t count,
                                                           int rounds, int last_rounds)
{
    struct state state = {
        .v0 = key->words[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->words[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->words[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->words[1] ^ UINT64_C(0x7465646279746573),
    };
    for (size_t i = 0; i < count; ++i) {
        absorb(&state, words[i], rounds);
    }
    absorb(&state, (uint64_t)(count * sizeof *words) << 56, rounds);
    state.v2 ^= 0xff;
    for (int i = 0; i < last_rounds; ++i) {
        mix(&state);
    }
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t count)
{
    return hash(key, words, count, 1, 3);
}

uint64_t siphash_2_4(const struct siphash_key *key, const uint64_t *words, size_t count)
{
    return hash(key, words, count, 2, 4);
}
