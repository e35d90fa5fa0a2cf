// SPDX-License-Identifier: BSD-3-Clause
// monetary.c: strfmon in the locales there are: no currency, no groups, two digits after the point.
#include <errno.h>
#include <locale.h>
#include <monetary.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/libc/export.h"

enum { NUMBER_SIZE = 2000 };

struct amount_spec {
    char fill;
    bool in_brackets, is_left, is_long;
    int width;
    int digits;    // before the point; -1: as many as there are
    int precision; // after it
};

static int number_parse(const char **pattern)
{
    int value = 0;
    for (; **pattern >= '0' && **pattern <= '9'; ++*pattern) {
        value = value < NUMBER_SIZE ? value * 10 + (**pattern - '0') : value;
    }
    return value;
}

// From behind the '%' to the letter.
static struct amount_spec spec_parse(const char **pattern)
{
    struct amount_spec spec = {.fill = ' ', .digits = -1, .precision = 2};
    while (**pattern != 0 && strchr("=^(+!-", **pattern) != NULL) {
        char flag = *(*pattern)++;
        if (flag == '=' && **pattern != 0) {
            spec.fill = *(*pattern)++;
        }
        spec.in_brackets |= flag == '(';
        spec.is_left |= flag == '-';
    }
    spec.width = number_parse(pattern);
    if (**pattern == '#') {
        ++*pattern;
        spec.digits = number_parse(pattern);
    }
    if (**pattern == '.') {
        ++*pattern;
        spec.precision = number_parse(pattern);
    }
    if (**pattern == 'L') {
        ++*pattern;
        spec.is_long = true;
    }
    return spec;
}

// One amount. Its length, or -1: longer than any buffer.
static int amount_format(char *text, const struct amount_spec *spec, long double value)
{
    char number[NUMBER_SIZE];
    bool is_negative = __builtin_signbitl(value) != 0;
    int length =
        snprintf(number, sizeof number, "%.*Lf", spec->precision, is_negative ? -value : value);
    if (length >= NUMBER_SIZE || spec->digits >= NUMBER_SIZE) {
        return -1;
    }
    int whole = (int)strcspn(number, ".");
    int padding = spec->digits > whole ? spec->digits - whole : 0;
    const char *none = spec->digits >= 0 ? " " : ""; // keeps columns of both signs in line
    const char *before = !is_negative ? none : spec->in_brackets ? "(" : "-";
    const char *after = !spec->in_brackets ? "" : is_negative ? ")" : none;
    char *place = stpcpy(text, before);
    memset(place, spec->fill, (size_t)padding);
    place = stpcpy(place + padding, number);
    return (int)(stpcpy(place, after) - text);
}

static ssize_t amounts_format(char *text, size_t size, const char *pattern, va_list arguments)
{
    size_t used = 0;
    while (*pattern != 0) {
        char amount[2 * NUMBER_SIZE + 2] = {*pattern};
        int length = 1;
        struct amount_spec spec = {0};
        if (*pattern++ == '%' && *pattern++ != '%') {
            --pattern;
            spec = spec_parse(&pattern);
            if (*pattern != 'i' && *pattern != 'n') {
                errno = EINVAL;
                return -1;
            }
            ++pattern;
            long double value = spec.is_long ? va_arg(arguments, long double)
                                             : (long double)va_arg(arguments, double);
            length = amount_format(amount, &spec, value);
        }
        size_t padding = spec.width > length ? (size_t)(spec.width - length) : 0;
        if (length < 0 || used + (size_t)length + padding >= size) {
            errno = E2BIG;
            return -1;
        }
        memset(text + used, ' ', (size_t)length + padding);
        memcpy(text + used + (spec.is_left ? 0 : padding), amount, (size_t)length);
        used += (size_t)length + padding;
    }
    if (used < size) {
        text[used] = 0;
    }
    return (ssize_t)used;
}

EXPORT(ssize_t, strfmon, char *text, size_t size, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    ssize_t length = amounts_format(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}

EXPORT(ssize_t, strfmon_l, char *text, size_t size, locale_t locale, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    ssize_t length = amounts_format(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}
