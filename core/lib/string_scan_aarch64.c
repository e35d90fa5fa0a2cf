// SPDX-License-Identifier: BSD-3-Clause
// string_scan_aarch64.c: searching and comparing, plainly.
#include "core/lib/string.h"

#include <stdint.h>

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

char *strchrnul(const char *text, int c)
{
    while (*text != (char)c && *text != 0) {
        ++text;
    }
    return (char *)(uintptr_t)text;
}
