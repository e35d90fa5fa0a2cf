// SPDX-License-Identifier: BSD-3-Clause
// name.h: how names are found: their hash, and whether two are the same.
#ifndef CORE_VFS_NAME_H
#define CORE_VFS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// FNV-1a, a byte at a time.
enum { NAME_HASH_START = (int)2166136261u };

static inline uint32_t name_hash_add(uint32_t hash, unsigned char byte)
{
    return (hash ^ byte) * 16777619u;
}

static inline uint32_t name_hash(const char *text, size_t length)
{
    uint32_t hash = (uint32_t)NAME_HASH_START;
    for (size_t i = 0; i < length; ++i) {
        hash = name_hash_add(hash, (unsigned char)text[i]);
    }
    return hash;
}

// Of length bytes, 1 or more. (No call of memcmp: that would cost more than most names do.)
static inline bool name_is_same(const char *a, const char *b, size_t length)
{
    uint64_t x, y;
    for (; length > 8; a += 8, b += 8, length -= 8) {
        __builtin_memcpy(&x, a, 8);
        __builtin_memcpy(&y, b, 8);
        if (x != y) {
            return false;
        }
    }
    if (length < 4) {
        return a[0] == b[0] && a[length / 2] == b[length / 2] && a[length - 1] == b[length - 1];
    }
    uint32_t a_start, b_start, a_end, b_end;
    __builtin_memcpy(&a_start, a, 4);
    __builtin_memcpy(&b_start, b, 4);
    __builtin_memcpy(&a_end, a + length - 4, 4);
    __builtin_memcpy(&b_end, b + length - 4, 4);
    return a_start == b_start && a_end == b_end;
}

#endif
