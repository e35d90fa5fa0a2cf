// SPDX-License-Identifier: BSD-3-Clause
// siphash.h: a keyed hash: who does not know the key cannot choose inputs that fall together
// (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
#ifndef CORE_LIB_SIPHASH_H
#define CORE_LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t words[2];
};

// Of count words: SipHash-1-3 of their bytes, the lowest first.
uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t count);
// The same by SipHash-2-4, for what others must find, too.
uint64_t siphash_2_4(const struct siphash_key *key, const uint64_t *words, size_t count);

#endif
