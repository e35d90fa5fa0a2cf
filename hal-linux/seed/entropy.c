// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: bytes that only the seed predicts.
#include "hal-linux/seed/seed.h"

static struct random stream;

void entropy_init(uint64_t seed)
{
    stream = random_stream(seed, 3);
}

void hal_entropy(void *out, size_t size)
{
    unsigned char *bytes = out;
    uint64_t word = 0;
    for (size_t i = 0; i < size; ++i) {
        word = i % sizeof word == 0 ? random_next(&stream) : word >> 8;
        bytes[i] = (unsigned char)word;
    }
}
