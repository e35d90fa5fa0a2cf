// SPDX-License-Identifier: BSD-3-Clause
// entropy.h: unpredictable bytes from a seed.
#ifndef HAL_COMMON_ENTROPY_H
#define HAL_COMMON_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

enum { ENTROPY_KEY_WORDS = 8 };

// One user at a time: its CPU, with interrupts off. All zero before the first seed.
struct entropy {
    uint32_t key[ENTROPY_KEY_WORDS];
};

// Mixes size bytes in. What was unpredictable before stays so, whatever the seed is.
void entropy_seed(struct entropy *entropy, const void *seed, size_t size);

// Fills out. What was given before cannot be computed from the state after.
void entropy_take(struct entropy *entropy, void *out, size_t size);

#endif
