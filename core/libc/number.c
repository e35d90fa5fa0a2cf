// SPDX-License-Identifier: BSD-3-Clause
// number.c: text to numbers: the families of strtol and strtod, with glibc's errno (no digits:
// unchanged).
#include "core/libc/number.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/libc/binary.h"
#include "core/libc/export.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : 36;
}

struct integer {
    uint64_t magnitude;
    bool is_negative, is_too_large;
};

static struct integer integer_read(const char *text, char **end, int base)
{
    struct integer result = {0};
    const char *start = text;
    if (base < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        return result;
    }
    if (end != NULL) {
        *end = (char *)(uintptr_t)start;
    }
    while (is_space(*text)) {
        ++text;
    }
    if (*text == '-' || *text == '+') {
        result.is_negative = *text++ == '-';
    }
    if ((base == 0 || base == 16) && text[0] == '0' && (text[1] | 0x20) == 'x' &&
        digit_of(text[2]) < 16) {
        text += 2;
        base = 16;
    } else if (base == 0) {
        base = *text == '0' ? 8 : 10;
    }
    const char *digits = text;
    for (unsigned digit; (digit = digit_of(*text)) < (unsigned)base; ++text) {
        result.is_too_large |=
            __builtin_mul_overflow(result.magnitude, (uint64_t)base, &result.magnitude) ||
            __builtin_add_overflow(result.magnitude, (uint64_t)digit, &result.magnitude);
    }
    if (end != NULL && text != digits) {
        *end = (char *)(uintptr_t)text;
    }
    return result;
}

EXPORT(long, strtol, const char *text, char **end, int base)
{
    struct integer read = integer_read(text, end, base);
    uint64_t limit = (uint64_t)LONG_MAX + read.is_negative;
    if (read.is_too_large || read.magnitude > limit) {
        errno = ERANGE;
        return read.is_negative ? LONG_MIN : LONG_MAX;
    }
    return (long)(read.is_negative ? -read.magnitude : read.magnitude);
}

EXPORT(unsigned long, strtoul, const char *text, char **end, int base)
{
    struct integer read = integer_read(text, end, base);
    if (read.is_too_large) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return read.is_negative ? -read.magnitude : read.magnitude;
}

EXPORT(long, strtol_l, const char *text, char **end, int base, void *locale)
{
    return glibc_strtol(text, end, base);
}

EXPORT(unsigned long, strtoul_l, const char *text, char **end, int base, void *locale)
{
    return glibc_strtoul(text, end, base);
}

EXPORT(int, atoi, const char *text)
{
    return (int)glibc_strtol(text, NULL, 10);
}

EXPORT(long, atol, const char *text)
{
    return glibc_strtol(text, NULL, 10);
}

// What binary.c does not decide, musl's functions read: they know any number of digits. Whoever
// comes this way is not 0.
#define EXPORT_FLOAT(type, name, format, least)                                                    \
    EXPORT(type, name, const char *text, char **end)                                               \
    {                                                                                              \
        type value = 0;                                                                            \
        const char *stop;                                                                          \
        if (binary_read(text, &stop, &(format), &value) == BINARY_UNDECIDED) {                     \
            value = name(text, NULL);                                                              \
            if (value > -(least) && value < (least)) {                                             \
                errno = ERANGE;                                                                    \
            }                                                                                      \
        }                                                                                          \
        if (end != NULL) {                                                                         \
            *end = (char *)(uintptr_t)stop;                                                        \
        }                                                                                          \
        return value;                                                                              \
    }

EXPORT_FLOAT(float, strtof, binary_float, FLT_MIN)
EXPORT_FLOAT(double, strtod, binary_double, DBL_MIN)
EXPORT_FLOAT(long double, strtold, binary_long_double, LDBL_MIN)

EXPORT(double, strtod_l, const char *text, char **end, void *locale)
{
    return glibc_strtod(text, end);
}

EXPORT(double, atof, const char *text)
{
    return glibc_strtod(text, NULL);
}

EXPORT(float, strtof_l, const char *text, char **end, void *locale)
{
    return glibc_strtof(text, end);
}

EXPORT(long double, strtold_l, const char *text, char **end, void *locale)
{
    return glibc_strtold(text, end);
}
