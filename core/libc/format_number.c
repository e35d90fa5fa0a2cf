// SPDX-License-Identifier: BSD-3-Clause
// format_number.c: printf's sink, and integers in it.
#include <errno.h>
#include <string.h>
#include <wchar.h>

#include "core/libc/format.h"

enum { NUMBER_SIZE = 72 }; // 64 binary digits and some

static void sink_room(struct format_sink *sink)
{
    if (sink->place == sink->end && !sink->failed && !sink->drain(sink)) {
        sink->failed = true;
    }
}

static void bytes_widen(struct format_sink *sink, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && !sink->failed; ++i) {
        sink_room(sink);
        if (!sink->failed) {
            *(wchar_t *)(void *)sink->place = (unsigned char)bytes[i];
            sink->place += sizeof(wchar_t);
        }
    }
}

void format_bytes(struct format_sink *sink, const char *bytes, size_t count)
{
    if (sink->is_wide) {
        bytes_widen(sink, bytes, count);
        return;
    }
    while (count != 0 && !sink->failed) {
        size_t room = (size_t)(sink->end - sink->place);
        size_t part = count < room ? count : room;
        memcpy(sink->place, bytes, part);
        sink->place += part;
        bytes += part;
        count -= part;
        if (count != 0) {
            sink_room(sink);
        }
    }
}

void format_wides(struct format_sink *sink, const wchar_t *text, size_t count)
{
    for (size_t i = 0; i < count && !sink->failed; ++i) {
        sink_room(sink);
        if (!sink->failed) {
            memcpy(sink->place, text + i, sizeof(wchar_t));
            sink->place += sizeof(wchar_t);
        }
    }
}

void format_fill(struct format_sink *sink, char c, int64_t count)
{
    enum { RUN = 16 };
    char run[RUN];
    if (count <= 0) {
        return;
    }
    memset(run, c, sizeof run);
    for (; count > 0 && !sink->failed; count -= RUN) {
        format_bytes(sink, run, count < RUN ? (size_t)count : RUN);
    }
}

int64_t format_count(const struct format_sink *sink)
{
    int64_t bytes = sink->drained + (sink->place - sink->start);
    return sink->is_wide ? bytes / (int64_t)sizeof(wchar_t) : bytes;
}

void format_fail(struct format_sink *sink, int error)
{
    if (!sink->failed) {
        errno = error;
        sink->failed = true;
    }
}

char *format_digits(uint64_t value, char *end)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

void format_number(struct format_sink *sink, const struct format_spec *spec, const char *prefix,
                   int64_t zeros, const char *text, size_t length)
{
    size_t prefix_size = strlen(prefix);
    int64_t padding = (int64_t)spec->width - (int64_t)(prefix_size + length) - zeros;
    if (padding > 0 && (spec->flags & (FORMAT_LEFT | FORMAT_ZERO)) == FORMAT_ZERO) {
        zeros += padding;
        padding = 0;
    }
    if (padding > 0 && (spec->flags & FORMAT_LEFT) == 0) {
        format_fill(sink, ' ', padding);
    }
    format_bytes(sink, prefix, prefix_size);
    format_fill(sink, '0', zeros);
    format_bytes(sink, text, length);
    if ((spec->flags & FORMAT_LEFT) != 0) {
        format_fill(sink, ' ', padding);
    }
}

void format_signed(struct format_sink *sink, struct format_spec *spec, int64_t value)
{
    if (spec->length == LENGTH_CHAR) {
        value = (signed char)value;
    } else if (spec->length == LENGTH_SHORT) {
        value = (short)value;
    }
    char buffer[NUMBER_SIZE];
    char *end = buffer + sizeof buffer;
    char *start = format_digits(value < 0 ? -(uint64_t)value : (uint64_t)value, end);
    const char *sign = "";
    if (value < 0) {
        sign = "-";
    } else if ((spec->flags & (FORMAT_PLUS | FORMAT_SPACE)) != 0) {
        sign = (spec->flags & FORMAT_PLUS) != 0 ? "+" : " ";
    }
    if (spec->width < 0 && spec->precision < 0) {
        format_bytes(sink, sign, *sign != 0);
        format_bytes(sink, start, (size_t)(end - start));
        return;
    }
    int64_t zeros = 0;
    if (spec->precision >= 0) {
        spec->flags &= ~(unsigned)FORMAT_ZERO;
        start = value == 0 && spec->precision == 0 ? end : start;
        zeros = spec->precision > end - start ? spec->precision - (end - start) : 0;
    }
    format_number(sink, spec, sign, zeros, start, (size_t)(end - start));
}

static char *digits_of(uint64_t value, char letter, char *end)
{
    if (letter == 'u') {
        return format_digits(value, end);
    }
    const char *alphabet = letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    int shift = letter == 'o' ? 3 : (letter | 0x20) == 'b' ? 1 : 4;
    do {
        *--end = alphabet[value & ((1u << shift) - 1)];
        value >>= shift;
    } while (value != 0);
    return end;
}

// sign: of %p; other unsigned numbers have none.
void format_unsigned(struct format_sink *sink, struct format_spec *spec, uint64_t value,
                     const char *sign)
{
    char buffer[NUMBER_SIZE];
    char *end = buffer + sizeof buffer;
    char letter = (char)spec->letter;
    char *start = digits_of(value, letter, end);
    int64_t zeros = 0;
    if (spec->precision >= 0) {
        spec->flags &= ~(unsigned)FORMAT_ZERO;
        start = value == 0 && spec->precision == 0 ? end : start;
        zeros = spec->precision > end - start ? spec->precision - (end - start) : 0;
    }
    bool is_alternate = (spec->flags & FORMAT_ALTERNATE) != 0;
    char prefix[4] = "";
    strcpy(prefix, sign);
    if (is_alternate && letter == 'o' && zeros == 0 && (start == end || *start != '0')) {
        zeros = 1;
    } else if (is_alternate && value != 0 && letter != 'o' && letter != 'u') {
        char text[] = {'0', letter, 0};
        strcat(prefix, text);
    }
    format_number(sink, spec, prefix, zeros, start, (size_t)(end - start));
}
