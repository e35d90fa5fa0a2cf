// SPDX-License-Identifier: BSD-3-Clause
// string.h: memory and text below any C library.
#ifndef HAL_COMMON_STRING_H
#define HAL_COMMON_STRING_H

#include <stdbool.h>
#include <stddef.h>

// As in C.
void *memcpy(void *target, const void *source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);

static inline size_t text_size(const char *text)
{
    size_t size = 0;
    while (text[size] != 0) {
        ++size;
    }
    return size;
}

static inline bool text_is(const char *text, const char *other)
{
    size_t size = text_size(other);
    return text_size(text) == size && memcmp(text, other, size) == 0;
}

#endif
