// SPDX-License-Identifier: BSD-3-Clause
// tsan_wide.h: atomic operations on 16 bytes, for tsan.h: all of them by compare and swap, which
// both instruction sets have. (The __atomic builtins would call libatomic, which uses what it
// finds.)
//
// A load stores what it found, so memory that may only be read cannot be loaded from.
#ifndef HAL_COMMON_TSAN_WIDE_H
#define HAL_COMMON_TSAN_WIDE_H

#include <stdbool.h>

typedef unsigned __int128 tsan_wide;

static inline tsan_wide tsan_wide_load(const volatile tsan_wide *address)
{
    return __sync_val_compare_and_swap((volatile tsan_wide *)address, 0, 0);
}

static inline bool tsan_wide_compare(volatile tsan_wide *address, tsan_wide *expected,
                                     tsan_wide value)
{
    tsan_wide found = __sync_val_compare_and_swap(address, *expected, value);
    bool is_equal = found == *expected;
    *expected = found;
    return is_equal;
}

#define TSAN_WIDE_CHANGE(name, changed)                                                            \
    static inline tsan_wide tsan_wide_##name(volatile tsan_wide *address, tsan_wide value)         \
    {                                                                                              \
        tsan_wide old = tsan_wide_load(address);                                                   \
        while (!tsan_wide_compare(address, &old, changed)) {                                       \
        }                                                                                          \
        return old;                                                                                \
    }

TSAN_WIDE_CHANGE(exchange, value)
TSAN_WIDE_CHANGE(add, old + value)
TSAN_WIDE_CHANGE(sub, old - value)
TSAN_WIDE_CHANGE(and, old &value)
TSAN_WIDE_CHANGE(or, old | value)
TSAN_WIDE_CHANGE(xor, old ^ value)
TSAN_WIDE_CHANGE(nand, ~(old &value))

static inline void tsan_wide_store(volatile tsan_wide *address, tsan_wide value)
{
    (void)tsan_wide_exchange(address, value);
}

#endif
