// SPDX-License-Identifier: BSD-3-Clause
// format_float.c: printf's e, f, g and a: decimal.c has the digits, here they are laid out.
#include <string.h>

#include "core/libc/decimal.h"
#include "core/libc/format.h"

enum { QUICK_DIGITS_MAX = 18, QUICK_TEXT_SIZE = 24, PRECISION_DEFAULT = 6, CHUNK = 64 };

static const uint64_t powers_of_10[QUICK_DIGITS_MAX + 1] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
};

// Decimal digits, and how many of them stand before the point; beyond both ends there are noughts.
// They are in text, or in big where that is not NULL. The number nought has none.
struct digits {
    const struct decimal *big;
    const char *text;
    int count, point;
};

// How the digits are laid out.
struct layout {
    int64_t precision; // digits after the point
    bool has_exponent, has_point;
};

static void digits_put(struct format_sink *sink, const struct digits *digits, int64_t first,
                       int64_t count)
{
    if (first < 0) {
        int64_t zeros = -first < count ? -first : count;
        format_fill(sink, '0', zeros);
        first += zeros;
        count -= zeros;
    }
    int64_t there = digits->count - first < count ? digits->count - first : count;
    if (there > 0 && digits->big == NULL) {
        format_bytes(sink, digits->text + first, (size_t)there);
    } else if (there > 0) {
        char chunk[CHUNK];
        for (int64_t done = 0; done < there; done += CHUNK) {
            int part = there - done < CHUNK ? (int)(there - done) : CHUNK;
            decimal_text(digits->big, (int)(first + done), part, chunk);
            format_bytes(sink, chunk, (size_t)part);
        }
    }
    format_fill(sink, '0', there > 0 ? count - there : count);
}

static char digit_last(const struct digits *digits)
{
    char digit = '0';
    if (digits->big == NULL) {
        return digits->text[digits->count - 1];
    }
    decimal_text(digits->big, digits->count - 1, 1, &digit);
    return digit;
}

static char sign_of(const struct format_spec *spec, bool is_negative)
{
    if (is_negative) {
        return '-';
    }
    return (spec->flags & FORMAT_PLUS) != 0 ? '+' : (spec->flags & FORMAT_SPACE) != 0 ? ' ' : 0;
}

static bool is_capital(const struct format_spec *spec)
{
    return spec->letter >= 'A' && spec->letter <= 'Z';
}

// e+05: two digits at least.
static int exponent_text(int exponent, char letter, char *text)
{
    char buffer[QUICK_TEXT_SIZE];
    char *end = buffer + sizeof buffer;
    char *start = format_digits((uint64_t)(exponent < 0 ? -exponent : exponent), end);
    if (end - start < 2) {
        *--start = '0';
    }
    *--start = exponent < 0 ? '-' : '+';
    *--start = letter;
    memcpy(text, start, (size_t)(end - start));
    return (int)(end - start);
}

static void decimal_layout(struct format_sink *sink, const struct format_spec *spec, char sign,
                           const struct digits *digits, const struct layout *layout)
{
    char exponent[QUICK_TEXT_SIZE];
    int exponent_size = 0;
    int64_t whole = digits->point;
    if (layout->has_exponent) {
        int value = digits->count == 0 ? 0 : digits->point - 1;
        exponent_size = exponent_text(value, is_capital(spec) ? 'E' : 'e', exponent);
        whole = 1;
    }
    bool is_small = digits->count == 0 || whole <= 0;
    int64_t length = (sign != 0) + (is_small ? 1 : whole) + layout->has_point + layout->precision +
                     exponent_size;
    int64_t padding = spec->width > length ? spec->width - length : 0;
    if ((spec->flags & (FORMAT_LEFT | FORMAT_ZERO)) == 0) {
        format_fill(sink, ' ', padding);
    }
    format_bytes(sink, &sign, sign != 0);
    if ((spec->flags & (FORMAT_LEFT | FORMAT_ZERO)) == FORMAT_ZERO) {
        format_fill(sink, '0', padding);
    }
    if (is_small) {
        format_bytes(sink, "0", 1);
    } else {
        digits_put(sink, digits, 0, whole);
    }
    format_bytes(sink, ".", layout->has_point);
    if (digits->count == 0) {
        format_fill(sink, '0', layout->precision);
    } else {
        digits_put(sink, digits, whole, layout->precision);
    }
    format_bytes(sink, exponent, (size_t)exponent_size);
    if ((spec->flags & FORMAT_LEFT) != 0) {
        format_fill(sink, ' ', padding);
    }
}

