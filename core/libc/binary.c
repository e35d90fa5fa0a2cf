// SPDX-License-Identifier: BSD-3-Clause
// binary.c: text to binary floating-point numbers, rounded once.
//
// A decimal number of 19 digits is an integer times a power of ten. For small powers the product or
// quotient is computed exactly in 128 bits; for others with a power cut off to 128 bits, and where
// the doubt of that touches the last bit of the result, or there are more digits that do, nothing
// is said (after Lemire, "Number Parsing at a Gigabyte per Second"). A hexadecimal number is exact.
#include "core/libc/binary.h"

#include <errno.h>
#include <float.h>
#include <string.h>

#include "core/libc/decimal.h"

enum {
    DIGITS_MAX = 19,
    EXPONENT_LIMIT = 100000, // larger ones are all the same
    EXPONENT_TEXT_LIMIT = 100000000,
    DIVISIONS_MAX = 13, // 5^13 < 2^32
    PRODUCTS_MAX = 27,  // 5^27 < 2^63
};

const struct binary_format binary_float = {24, -149, 254, 4, false};
const struct binary_format binary_double = {53, -1074, 2046, 8, false};
const struct binary_format binary_long_double = {
    LDBL_MANT_DIG,       LDBL_MIN_EXP - LDBL_MANT_DIG, 32766, LDBL_MANT_DIG == 64 ? 10 : 16,
    LDBL_MANT_DIG == 64,
};

// significand * 2^exponent. The real number is not less; larger by less than doubt, and where
// has_more by something that is less than 2^unknown_bits.
struct approximation {
    unsigned __int128 significand, doubt;
    int exponent, unknown_bits;
    bool has_more;
};

