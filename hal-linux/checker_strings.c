// SPDX-License-Identifier: BSD-3-Clause
// checker_strings.c: string functions that read each byte once and none too many.
//
// core's own compare 16 bytes at a time, those after the end of a string among them, which is
// harmless where no page ends but looks to Memcheck like the mistake that it searches for. Valgrind
// runs a function of the name _vgr00000ZU_osvZhsim_NAME in place of NAME of the file whose
// DT_SONAME is osv-sim (sim/BUILD.bazel); nobody else calls these.
#include <stddef.h>

#define REPLACES(type, name, ...)                                                                  \
    type checked_##name(__VA_ARGS__) __asm__("_vgr00000ZU_osvZhsim_" #name);                       \
    type checked_##name(__VA_ARGS__)

REPLACES(size_t, strlen, const char *text)
{
    size_t size = 0;
    while (text[size] != 0) {
        ++size;
    }
    return size;
}

REPLACES(size_t, strnlen, const char *text, size_t limit)
{
    size_t size = 0;
    while (size < limit && text[size] != 0) {
        ++size;
    }
    return size;
}

REPLACES(char *, strchrnul, const char *text, int c)
{
    while (*text != 0 && *text != (char)c) {
        ++text;
    }
    return (char *)text;
}

REPLACES(char *, strchr, const char *text, int c)
{
    while (*text != (char)c) {
        if (*text++ == 0) {
            return NULL;
        }
    }
    return (char *)text;
}

REPLACES(char *, strrchr, const char *text, int c)
{
    const char *found = NULL;
    for (;; ++text) {
        if (*text == (char)c) {
            found = text;
        }
        if (*text == 0) {
            return (char *)found;
        }
    }
}

REPLACES(int, strcmp, const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        ++a;
        ++b;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

REPLACES(int, strncmp, const char *a, const char *b, size_t size)
{
    for (; size > 0; --size, ++a, ++b) {
        if (*a != *b || *a == 0) {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

REPLACES(void *, memchr, const void *bytes, int value, size_t size)
{
    const unsigned char *byte = bytes;
    for (; size > 0; --size, ++byte) {
        if (*byte == (unsigned char)value) {
            return (void *)byte;
        }
    }
    return NULL;
}

REPLACES(int, memcmp, const void *left, const void *right, size_t size)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; size > 0; --size, ++a, ++b) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}
