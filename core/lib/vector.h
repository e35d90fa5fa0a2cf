// SPDX-License-Identifier: BSD-3-Clause
// vector.h: 16 bytes at a time, in the compiler's own vectors (SSE2, Advanced SIMD): for the string
// functions.
#ifndef CORE_LIB_VECTOR_H
#define CORE_LIB_VECTOR_H

#include <stddef.h>
#include <stdint.h>

typedef signed char vector __attribute__((vector_size(16), may_alias));
typedef signed char vector_anywhere __attribute__((vector_size(16), may_alias, aligned(1)));
typedef uint64_t word_anywhere __attribute__((may_alias, aligned(1)));
typedef uint32_t half_anywhere __attribute__((may_alias, aligned(1)));
typedef uint16_t quarter_anywhere __attribute__((may_alias, aligned(1)));

// What reads whole blocks reads bytes that are not the caller's, on pages that are: sanitizers need
// not look.
#define VECTOR_FUNCTION __attribute__((no_sanitize("address", "thread", "undefined")))

VECTOR_FUNCTION static inline vector vector_load(const void *from)
{
    return *(const vector_anywhere *)from;
}

VECTOR_FUNCTION static inline void vector_store(void *to, vector value)
{
    *(vector_anywhere *)to = value;
}

static inline vector vector_of(int value)
{
    signed char byte = (signed char)value;
    return (vector){byte, byte, byte, byte, byte, byte, byte, byte,
                    byte, byte, byte, byte, byte, byte, byte, byte};
}

#endif
