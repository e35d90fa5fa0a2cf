// SPDX-License-Identifier: BSD-3-Clause
// count.h: counters that one CPU, or one thread, raises and others may read: figures for people.
//
// The sanitizers need not look, and the deterministic machine need not try what comes in between:
// nothing is decided by a figure.
#ifndef CORE_LIB_COUNT_H
#define CORE_LIB_COUNT_H

#include <stdint.h>

__attribute__((no_sanitize("thread"))) static inline void count_add(uint64_t *count, uint64_t more)
{
    *count += more; // aligned: others see it whole
}

__attribute__((no_sanitize("thread"))) static inline uint64_t count_get(const uint64_t *count)
{
    return *(const volatile uint64_t *)count;
}

#endif