static void special_print(struct format_sink *sink, const struct format_spec *spec,
                          const struct number_parts *parts)
{
    char sign[2] = {sign_of(spec, parts->is_negative), 0};
    struct format_spec padded = *spec;
    padded.flags &= ~(unsigned)FORMAT_ZERO;
    const char *text = parts->kind == NUMBER_NAN ? is_capital(spec) ? "NAN" : "nan"
                       : is_capital(spec)        ? "INF"
                                                 : "inf";
    format_number(sink, &padded, sign, 0, text, 3);
}

// %g: as many digits as are not trailing noughts, in the shorter of the two forms.
static struct layout general_layout(const struct format_spec *spec, struct digits *digits,
                                    int significant)
{
    bool is_alternate = (spec->flags & FORMAT_ALTERNATE) != 0;
    while (!is_alternate && digits->count > 0 && digit_last(digits) == '0') {
        --digits->count;
    }
    int exponent = digits->count == 0 ? 0 : digits->point - 1;
    int shown = is_alternate ? significant : digits->count;
    struct layout layout = {.has_exponent = exponent < -4 || exponent >= significant};
    layout.precision = (int64_t)shown - 1 - (layout.has_exponent ? 0 : exponent);
    if (layout.precision < 0) {
        layout.precision = 0;
    }
    return layout;
}

static void digits_print(struct format_sink *sink, const struct format_spec *spec,
                         const struct number_parts *parts, struct digits *digits)
{
    int precision = spec->precision < 0 ? PRECISION_DEFAULT : spec->precision;
    char letter = (char)(spec->letter | 0x20);
    struct layout layout = {.precision = precision, .has_exponent = letter == 'e'};
    if (letter == 'g') {
        layout = general_layout(spec, digits, precision == 0 ? 1 : precision);
    }
    layout.has_point = layout.precision > 0 || (spec->flags & FORMAT_ALTERNATE) != 0;
    decimal_layout(sink, spec, sign_of(spec, parts->is_negative), digits, &layout);
}

// How many digits e and g have at all; -1 for f.
static int significant_count(const struct format_spec *spec)
{
    int precision = spec->precision < 0 ? PRECISION_DEFAULT : spec->precision;
    char letter = (char)(spec->letter | 0x20);
    if (letter == 'f') {
        return -1;
    }
    if (letter == 'g') {
        return precision == 0 ? 1 : precision;
    }
    return precision == INT32_MAX ? INT32_MAX : precision + 1;
}

// Of a number that is not nought: `count` digits; *exponent is of the first one.
static bool significant_quick(const struct number_parts *parts, int count, int *exponent,
                              uint64_t *result)
{
    if (count > QUICK_DIGITS_MAX || parts->mantissa >> 64 != 0) {
        return false;
    }
    // log10(2) is 1233 / 4096, nearly: one too few or too many is seen in the result
    int bits = 64 - __builtin_clzll((uint64_t)parts->mantissa) + parts->exponent;
    int guess = ((bits - 1) * 1233) >> 12;
    for (int turn = 0; turn < 3; ++turn) {
        if (!decimal_quick(parts, count - 1 - guess, result)) {
            return false;
        }
        if (*result >= powers_of_10[count]) {
            ++guess;
        } else if (*result < powers_of_10[count - 1]) {
            --guess;
        } else {
            *exponent = guess;
            return true;
        }
    }
    return false;
}

static bool quick_print(struct format_sink *sink, const struct format_spec *spec,
                        const struct number_parts *parts)
{
    char buffer[QUICK_TEXT_SIZE];
    char *end = buffer + sizeof buffer;
    struct digits digits = {.text = end};
    int count = significant_count(spec);
    uint64_t value = 0;
    if (parts->mantissa == 0) {
        digits_print(sink, spec, parts, &digits);
        return true;
    }
    if (count < 0) {
        int precision = spec->precision < 0 ? PRECISION_DEFAULT : spec->precision;
        if (!decimal_quick(parts, precision, &value)) {
            return false;
        }
        digits.text = value == 0 ? end : format_digits(value, end);
        digits.count = (int)(end - digits.text);
        digits.point = digits.count - precision;
    } else {
        int exponent;
        if (!significant_quick(parts, count, &exponent, &value)) {
            return false;
        }
        digits.text = format_digits(value, end);
        digits.count = count;
        digits.point = exponent + 1;
    }
    digits_print(sink, spec, parts, &digits);
    return true;
}

