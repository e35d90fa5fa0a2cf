// SPDX-License-Identifier: BSD-3-Clause
// string_scan_x86_64.c: searching and comparing, 16 bytes at a time with SSE2.
//
// Where the end of a string is not known, only aligned blocks are read, or unaligned ones that are
// seen not to cross a page: so no page is touched that the string does not reach. A mask has one
// bit per byte of a block, lowest first.
#include "core/lib/string.h"

#include <stdbool.h>
#include <stdint.h>

#include "core/lib/vector.h"

enum { PAGE = 4096, WIDTH = 16 };

static inline uint32_t mask_of(vector true_or_false)
{
    return (uint32_t)__builtin_ia32_pmovmskb128(
        (__attribute__((vector_size(16))) char)true_or_false);
}

static inline uint32_t mask_equal(vector a, vector b)
{
    return mask_of(a == b);
}

static inline const char *block_of(const char *place)
{
    return (const char *)((uintptr_t)place & ~(uintptr_t)(WIDTH - 1));
}

static inline bool crosses_page(const char *place)
{
    return ((uintptr_t)place & (PAGE - 1)) > PAGE - WIDTH;
}

static inline unsigned first_bit(uint32_t mask)
{
    return (unsigned)__builtin_ctz(mask);
}

static inline int difference(const char *a, const char *b)
{
    return (unsigned char)*a - (unsigned char)*b;
}

static inline int compare_words(uint64_t a, uint64_t b)
{
    a = __builtin_bswap64(a);
    b = __builtin_bswap64(b);
    return (a > b) - (a < b);
}

VECTOR_FUNCTION static inline int compare_tiny(const char *a, const char *b, size_t size)
{
    if (size >= 8) {
        int result = compare_words(*(const word_anywhere *)a, *(const word_anywhere *)b);
        if (result == 0) {
            result = compare_words(*(const word_anywhere *)(a + size - 8),
                                   *(const word_anywhere *)(b + size - 8));
        }
        return result;
    }
    if (size >= 4) {
        uint64_t x = (uint64_t) * (const half_anywhere *)a |
                     (uint64_t) * (const half_anywhere *)(a + size - 4) << 32;
        uint64_t y = (uint64_t) * (const half_anywhere *)b |
                     (uint64_t) * (const half_anywhere *)(b + size - 4) << 32;
        return compare_words(x, y);
    }
    for (size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) {
            return difference(a + i, b + i);
        }
    }
    return 0;
}

VECTOR_FUNCTION int memcmp(const void *left, const void *right, size_t size)
{
    const char *a = left;
    const char *b = right;
    if (size < WIDTH) {
        return compare_tiny(a, b, size);
    }
    size_t i = 0;
    while (i + 2 * WIDTH < size) { // two at a time while they are the same
        vector first = vector_load(a + i) == vector_load(b + i);
        vector second = vector_load(a + i + WIDTH) == vector_load(b + i + WIDTH);
        if (mask_of(first & second) != 0xffff) {
            break;
        }
        i += 2 * WIDTH;
    }
    while (i + WIDTH < size) {
        uint32_t same = mask_equal(vector_load(a + i), vector_load(b + i));
        if (same != 0xffff) {
            i += first_bit(~same);
            return difference(a + i, b + i);
        }
        i += WIDTH;
    }
    i = size - WIDTH;
    uint32_t same = mask_equal(vector_load(a + i), vector_load(b + i));
    if (same == 0xffff) {
        return 0;
    }
    i += first_bit(~same);
    return difference(a + i, b + i);
}

VECTOR_FUNCTION void *memchr(const void *bytes, int value, size_t size)
{
    const char *start = bytes;
    if (size == 0) {
        return NULL;
    }
    vector wanted = vector_of(value);
    const char *block = block_of(start);
    uint32_t mask = mask_equal(*(const vector *)block, wanted) & (0xffffu << (start - block));
    // The last byte's address: the end itself may wrap around (rawmemchr).
    uintptr_t last = (uintptr_t)start + (size - 1);
    last = last < (uintptr_t)start ? UINTPTR_MAX : last;
    while (mask == 0) {
        if (last - (uintptr_t)block < WIDTH) {
            return NULL;
        }
        block += WIDTH;
        mask = mask_equal(*(const vector *)block, wanted);
        if (mask == 0 && last - (uintptr_t)block >= WIDTH) {
            block += WIDTH;
            mask = mask_equal(*(const vector *)block, wanted);
        }
    }
    const char *found = block + first_bit(mask);
    return (uintptr_t)found <= last ? (void *)(uintptr_t)found : NULL;
}

