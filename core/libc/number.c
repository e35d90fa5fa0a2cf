// SPDX-License-Identifier: BSD-3-Clause
// number.c: text to numbers: the strtol family with glibc's errno (no digits: unchanged), and a
// quick strtod.
//
// strtod: a number of at most 19 digits whose integer of digits is below 2^53, with a power of ten
// of at most 22, is one exact multiplication or division of two doubles (Clinger, "How to Read
// Floating Point Numbers Accurately"). All others go to musl's, which rounds correctly too.
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

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

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { POWER_MAX = 22, DIGITS_MAX = 19 };

// Reads [digits][.digits] to *digits. The number of digits, 0: none or too many.
static int digits_read(const char **text, uint64_t *digits, int *exponent)
{
    const char *place = *text;
    uint64_t value = 0;
    int count = 0;
    for (; *place >= '0' && *place <= '9'; ++place, ++count) {
        value = value * 10 + (uint64_t)(*place - '0');
        if (count == DIGITS_MAX) {
            return 0;
        }
    }
    if (*place == '.') {
        for (++place; *place >= '0' && *place <= '9'; ++place, ++count, --*exponent) {
            value = value * 10 + (uint64_t)(*place - '0');
            if (count == DIGITS_MAX) {
                return 0;
            }
        }
    }
    *text = place;
    *digits = value;
    return count;
}

// True: *exponent was changed by what follows an e, if anything does.
static bool exponent_read(const char **text, int *exponent)
{
    const char *place = *text;
    if ((*place | 0x20) != 'e') {
        return true;
    }
    ++place;
    bool is_negative = *place == '-';
    if (*place == '-' || *place == '+') {
        ++place;
    }
    int value = 0;
    int count = 0;
    for (; *place >= '0' && *place <= '9'; ++place, ++count) {
        if (count == 4) {
            return false;
        }
        value = value * 10 + (*place - '0');
    }
    *text = count == 0 ? *text : place;
    *exponent += is_negative ? -value : value;
    return true;
}

// As musl's functions, but that text without a number leaves errno alone.
#define EXPORT_PLAIN(type, name)                                                                   \
    EXPORT(type, name, const char *text, char **end)                                               \
    {                                                                                              \
        char *stop;                                                                                \
        int saved = errno;                                                                         \
        type value = name(text, &stop);                                                            \
        if (stop == text) {                                                                        \
            errno = saved;                                                                         \
        }                                                                                          \
        if (end != NULL) {                                                                         \
            *end = stop;                                                                           \
        }                                                                                          \
        return value;                                                                              \
    }

EXPORT_PLAIN(float, strtof)
EXPORT_PLAIN(long double, strtold)

static double strtod_slow(const char *text, char **end)
{
    char *stop;
    int saved = errno;
    double value = strtod(text, &stop);
    if (stop == text) {
        errno = saved;
    } else if (value != 0 && value > -DBL_MIN && value < DBL_MIN) {
        errno = ERANGE;
    }
    if (end != NULL) {
        *end = stop;
    }
    return value;
}

EXPORT(double, strtod, const char *text, char **end)
{
    const char *place = text;
    while (is_space(*place)) {
        ++place;
    }
    bool is_negative = *place == '-';
    if (*place == '-' || *place == '+') {
        ++place;
    }
    uint64_t digits = 0;
    int exponent = 0;
    bool is_hexadecimal = place[0] == '0' && (place[1] | 0x20) == 'x';
    if (is_hexadecimal || digits_read(&place, &digits, &exponent) == 0 ||
        !exponent_read(&place, &exponent) || digits >> 53 != 0 || exponent < -POWER_MAX ||
        exponent > POWER_MAX) {
        return strtod_slow(text, end);
    }
    double value = (double)digits;
    value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    if (end != NULL) {
        *end = (char *)(uintptr_t)place;
    }
    return is_negative ? -value : value;
}

EXPORT(double, strtod_l, const char *text, char **end, void *locale)
{
    return glibc_strtod(text, end);
}

EXPORT(double, atof, const char *text)
{
    return glibc_strtod(text, NULL);
}
