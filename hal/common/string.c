// SPDX-License-Identifier: BSD-3-Clause
// string.c: the four functions that compilers call without being asked.
//
// They are weak: where core is linked unsealed its faster ones win. Each is a plain loop, and the
// file is compiled with -fno-tree-loop-distribute-patterns like everything here, or the loops would
// call themselves.
#include "hal/common/string.h"

#include <stdint.h>

__attribute__((weak)) void *memcpy(void *target, const void *source, size_t size)
{
    unsigned char *to = target;
    const unsigned char *from = source;
    for (size_t i = 0; i < size; ++i) {
        to[i] = from[i];
    }
    return target;
}

__attribute__((weak)) void *memmove(void *target, const void *source, size_t size)
{
    unsigned char *to = target;
    const unsigned char *from = source;
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(target, source, size);
    }
    for (size_t i = size; i > 0; --i) {
        to[i - 1] = from[i - 1];
    }
    return target;
}

__attribute__((weak)) void *memset(void *target, int byte, size_t size)
{
    unsigned char *to = target;
    const unsigned char *end = to + size;
    while (to < end && (uintptr_t)to % sizeof(uint64_t) != 0) {
        *to++ = (unsigned char)byte;
    }
    // Whole words: the machine clears tables so while it boots.
    for (; (size_t)(end - to) >= sizeof(uint64_t); to += sizeof(uint64_t)) {
        *(uint64_t *)(void *)to = 0x0101010101010101u * (unsigned char)byte;
    }
    while (to < end) {
        *to++ = (unsigned char)byte;
    }
    return target;
}

__attribute__((weak)) int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left, *b = right;
    for (size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) {
            return a[i] - b[i];
        }
    }
    return 0;
}
