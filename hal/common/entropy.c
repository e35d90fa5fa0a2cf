// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: ChaCha20 (RFC 8439) with fast key erasure (Bernstein, 2017): each request makes a key
// stream under the key, of which the first half block replaces the key before the rest is given
// out.
#include "hal/common/entropy.h"

#include "hal/common/string.h"

enum { BLOCK_WORDS = 16, BLOCK_SIZE = 64, KEY_SIZE = 32, ROUND_PAIRS = 10 };

static uint32_t rotate(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *x, int a, int b, int c, int d)
{
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void block_make(const uint32_t *key, uint64_t counter, uint32_t *block)
{
    const uint32_t input[BLOCK_WORDS] = {
        0x61707865,
        0x3320646e,
        0x79622d32,
        0x6b206574,
        key[0],
        key[1],
        key[2],
        key[3],
        key[4],
        key[5],
        key[6],
        key[7],
        (uint32_t)counter,
        (uint32_t)(counter >> 32),
        0,
        0,
    };
    memcpy(block, input, BLOCK_SIZE);
    for (int i = 0; i < ROUND_PAIRS; ++i) {
        for (int column = 0; column < 4; ++column) {
            quarter_round(block, column, 4 + column, 8 + column, 12 + column);
        }
        for (int column = 0; column < 4; ++column) {
            quarter_round(block, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4,
                          12 + (column + 3) % 4);
        }
    }
    for (int i = 0; i < BLOCK_WORDS; ++i) {
        block[i] += input[i];
    }
}

void entropy_seed(struct entropy *entropy, const void *seed, size_t size)
{
    const unsigned char *bytes = seed;
    uint32_t block[BLOCK_WORDS];
    for (size_t at = 0; at < size; at += KEY_SIZE) {
        for (size_t i = 0; i < KEY_SIZE && at + i < size; ++i) {
            entropy->key[i / 4] ^= (uint32_t)bytes[at + i] << 8 * (i % 4);
        }
        block_make(entropy->key, 0, block);
        memcpy(entropy->key, block, KEY_SIZE);
    }
}

void entropy_take(struct entropy *entropy, void *out, size_t size)
{
    uint32_t key[ENTROPY_KEY_WORDS], block[BLOCK_WORDS];
    memcpy(key, entropy->key, KEY_SIZE);
    block_make(key, 0, block);
    memcpy(entropy->key, block, KEY_SIZE);

    size_t used = KEY_SIZE;
    uint64_t counter = 0;
    for (size_t done = 0; done < size;) {
        if (used == BLOCK_SIZE) {
            block_make(key, ++counter, block);
            used = 0;
        }
        const size_t room = BLOCK_SIZE - used, part = size - done < room ? size - done : room;
        memcpy((char *)out + done, (char *)block + used, part);
        done += part;
        used += part;
    }
}
