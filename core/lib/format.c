// SPDX-License-Identifier: BSD-3-Clause
// format.c: text from values: the conversions that core's messages and procfs need, no floating
// point.
#include "core/lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "core/lib/string.h"
#include "hal/hal.h"

struct sink {
    char *text;
    size_t size;
    size_t length; // of the whole text, whether it fits or not
};

struct conversion {
    bool left, zero;
    size_t width;
    size_t precision; // SIZE_MAX: none
    int longs;        // 0 int, 1 long, 2 long long
};

static void put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size) {
        sink->text[sink->length] = c;
    }
    ++sink->length;
}

static void put_many(struct sink *sink, char c, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        put(sink, c);
    }
}

static void put_padded(struct sink *sink, const struct conversion *how, const char *text,
                       size_t length)
{
    size_t padding = how->width > length ? how->width - length : 0;
    if (!how->left) {
        put_many(sink, ' ', padding);
    }
    for (size_t i = 0; i < length; ++i) {
        put(sink, text[i]);
    }
    if (how->left) {
        put_many(sink, ' ', padding);
    }
}

static void put_number(struct sink *sink, const struct conversion *how, uint64_t value,
                       unsigned base, const char *prefix)
{
    char digits[64];
    size_t count = 0;
    do {
        digits[sizeof digits - ++count] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    size_t prefix_length = strlen(prefix);
    size_t least = how->precision == SIZE_MAX ? 1 : how->precision;
    if (how->zero && !how->left && how->precision == SIZE_MAX && how->width > prefix_length) {
        least = how->width - prefix_length;
    }
    char text[128];
    size_t length = 0;
    while (*prefix != 0) {
        text[length++] = *prefix++;
    }
    least = least < 64 ? least : 64;
    for (size_t i = count; i < least; ++i) {
        text[length++] = '0';
    }
    memcpy(text + length, digits + sizeof digits - count, count);
    put_padded(sink, how, text, length + count);
}

static size_t number_parse(const char **pattern, va_list *arguments)
{
    if (**pattern == '*') {
        ++*pattern;
        int value = va_arg(*arguments, int);
        return value < 0 ? 0 : (size_t)value;
    }
    size_t value = 0;
    while (**pattern >= '0' && **pattern <= '9') {
        value = value * 10 + (size_t)(*(*pattern)++ - '0');
    }
    return value;
}

static struct conversion conversion_parse(const char **pattern, va_list *arguments)
{
    struct conversion how = {.precision = SIZE_MAX};
    for (; **pattern == '-' || **pattern == '0'; ++*pattern) {
        how.left |= **pattern == '-';
        how.zero |= **pattern == '0';
    }
    how.width = number_parse(pattern, arguments);
    if (**pattern == '.') {
        ++*pattern;
        how.precision = number_parse(pattern, arguments);
    }
    for (; **pattern == 'l' || **pattern == 'z' || **pattern == 'h'; ++*pattern) {
        how.longs += **pattern != 'h';
    }
    return how;
}

static uint64_t unsigned_argument(int longs, va_list *arguments)
{
    return longs == 0 ? va_arg(*arguments, unsigned) : va_arg(*arguments, uint64_t);
}

static void put_signed(struct sink *sink, const struct conversion *how, va_list *arguments)
{
    int64_t value = how->longs == 0 ? va_arg(*arguments, int) : va_arg(*arguments, int64_t);
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    put_number(sink, how, size, 10, value < 0 ? "-" : "");
}

static void put_string(struct sink *sink, const struct conversion *how, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    put_padded(sink, how, text, strnlen(text, how->precision));
}

static void put_conversion(struct sink *sink, char letter, const struct conversion *how,
                           va_list *arguments)
{
    char c;
    switch (letter) {
    case 's':
        put_string(sink, how, va_arg(*arguments, const char *));
        break;
    case 'c':
        c = (char)va_arg(*arguments, int);
        put_padded(sink, how, &c, 1);
        break;
    case 'd':
    case 'i':
        put_signed(sink, how, arguments);
        break;
    case 'u':
        put_number(sink, how, unsigned_argument(how->longs, arguments), 10, "");
        break;
    case 'x':
        put_number(sink, how, unsigned_argument(how->longs, arguments), 16, "");
        break;
    case 'o':
        put_number(sink, how, unsigned_argument(how->longs, arguments), 8, "");
        break;
    case 'p':
        put_number(sink, how, (uintptr_t)va_arg(*arguments, void *), 16, "0x");
        break;
    default:
        put(sink, letter);
        break;
    }
}

size_t format_list(char *text, size_t size, const char *pattern, va_list arguments)
{
    struct sink sink = {.text = text, .size = size};
    va_list rest;
    va_copy(rest, arguments);
    while (*pattern != 0) {
        if (*pattern != '%') {
            put(&sink, *pattern++);
            continue;
        }
        ++pattern;
        struct conversion how = conversion_parse(&pattern, &rest);
        if (*pattern != 0) {
            put_conversion(&sink, *pattern++, &how, &rest);
        }
    }
    va_end(rest);
    if (size > 0) {
        text[sink.length < size ? sink.length : size - 1] = 0;
    }
    return sink.length;
}

size_t format(char *text, size_t size, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    size_t length = format_list(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}

void console_print(const char *pattern, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, pattern);
    size_t length = format_list(text, sizeof text, pattern, arguments);
    va_end(arguments);
    hal_console_write(text, length < sizeof text ? length : sizeof text - 1);
}