struct decimal_text {
    uint64_t digits;
    int64_t exponent;
    bool is_cut; // there were more digits, not all of them 0
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned char_digit(char c)
{
    unsigned digit = (unsigned char)c - '0';
    if (digit < 10) {
        return digit;
    }
    unsigned letter = ((unsigned char)c | 0x20) - 'a';
    return letter < 26 ? letter + 10 : 36;
}

static void value_store(const struct binary_format *format, bool is_negative, int field,
                        unsigned __int128 mantissa, void *value)
{
    int stored_bits = format->is_explicit ? format->bits : format->bits - 1;
    unsigned __int128 one = 1;
    unsigned __int128 bits = mantissa & ((one << stored_bits) - 1);
    bits |= (unsigned __int128)(unsigned)field << stored_bits;
    int sign_place = format->is_explicit ? 79 : 8 * format->size - 1;
    bits |= (unsigned __int128)is_negative << sign_place;
    memcpy(value, &bits, (size_t)format->size);
}

static void infinity_store(const struct binary_format *format, bool is_negative, void *value)
{
    unsigned __int128 top = (unsigned __int128)1 << (format->bits - 1);
    value_store(format, is_negative, format->field_max + 1, format->is_explicit ? top : 0, value);
}

static void overflow_store(const struct binary_format *format, bool is_negative, void *value)
{
    errno = ERANGE;
    if (number_rounds_up(is_negative, true, 1)) {
        infinity_store(format, is_negative, value);
    } else {
        value_store(format, is_negative, format->field_max, ~(unsigned __int128)0, value);
    }
}

// The lower `cut` bits of the significand go. False: the doubt decides about the last bit left.
static bool significand_round(const struct approximation *number, bool is_negative, int cut,
                              unsigned __int128 *mantissa, bool *is_exact)
{
    unsigned __int128 one = 1;
    unsigned __int128 kept = cut >= 128 ? 0 : number->significand >> cut;
    unsigned __int128 rest = cut >= 128 ? number->significand : number->significand - (kept << cut);
    unsigned __int128 middle = cut > 128 || cut == 0 ? 0 : one << (cut - 1);
    bool is_below = cut > 128 || rest < middle;
    if (number->has_more && cut <= number->unknown_bits) {
        return false;
    }
    *is_exact = rest == 0 && !number->has_more && number->doubt == 0;
    if (number->doubt != 0) {
        bool is_certain = number->doubt < middle &&
                          (rest > middle || (is_below && middle - rest > number->doubt));
        if (cut >= 128 || !is_certain || !number_rounds_to_nearest()) {
            return false;
        }
    }
    int half = is_below ? -1 : rest > middle || number->has_more;
    *mantissa = kept;
    if (!*is_exact && number_rounds_up(is_negative, (kept & 1) != 0, half)) {
        ++*mantissa;
    }
    return true;
}

// Whether a number that was rounded up to the least normal one would be below it, had it all its
// bits.
static bool is_tiny(const struct approximation *number, bool is_negative,
                    const struct binary_format *format)
{
    unsigned __int128 mantissa;
    bool is_exact;
    int cut = 128 - format->bits;
    return significand_round(number, is_negative, cut, &mantissa, &is_exact) &&
           mantissa >> format->bits == 0;
}

// Rounds to the format. The highest bit of the significand is set.
static bool number_store(const struct approximation *number, bool is_negative,
                         const struct binary_format *format, void *value)
{
    int cut = 128 - format->bits;
    int exponent = number->exponent + cut;
    if (exponent < format->exponent_min) {
        cut += format->exponent_min - exponent;
        exponent = format->exponent_min;
    }
    unsigned __int128 mantissa;
    bool is_exact;
    if (!significand_round(number, is_negative, cut, &mantissa, &is_exact)) {
        return false;
    }
    if (mantissa >> format->bits != 0) {
        mantissa >>= 1;
        ++exponent;
    }
    bool is_normal = mantissa >> (format->bits - 1) != 0;
    int field = is_normal ? exponent - format->exponent_min + 1 : 0;
    if (field > format->field_max) {
        overflow_store(format, is_negative, value);
        return true;
    }
    if (cut > 128 - format->bits && !is_exact &&
        (!is_normal || is_tiny(number, is_negative, format))) {
        errno = ERANGE;
    }
    value_store(format, is_negative, field, mantissa, value);
    return true;
}

static void normalise(struct approximation *number)
{
    uint64_t high = (uint64_t)(number->significand >> 64);
    int up =
        high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)number->significand);
    number->significand <<= up;
    number->doubt <<= up;
    number->exponent -= up;
    number->unknown_bits += up;
}

static int exponent_limit(int64_t exponent)
{
    exponent = exponent > EXPONENT_LIMIT ? EXPONENT_LIMIT : exponent;
    return (int)(exponent < -EXPONENT_LIMIT ? -EXPONENT_LIMIT : exponent);
}

static uint64_t power_of_5(int power)
{
    uint64_t result = 1;
    for (int i = 0; i < power; ++i) {
        result *= 5;
    }
    return result;
}

// digits / 5^power, to 128 bits and whether anything is left.
static void divide(uint64_t digits, int power, struct approximation *number)
{
    uint64_t divisor = power_of_5(power);
    unsigned __int128 quotient = 0;
    uint64_t rest = 0;
    int up = __builtin_clzll(digits);
    uint64_t numerator = digits << up;
    // the numerator's 64 bits, then 64 of noughts, 32 at a time
    for (int word = 0; word < 4; ++word) {
        uint32_t part = word == 0   ? (uint32_t)(numerator >> 32)
                        : word == 1 ? (uint32_t)numerator
                                    : 0;
        rest = rest << 32 | part;
        quotient = quotient << 32 | rest / divisor;
        rest %= divisor;
    }
    number->significand = quotient;
    number->exponent = -up - 64 - power;
    number->has_more = rest != 0;
}

