// SPDX-License-Identifier: BSD-3-Clause
// string.c: the functions of string.h, plainly. The compiler must not turn a loop here into a call
// of itself
// (-fno-tree-loop-distribute-patterns).
#include "core/lib/string.h"

#include <stdint.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    unsigned char *t = target;
    const unsigned char *s = source;
    for (; size >= 8; size -= 8, t += 8, s += 8) {
        uint64_t word;
        __builtin_memcpy(&word, s, 8);
        __builtin_memcpy(t, &word, 8);
    }
    for (; size > 0; --size) {
        *t++ = *s++;
    }
    return target;
}

void *memmove(void *target, const void *source, size_t size)
{
    unsigned char *t = target;
    const unsigned char *s = source;
    if ((uintptr_t)t - (uintptr_t)s >= size) {
        return memcpy(target, source, size);
    }
    while (size > 0) {
        --size;
        t[size] = s[size];
    }
    return target;
}

void *memset(void *target, int value, size_t size)
{
    unsigned char *t = target;
    uint64_t word = 0x0101010101010101u * (unsigned char)value;
    for (; size >= 8; size -= 8, t += 8) {
        __builtin_memcpy(t, &word, 8);
    }
    for (; size > 0; --size) {
        *t++ = (unsigned char)value;
    }
    return target;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < size; ++i) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

void *memchr(const void *bytes, int value, size_t size)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < size; ++i) {
        if (b[i] == (unsigned char)value) {
            return (void *)(uintptr_t)(b + i);
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != 0) {
        ++end;
    }
    return (size_t)(end - text);
}

size_t strnlen(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && text[length] != 0) {
        ++length;
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        ++a;
        ++b;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0; --size, ++a, ++b) {
        if (*a != *b || *a == 0) {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

char *strchr(const char *text, int c)
{
    for (; *text != (char)c; ++text) {
        if (*text == 0) {
            return NULL;
        }
    }
    return (char *)(uintptr_t)text;
}

char *strrchr(const char *text, int c)
{
    const char *found = NULL;
    do {
        found = *text == (char)c ? text : found;
    } while (*text++ != 0);
    return (char *)(uintptr_t)found;
}