VECTOR_FUNCTION size_t strlen(const char *text)
{
    const vector zero = {0};
    const char *block = block_of(text);
    uint32_t mask = mask_equal(*(const vector *)block, zero) >> (text - block);
    if (mask != 0) {
        return first_bit(mask);
    }
    block += WIDTH;
    while (((uintptr_t)block & 63) != 0) {
        mask = mask_equal(*(const vector *)block, zero);
        if (mask != 0) {
            return (size_t)(block - text) + first_bit(mask);
        }
        block += WIDTH;
    }
    for (;; block += 64) {
        const vector *four = (const vector *)block;
        if (mask_of((four[0] == zero) | (four[1] == zero) | (four[2] == zero) |
                    (four[3] == zero)) != 0) {
            break;
        }
    }
    while ((mask = mask_equal(*(const vector *)block, zero)) == 0) {
        block += WIDTH;
    }
    return (size_t)(block - text) + first_bit(mask);
}

VECTOR_FUNCTION size_t strnlen(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    return end == NULL ? size : (size_t)(end - text);
}

// The first c, or the end of text.
VECTOR_FUNCTION static inline const char *find_or_end(const char *text, int c)
{
    const vector zero = {0};
    vector wanted = vector_of(c);
    const char *block = block_of(text);
    vector bytes = *(const vector *)block;
    uint32_t mask = mask_of((bytes == wanted) | (bytes == zero)) & (0xffffu << (text - block));
    while (mask == 0) {
        block += WIDTH;
        bytes = *(const vector *)block;
        mask = mask_of((bytes == wanted) | (bytes == zero));
    }
    return block + first_bit(mask);
}

VECTOR_FUNCTION char *strchr(const char *text, int c)
{
    const char *found = find_or_end(text, c);
    return *found == (char)c ? (char *)(uintptr_t)found : NULL;
}

VECTOR_FUNCTION char *strchrnul(const char *text, int c)
{
    return (char *)(uintptr_t)find_or_end(text, c);
}

VECTOR_FUNCTION char *strrchr(const char *text, int c)
{
    const vector zero = {0};
    vector wanted = vector_of(c);
    const char *block = block_of(text);
    const char *found = NULL;
    uint32_t keep = 0xffffu << (text - block);
    for (;;) {
        vector bytes = *(const vector *)block;
        uint32_t ends = mask_equal(bytes, zero) & keep;
        uint32_t hits = mask_equal(bytes, wanted) & keep;
        if (ends != 0) {
            hits &= ends ^ (ends - 1); // up to the end, which is itself a hit when c is 0
        }
        if (hits != 0) {
            found = block + (31 - __builtin_clz(hits));
        }
        if (ends != 0) {
            return (char *)(uintptr_t)found;
        }
        keep = 0xffff;
        block += WIDTH;
    }
}

// Bits where a and b differ or a ends. Near the end of a page byte by byte: bits beyond the first
// are then left out.
VECTOR_FUNCTION static inline uint32_t stops_between(const char *a, const char *b)
{
    if (__builtin_expect(crosses_page(a) || crosses_page(b), 0)) {
        for (unsigned i = 0; i < WIDTH; ++i) {
            if (a[i] != b[i] || a[i] == 0) {
                return 1u << i;
            }
        }
        return 0;
    }
    const vector zero = {0};
    vector x = vector_load(a);
    return mask_of((x != vector_load(b)) | (x == zero));
}

VECTOR_FUNCTION int strcmp(const char *a, const char *b)
{
    uint32_t stops;
    while ((stops = stops_between(a, b)) == 0) {
        a += WIDTH;
        b += WIDTH;
    }
    unsigned i = first_bit(stops);
    return difference(a + i, b + i);
}

VECTOR_FUNCTION int strncmp(const char *a, const char *b, size_t size)
{
    while (size > 0) {
        uint32_t stops = stops_between(a, b);
        if (stops != 0) {
            unsigned i = first_bit(stops);
            return i < size ? difference(a + i, b + i) : 0;
        }
        if (size <= WIDTH) {
            return 0;
        }
        size -= WIDTH;
        a += WIDTH;
        b += WIDTH;
    }
    return 0;
}