// False: the power is beyond the table.
static bool decimal_approximate(const struct decimal_text *text, struct approximation *number)
{
    int power = exponent_limit(text->exponent);
    *number = (struct approximation){0};
    if (!text->is_cut && power >= 0 && power <= PRODUCTS_MAX) {
        number->significand = (unsigned __int128)text->digits * power_of_5(power);
        number->exponent = power;
        normalise(number);
        return true;
    }
    if (!text->is_cut && power < 0 && power >= -DIVISIONS_MAX) {
        divide(text->digits, -power, number);
        normalise(number);
        return true;
    }
    enum { DOUBT = 4 };
    unsigned __int128 significand;
    int exponent;
    if (!decimal_power(power, &significand, &exponent)) {
        return false;
    }
    int up = __builtin_clzll(text->digits);
    uint64_t digits = text->digits << up;
    unsigned __int128 low = (unsigned __int128)digits * (uint64_t)significand;
    number->significand = (unsigned __int128)digits * (uint64_t)(significand >> 64) + (low >> 64);
    number->exponent = exponent + 64 - up;
    number->doubt = DOUBT + (text->is_cut ? ((unsigned __int128)1 << (up + 64)) : 0);
    normalise(number);
    return true;
}

// Digits with a point among them, in the first DIGITS_MAX of which there are no leading noughts.
// The number of digits there were.
static int64_t decimal_digits(const char **text, struct decimal_text *decimal)
{
    const char *place = *text;
    int64_t count = 0;
    int64_t exponent = 0;
    int used = 0;
    bool has_point = false;
    for (;; ++place) {
        unsigned digit = (unsigned char)*place - '0';
        if (*place == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (digit > 9) {
            break;
        }
        ++count;
        if (used < DIGITS_MAX) {
            decimal->digits = decimal->digits * 10 + digit;
            used += decimal->digits != 0;
            exponent -= has_point;
        } else {
            decimal->is_cut |= digit != 0;
            exponent += !has_point;
        }
    }
    if (count != 0) {
        *text = place;
    }
    decimal->exponent = exponent;
    return count;
}

// "e+12" after letter 'e' (or 'p'), if it is whole. What it adds to the exponent.
static int exponent_digits(const char **text, char letter)
{
    const char *place = *text;
    if ((*place | 0x20) != letter) {
        return 0;
    }
    ++place;
    bool is_negative = *place == '-';
    place += *place == '-' || *place == '+';
    if (!is_digit(*place)) {
        return 0;
    }
    int value = 0;
    for (; is_digit(*place); ++place) {
        value = value < EXPONENT_TEXT_LIMIT ? value * 10 + (*place - '0') : value;
    }
    *text = place;
    return is_negative ? -value : value;
}

// Where digits and power are doubles exactly, one operation rounds as it should (Clinger, "How to
// Read Floating Point Numbers Accurately").
static bool double_read(const struct decimal_text *decimal, bool is_negative, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    enum { POWER_MAX = 22 };
    if (decimal->is_cut || decimal->digits >> DBL_MANT_DIG != 0 || decimal->exponent > POWER_MAX ||
        decimal->exponent < -POWER_MAX) {
        return false;
    }
    double digits = (double)decimal->digits;
    digits = is_negative ? -digits : digits; // before rounding, which may be directed
    *value = decimal->exponent < 0 ? digits / powers[-decimal->exponent]
                                   : digits * powers[decimal->exponent];
    return true;
}

static enum binary_outcome decimal_read(const char *text, const char **end, bool is_negative,
                                        const struct binary_format *format, void *value)
{
    struct decimal_text decimal = {0};
    if (decimal_digits(&text, &decimal) == 0) {
        return BINARY_NO_NUMBER;
    }
    decimal.exponent += exponent_digits(&text, 'e');
    *end = text;
    if (decimal.digits == 0) {
        value_store(format, is_negative, 0, 0, value);
        return BINARY_DONE;
    }
    if (decimal.exponent > -format->exponent_min + format->bits) {
        overflow_store(format, is_negative, value); // 10^n > 2^n
        return BINARY_DONE;
    }
    if (format == &binary_double && double_read(&decimal, is_negative, value)) {
        return BINARY_DONE;
    }
    struct approximation number;
    if (!decimal_approximate(&decimal, &number) ||
        !number_store(&number, is_negative, format, value)) {
        return BINARY_UNDECIDED;
    }
    return BINARY_DONE;
}

// Behind "0x". False: no digits.
static bool hexadecimal_read(const char *text, const char **end, bool is_negative,
                             const struct binary_format *format, void *value)
{
    struct approximation number = {0};
    int64_t exponent = 0;
    bool has_point = false;
    bool has_digit = false;
    for (;; ++text) {
        unsigned digit = char_digit(*text);
        if (*text == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (digit > 15) {
            break;
        }
        has_digit = true;
        if (number.significand >> 120 == 0) {
            number.significand = number.significand << 4 | digit;
            exponent -= has_point ? 4 : 0;
        } else {
            number.has_more |= digit != 0;
            exponent += has_point ? 0 : 4;
        }
    }
    if (!has_digit) {
        return false;
    }
    exponent += exponent_digits(&text, 'p');
    *end = text;
    if (number.significand == 0) {
        value_store(format, is_negative, 0, 0, value);
        return true;
    }
    number.exponent = exponent_limit(exponent);
    normalise(&number);
    return number_store(&number, is_negative, format, value);
}

static bool word_follows(const char *text, const char *word)
{
    while (*word != 0 && (*text | 0x20) == *word) {
        ++text;
        ++word;
    }
    return *word == 0;
}

// "(0x12)" after nan: the mantissa it asks for, if what is inside is an integer.
static const char *payload_read(const char *text, unsigned __int128 *payload)
{
    const char *place = text + 1;
    while (char_digit(*place) < 36 || *place == '_') {
        ++place;
    }
    if (*text != '(' || *place != ')') {
        return text;
    }
    const char *digits = text + 1;
    unsigned base = 10;
    if (digits[0] == '0' && (digits[1] | 0x20) == 'x') {
        base = 16;
        digits += 2;
    } else if (digits[0] == '0') {
        base = 8;
    }
    uint64_t number = 0;
    while (char_digit(*digits) < base) {
        number = number * base + char_digit(*digits++);
    }
    *payload = digits == place ? number : 0;
    return place + 1;
}

static enum binary_outcome word_read(const char *text, const char **end, bool is_negative,
                                     const struct binary_format *format, void *value)
{
    if (word_follows(text, "inf")) {
        infinity_store(format, is_negative, value);
        *end = text + (word_follows(text, "infinity") ? 8 : 3);
        return BINARY_DONE;
    }
    if (!word_follows(text, "nan")) {
        return BINARY_NO_NUMBER;
    }
    unsigned __int128 payload = 0;
    *end = payload_read(text + 3, &payload);
    unsigned __int128 quiet = (unsigned __int128)1 << (format->bits - 2);
    payload = (payload & (quiet - 1)) | quiet | (format->is_explicit ? quiet << 1 : 0);
    value_store(format, is_negative, format->field_max + 1, payload, value);
    return BINARY_DONE;
}

enum binary_outcome binary_read(const char *text, const char **end,
                                const struct binary_format *format, void *value)
{
    *end = text;
    while (*text == ' ' || (*text >= '\t' && *text <= '\r')) {
        ++text;
    }
    bool is_negative = *text == '-';
    text += *text == '-' || *text == '+';
    if (text[0] == '0' && (text[1] | 0x20) == 'x' &&
        hexadecimal_read(text + 2, end, is_negative, format, value)) {
        return BINARY_DONE;
    }
    if (is_digit(*text) || *text == '.') {
        return decimal_read(text, end, is_negative, format, value);
    }
    return word_read(text, end, is_negative, format, value);
}