// With room for the longest number: not in the frame of the ordinary way.
static __attribute__((noinline)) void exact_print(struct format_sink *sink,
                                                  const struct format_spec *spec,
                                                  const struct number_parts *parts)
{
    struct decimal decimal;
    decimal_set(&decimal, parts);
    int count = significant_count(spec);
    int precision = spec->precision < 0 ? PRECISION_DEFAULT : spec->precision;
    int dropped = count < 0 ? decimal.places - precision : decimal.digit_count - count;
    decimal_round(&decimal, dropped, parts->is_negative);
    struct digits digits = {
        .big = &decimal,
        .count = decimal.digit_count,
        .point = decimal.digit_count - decimal.places,
    };
    if (count > 0 && digits.count > count) {
        digits.count = count; // 99.9 became 100
    }
    digits_print(sink, spec, parts, &digits);
}

// The fraction cut to `digits` hexadecimal ones, rounded.
static unsigned __int128 hexadecimal_round(const struct number_parts *parts, int digits)
{
    int dropped = parts->fraction_bits - 4 * digits;
    if (dropped <= 0) {
        return parts->mantissa;
    }
    unsigned __int128 one = 1;
    unsigned __int128 kept = parts->mantissa >> dropped;
    unsigned __int128 rest = parts->mantissa - (kept << dropped);
    unsigned __int128 middle = one << (dropped - 1);
    int half = rest < middle ? -1 : rest > middle;
    if (rest != 0 && number_rounds_up(parts->is_negative, (kept & 1) != 0, half)) {
        ++kept;
    }
    return kept << dropped;
}

// The first digit has the bits above the lowest multiple of four below the highest bit: 1 for
// double, 8 to f for x86's long double.
static void hexadecimal_print(struct format_sink *sink, const struct format_spec *spec,
                              struct number_parts *parts)
{
    enum { DIGITS_MAX = 28 };
    int fraction_bits = parts->fraction_bits / 4 * 4;
    int point = parts->mantissa == 0 ? 0 : parts->exponent + fraction_bits;
    parts->fraction_bits = fraction_bits;
    int digits = fraction_bits / 4;
    int shown = spec->precision >= 0 && spec->precision < digits ? spec->precision : digits;
    unsigned __int128 mantissa = hexadecimal_round(parts, shown);
    if (mantissa >> fraction_bits > 15) {
        mantissa >>= 4;
        point += 4;
    }
    while (spec->precision < 0 && shown > 0 &&
           (mantissa >> (fraction_bits - 4 * shown) & 15) == 0) {
        --shown;
    }
    const char *alphabet = is_capital(spec) ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX + 2];
    int length = 0;
    text[length++] = alphabet[(int)(mantissa >> fraction_bits)];
    if (shown > 0 || spec->precision > 0 || (spec->flags & FORMAT_ALTERNATE) != 0) {
        text[length++] = '.';
    }
    for (int i = 1; i <= shown; ++i) {
        text[length++] = alphabet[(int)(mantissa >> (fraction_bits - 4 * i) & 15)];
    }
    char tail[QUICK_TEXT_SIZE];
    int tail_size = exponent_text(point, is_capital(spec) ? 'P' : 'p', tail);
    if (tail[2] == '0' && tail_size > 3) {
        tail[2] = tail[3];
        --tail_size;
    }
    char sign = sign_of(spec, parts->is_negative);
    int64_t zeros = spec->precision > digits ? spec->precision - digits : 0;
    int64_t whole = (sign != 0) + 2 + length + zeros + tail_size;
    int64_t padding = spec->width > whole ? spec->width - whole : 0;
    if ((spec->flags & (FORMAT_LEFT | FORMAT_ZERO)) == 0) {
        format_fill(sink, ' ', padding);
    }
    format_bytes(sink, &sign, sign != 0);
    format_bytes(sink, is_capital(spec) ? "0X" : "0x", 2);
    if ((spec->flags & (FORMAT_LEFT | FORMAT_ZERO)) == FORMAT_ZERO) {
        format_fill(sink, '0', padding);
    }
    format_bytes(sink, text, (size_t)length);
    format_fill(sink, '0', zeros);
    format_bytes(sink, tail, (size_t)tail_size);
    if ((spec->flags & FORMAT_LEFT) != 0) {
        format_fill(sink, ' ', padding);
    }
}

static void parts_print(struct format_sink *sink, const struct format_spec *spec,
                        struct number_parts *parts)
{
    if (parts->kind != NUMBER_FINITE) {
        special_print(sink, spec, parts);
    } else if ((spec->letter | 0x20) == 'a') {
        hexadecimal_print(sink, spec, parts);
    } else if (!quick_print(sink, spec, parts)) {
        exact_print(sink, spec, parts);
    }
}

void format_double(struct format_sink *sink, const struct format_spec *spec, double value)
{
    struct number_parts parts = number_split(value);
    parts_print(sink, spec, &parts);
}

void format_long_double(struct format_sink *sink, const struct format_spec *spec, long double value)
{
    struct number_parts parts = number_split_long(value);
    parts_print(sink, spec, &parts);
}
