// SPDX-License-Identifier: BSD-3-Clause
// float_text.c: the older ways from numbers to text: ecvt, fcvt, gcvt, and those with q for long
// double; strfromd.
//
// Digits beyond those that the type has are not asked for: 17 of a double, 21 of a long double.
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"

enum {
    DOUBLE_DIGITS = 17,
    LONG_DOUBLE_DIGITS = LDBL_MANT_DIG == 64 ? 21 : 36,
    // of the functions that return their own memory: 1e308 with digits behind it
    DOUBLE_SIZE = 345,
    LONG_DOUBLE_SIZE = 4990,
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

// A type, as far as it matters here: glibc computes in it, so that its roundings are seen.
struct float_type {
    int digits_max;
    bool is_long;
};

static long double product(const struct float_type *type, long double a, long double b)
{
    return type->is_long ? a * b : (long double)((double)a * (double)b);
}

static long double quotient(const struct float_type *type, long double a, long double b)
{
    return type->is_long ? a / b : (long double)((double)a / (double)b);
}

// value, rounded to the left of the point, and how many digits it lost. Down to the last digit.
static long double shift_left(const struct float_type *type, long double value, int *digits,
                              int *lost)
{
    long double tenth = type->is_long ? 0.1L : 0.1;
    while (*digits < 0) {
        long double less = product(type, value, tenth);
        if (less < 1) {
            *digits = 0;
            break;
        }
        value = less;
        ++*lost;
        ++*digits;
    }
    return value;
}

// The digits of a text like "0.00123" without noughts before them; *point is where the point was.
static size_t digits_take(char *text, size_t length, bool is_zero, int *point)
{
    char *dot = memchr(text, '.', length);
    size_t whole = dot == NULL ? length : (size_t)(dot - text);
    *point = (int)whole;
    if (dot == NULL) {
        return length;
    }
    char *start = dot + 1;
    char *end = text + length;
    size_t kept = whole;
    if (whole == 1 && text[0] == '0' && !is_zero) {
        kept = 0;
        *point = 0;
        for (; start < end && *start == '0'; ++start) {
            --*point;
        }
    }
    memmove(text + kept, start, (size_t)(end - start));
    length = kept + (size_t)(end - start);
    text[length] = 0;
    return length;
}

static int fixed_text(const struct float_type *type, long double value, int digits, int *point,
                      int *sign, char *text, size_t size)
{
    if (text == NULL) {
        errno = EINVAL;
        return -1;
    }
    int lost = 0;
    *sign = 0;
    if (isfinite(value)) {
        *sign = signbit(value) != 0;
        value = shift_left(type, *sign ? -value : value, &digits, &lost);
    }
    int length = snprintf(text, size, "%.*Lf", smaller(digits, type->digits_max), value);
    if (length < 0 || (size_t)length >= size) {
        return -1;
    }
    if (!isfinite(value)) {
        *point = 0;
        return 0;
    }
    size_t used = digits_take(text, (size_t)length, value == 0, point);
    *point += lost;
    for (; lost > 0 && used + 1 < size; --lost) {
        text[used++] = '0';
    }
    text[used] = 0;
    return 0;
}

// value between 1 and 10, or nearly, and the power of ten that it was taken away from.
static long double scale(const struct float_type *type, long double value, int *exponent)
{
    long double size = value < 0 ? -value : value;
    long double power = 1;
    *exponent = 0;
    if (!isfinite(value) || value == 0) {
        return value;
    }
    if (size < 1) {
        do {
            power = product(type, power, 10);
            --*exponent;
        } while (product(type, size, power) < 1 && isfinite(power));
        return product(type, value, power);
    }
    if (size >= 10) {
        do {
            power = product(type, power, 10);
            ++*exponent;
        } while (size >= product(type, power, 10));
        return quotient(type, value, power);
    }
    return value;
}

static int significant_text(const struct float_type *type, long double value, int digits,
                            int *point, int *sign, char *text, size_t size)
{
    int exponent;
    long double scaled = scale(type, value, &exponent);
    *point = 1;
    *sign = isfinite(value) && signbit(value);
    if (digits > 0) {
        int wanted = smaller(digits, type->digits_max) - 1;
        if (fixed_text(type, scaled, wanted, point, sign, text, size) != 0) {
            return -1;
        }
    } else if (size > 0) {
        text[0] = 0;
    }
    *point += exponent;
    return 0;
}

// ecvt_r, fcvt_r, ecvt, fcvt and gcvt of one type.
#define EXPORT_FAMILY(type, type_info, prefix, digits_max, memory_size, mark)                      \
    EXPORT(int, prefix##ecvt_r, type value, int digits, int *point, int *sign, char *text,         \
           size_t size)                                                                            \
    {                                                                                              \
        return significant_text(&(type_info), value, digits, point, sign, text, size);             \
    }                                                                                              \
    EXPORT(int, prefix##fcvt_r, type value, int digits, int *point, int *sign, char *text,         \
           size_t size)                                                                            \
    {                                                                                              \
        return fixed_text(&(type_info), value, digits, point, sign, text, size);                   \
    }                                                                                              \
    EXPORT(char *, prefix##ecvt, type value, int digits, int *point, int *sign)                    \
    {                                                                                              \
        static char text[digits_max + 3];                                                          \
        significant_text(&(type_info), value, digits, point, sign, text, sizeof text);             \
        return text;                                                                               \
    }                                                                                              \
    EXPORT(char *, prefix##fcvt, type value, int digits, int *point, int *sign)                    \
    {                                                                                              \
        static char text[memory_size];                                                             \
        fixed_text(&(type_info), value, digits, point, sign, text, sizeof text);                   \
        return text;                                                                               \
    }                                                                                              \
    EXPORT(char *, prefix##gcvt, type value, int digits, char *text)                               \
    {                                                                                              \
        sprintf(text, "%.*" mark "g", smaller(digits, digits_max), value);                         \
        return text;                                                                               \
    }

static const struct float_type double_type = {DOUBLE_DIGITS, false};
static const struct float_type long_double_type = {LONG_DOUBLE_DIGITS, true};

EXPORT_FAMILY(double, double_type, , DOUBLE_DIGITS, DOUBLE_SIZE, "")
EXPORT_FAMILY(long double, long_double_type, q, LONG_DOUBLE_DIGITS, LONG_DOUBLE_SIZE, "L")

// pattern: "%", perhaps a precision, a letter. The same with "L" before the letter.
static int from_text(char *text, size_t size, const char *pattern, long double value)
{
    char with_length[32];
    size_t length = strlen(pattern);
    if (length < 2 || length + 2 > sizeof with_length) {
        return -1;
    }
    memcpy(with_length, pattern, length - 1);
    with_length[length - 1] = 'L';
    with_length[length] = pattern[length - 1];
    with_length[length + 1] = 0;
    return snprintf(text, size, with_length, value);
}

EXPORT(int, strfromd, char *text, size_t size, const char *pattern, double value)
{
    return snprintf(text, size, pattern, value);
}

EXPORT(int, strfromf, char *text, size_t size, const char *pattern, float value)
{
    return snprintf(text, size, pattern, (double)value);
}

EXPORT(int, strfroml, char *text, size_t size, const char *pattern, long double value)
{
    return from_text(text, size, pattern, value);
}
