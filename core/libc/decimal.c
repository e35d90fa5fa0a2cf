// SPDX-License-Identifier: BSD-3-Clause
// decimal.c: exact decimal digits of binary floating-point numbers, two ways.
//
// m * 2^e is m * 2^e for e >= 0 and m * 5^-e * 10^e else: an integer and a place for the point.
// decimal_set computes this integer limb by limb. decimal_quick does the same in 128 bits where the
// number of digits asked for allows it, which is nearly always. Both round the exact number once.
#include "core/libc/decimal.h"

#include <float.h>
#include <string.h>

#include "core/lib/assert.h"

enum { LIMB = 1000000000, POWERS_OF_5 = 28, DIVISOR_DIGITS_MAX = 19, POWER_STEP = 13 };

enum { WIDE_STEP = 27, WIDE_STEPS = 13 };

static const uint32_t limb_powers[DECIMAL_LIMB_DIGITS + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

static const uint64_t powers_of_5[POWERS_OF_5] = {
    1ULL,
    5ULL,
    25ULL,
    125ULL,
    625ULL,
    3125ULL,
    15625ULL,
    78125ULL,
    390625ULL,
    1953125ULL,
    9765625ULL,
    48828125ULL,
    244140625ULL,
    1220703125ULL,
    6103515625ULL,
    30517578125ULL,
    152587890625ULL,
    762939453125ULL,
    3814697265625ULL,
    19073486328125ULL,
    95367431640625ULL,
    476837158203125ULL,
    2384185791015625ULL,
    11920928955078125ULL,
    59604644775390625ULL,
    298023223876953125ULL,
    1490116119384765625ULL,
    7450580596923828125ULL,
};

// 10^(27 i), i from -13: significand * 2^exponent, cut off to 128 bits.
static const struct {
    uint64_t high, low;
    int exponent;
} wide_powers[2 * WIDE_STEPS + 1] = {
    {0x8049a4ac0c5811aeULL, 0x205b896d777d6278ULL, -1293},
    {0xcf42894a5dce35eaULL, 0x52064cac828675b9ULL, -1204},
    {0xa76c582338ed2621ULL, 0xaf2af2b80af6f24eULL, -1114},
    {0x873e4f75e2224e68ULL, 0x5a7744a6e804a291ULL, -1024},
    {0xda7f5bf590966848ULL, 0xaf39a475506a899eULL, -935},
    {0xb080392cc4349decULL, 0xbd8d794d96aacfb3ULL, -845},
    {0x8e938662882af53eULL, 0x547eb47b7282ee9cULL, -755},
    {0xe65829b3046b0afaULL, 0x0cb4a5a3112a5112ULL, -666},
    {0xba121a4650e4ddebULL, 0x92f34d62616ce413ULL, -576},
    {0x964e858c91ba2655ULL, 0x3a6a07f8d510f86fULL, -486},
    {0xf2d56790ab41c2a2ULL, 0xfae27299423fb9c3ULL, -397},
    {0xc428d05aa4751e4cULL, 0xaa97e14c3c26b886ULL, -307},
    {0x9e74d1b791e07e48ULL, 0x775ea264cf55347dULL, -217},
    {0x8000000000000000ULL, 0x0000000000000000ULL, -127},
    {0xcecb8f27f4200f3aULL, 0x0000000000000000ULL, -38},
    {0xa70c3c40a64e6c51ULL, 0x999090b65f67d924ULL, 52},
    {0x86f0ac99b4e8dafdULL, 0x69a028bb3ded71a3ULL, 142},
    {0xda01ee641a708de9ULL, 0xe80e6f4820cc9495ULL, 231},
    {0xb01ae745b101e9e4ULL, 0x5ec05dcff72e7f8fULL, 321},
    {0x8e41ade9fbebc27dULL, 0x14588f13be847307ULL, 411},
    {0xe5d3ef282a242e81ULL, 0x8f1668c8a86da5faULL, 500},
    {0xb9a74a0637ce2ee1ULL, 0x6d953e2bd7173692ULL, 590},
    {0x95f83d0a1fb69cd9ULL, 0x4abdaf101564f98eULL, 680},
    {0xf24a01a73cf2dccfULL, 0xbc633b39673c8cecULL, 769},
    {0xc3b8358109e84f07ULL, 0x0a862f80ec4700c8ULL, 859},
    {0x9e19db92b4e31ba9ULL, 0x6c07a2c26a8346d1ULL, 949},
    {0xff6d0b3492801150ULL, 0x9798278aea58efffULL, 1038},
};

bool decimal_power(int power, unsigned __int128 *significand, int *exponent)
{
    if (power < -WIDE_STEPS * WIDE_STEP || power >= WIDE_STEPS * WIDE_STEP + WIDE_STEP) {
        return false;
    }
    int index = (power + WIDE_STEPS * WIDE_STEP) / WIDE_STEP;
    int rest = power - (index - WIDE_STEPS) * WIDE_STEP;
    uint64_t factor = powers_of_5[rest];
    unsigned __int128 low = (unsigned __int128)wide_powers[index].low * factor;
    unsigned __int128 high = (unsigned __int128)wide_powers[index].high * factor + (low >> 64);
    // 192 bits, of which the highest set one is among the upper 65
    int up = high >> 64 == 0 ? 64 : __builtin_clzll((uint64_t)(high >> 64));
    *significand = high << up | (up == 0 ? 0 : (uint64_t)low >> (64 - up));
    *exponent = wide_powers[index].exponent + rest + 64 - up;
    return true;
}

struct number_parts number_split(double value)
{
    enum { FRACTION = DBL_MANT_DIG - 1, EXPONENT_MASK = 0x7ff, BIAS = 1023 };
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int biased = (int)(bits >> FRACTION & EXPONENT_MASK);
    uint64_t fraction = bits & ((1ULL << FRACTION) - 1);
    struct number_parts parts = {
        .mantissa = biased == 0 ? fraction : fraction | 1ULL << FRACTION,
        .exponent = (biased == 0 ? 1 : biased) - BIAS - FRACTION,
        .fraction_bits = FRACTION,
        .is_negative = bits >> 63 != 0,
    };
    if (biased == EXPONENT_MASK) {
        parts.kind = fraction == 0 ? NUMBER_INFINITE : NUMBER_NAN;
    }
    return parts;
}

// x86: 64 bits with the highest one explicit, then sign and exponent. Else: binary128.
struct number_parts number_split_long(long double value)
{
    enum { EXPONENT_MASK = 0x7fff, BIAS = 16383, IS_EXPLICIT = LDBL_MANT_DIG == 64 };
    unsigned __int128 bits = 0;
    memcpy(&bits, &value, IS_EXPLICIT ? 10 : sizeof bits);
    int fraction_bits = LDBL_MANT_DIG - 1;
    int stored_bits = IS_EXPLICIT ? 64 : fraction_bits;
    int biased = (int)(bits >> stored_bits & EXPONENT_MASK);
    unsigned __int128 one = 1;
    unsigned __int128 mantissa = bits & ((one << stored_bits) - 1);
    unsigned __int128 fraction = bits & ((one << fraction_bits) - 1);
    struct number_parts parts = {
        .mantissa = IS_EXPLICIT || biased == 0 ? mantissa : mantissa | one << fraction_bits,
        .exponent = (biased == 0 ? 1 : biased) - BIAS - fraction_bits,
        .fraction_bits = fraction_bits,
        .is_negative = (bits >> (stored_bits + 15) & 1) != 0,
    };
    if (biased == EXPONENT_MASK) {
        parts.kind = fraction == 0 ? NUMBER_INFINITE : NUMBER_NAN;
    }
    return parts;
}

// The rounding mode is seen in what additions do: there is no other way in C, and nothing here may
// call the program's libm.
bool number_rounds_up(bool is_negative, bool is_odd, int half)
{
    volatile double one = 1;
    volatile double tiny = 0x1p-60;
    bool is_up = one + tiny > 1;
    bool is_down = -one - tiny < -1;
    if (!is_up && !is_down && one - tiny == 1) {
        return half > 0 || (half == 0 && is_odd);
    }
    return is_negative ? is_down : is_up;
}

bool number_rounds_to_nearest(void)
{
    return number_rounds_up(false, false, 1) && !number_rounds_up(false, false, -1) &&
           !number_rounds_up(true, false, -1);
}

static void limbs_multiply(struct decimal *decimal, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < decimal->limb_count; ++i) {
        carry += (uint64_t)decimal->limbs[i] * factor;
        decimal->limbs[i] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
    for (; carry != 0; carry /= LIMB) {
        ASSERT(decimal->limb_count < DECIMAL_LIMBS_MAX);
        decimal->limbs[decimal->limb_count++] = (uint32_t)(carry % LIMB);
    }
}

static void digits_count(struct decimal *decimal)
{
    while (decimal->limb_count > 0 && decimal->limbs[decimal->limb_count - 1] == 0) {
        --decimal->limb_count;
    }
    if (decimal->limb_count == 0) {
        decimal->digit_count = 0;
        return;
    }
    uint32_t top = decimal->limbs[decimal->limb_count - 1];
    int digits = 1;
    while (digits < DECIMAL_LIMB_DIGITS && top >= limb_powers[digits]) {
        ++digits;
    }
    decimal->digit_count = (decimal->limb_count - 1) * DECIMAL_LIMB_DIGITS + digits;
}

// Divides by LIMB, word by word; the rest.
static uint32_t limb_take(unsigned __int128 *mantissa)
{
    unsigned __int128 quotient = 0;
    uint64_t rest = 0;
    for (int shift = 96; shift >= 0; shift -= 32) {
        rest = rest << 32 | (uint32_t)(*mantissa >> shift);
        quotient |= (unsigned __int128)(rest / LIMB) << shift;
        rest %= LIMB;
    }
    *mantissa = quotient;
    return (uint32_t)rest;
}

void decimal_set(struct decimal *decimal, const struct number_parts *parts)
{
    decimal->limb_count = 0;
    decimal->places = 0;
    unsigned __int128 mantissa = parts->mantissa;
    int exponent = parts->exponent;
    while (exponent < 0 && mantissa != 0 && (mantissa & 1) == 0) {
        mantissa >>= 1;
        ++exponent;
    }
    while (mantissa != 0) {
        decimal->limbs[decimal->limb_count++] = limb_take(&mantissa);
    }
    if (decimal->limb_count != 0 && exponent < 0) {
        decimal->places = -exponent;
    }
    for (int left = exponent; left > 0; left -= 31) {
        limbs_multiply(decimal, left < 31 ? 1u << left : 1u << 31);
    }
    for (int left = decimal->places; left > 0; left -= POWER_STEP) {
        limbs_multiply(decimal, (uint32_t)powers_of_5[left < POWER_STEP ? left : POWER_STEP]);
    }
    digits_count(decimal);
}

// -1, 0, 1: the digits below limb `index` and the lowest `digits` of it are less than half a unit
// of the digit above them, half, more. *is_exact: they are nothing.
static int half_compare(const struct decimal *decimal, int index, int digits, bool *is_exact)
{
    bool rest = false;
    for (int i = 0; i < index && i < decimal->limb_count && !rest; ++i) {
        rest = decimal->limbs[i] != 0;
    }
    uint32_t limb = index < decimal->limb_count ? decimal->limbs[index] : 0;
    uint32_t part = limb % limb_powers[digits];
    uint32_t half = limb_powers[digits] / 2;
    *is_exact = !rest && part == 0;
    if (part != half) {
        return part < half ? -1 : 1;
    }
    return rest ? 1 : 0;
}

// Divides by 10^(9 * index + digits), towards nought.
static void limbs_cut(struct decimal *decimal, int index, int digits)
{
    int count = decimal->limb_count - index;
    if (count <= 0) {
        decimal->limb_count = 0;
        return;
    }
    uint32_t low = limb_powers[digits];
    uint32_t high = limb_powers[DECIMAL_LIMB_DIGITS - digits];
    for (int i = 0; i < count; ++i) {
        uint32_t above = i + 1 < count ? decimal->limbs[index + i + 1] % low : 0;
        decimal->limbs[i] = decimal->limbs[index + i] / low + above * high;
    }
    decimal->limb_count = count;
}

void decimal_round(struct decimal *decimal, int count, bool is_negative)
{
    if (count <= 0) {
        return;
    }
    // The last digit that goes decides with those below it: it stays in its limb for the
    // comparison.
    int index = (count - 1) / DECIMAL_LIMB_DIGITS;
    int digits = (count - 1) % DECIMAL_LIMB_DIGITS + 1;
    bool is_exact;
    int half = half_compare(decimal, index, digits, &is_exact);
    limbs_cut(decimal, index, digits);
    decimal->places -= count;
    digits_count(decimal);
    bool is_odd = decimal->limb_count != 0 && (decimal->limbs[0] & 1) != 0;
    if (is_exact || !number_rounds_up(is_negative, is_odd, half)) {
        return;
    }
    int i = 0;
    while (i < decimal->limb_count && decimal->limbs[i] == LIMB - 1) {
        decimal->limbs[i++] = 0;
    }
    if (i == decimal->limb_count) {
        decimal->limbs[decimal->limb_count++] = 0;
    }
    ++decimal->limbs[i];
    digits_count(decimal);
}

void decimal_text(const struct decimal *decimal, int first, int count, char *text)
{
    ASSERT(first >= 0 && first + count <= decimal->digit_count);
    for (int i = 0; i < count; ++i) {
        int place = decimal->digit_count - 1 - first - i;
        uint32_t limb = decimal->limbs[place / DECIMAL_LIMB_DIGITS];
        text[i] = (char)('0' + limb / limb_powers[place % DECIMAL_LIMB_DIGITS] % 10);
    }
}

static bool quotient_round(uint64_t quotient, int half, bool is_exact, bool is_negative,
                           uint64_t *result)
{
    bool up = !is_exact && number_rounds_up(is_negative, (quotient & 1) != 0, half);
    *result = quotient + up;
    return *result != 0 || !up; // not where it wrapped
}

// mantissa * 5^places * 2^(exponent + places)
static bool quick_multiply(const struct number_parts *parts, int places, uint64_t *result)
{
    unsigned __int128 product = (unsigned __int128)(uint64_t)parts->mantissa * powers_of_5[places];
    int shift = parts->exponent + places;
    if (shift >= 0) {
        *result = (uint64_t)product << (shift & 63);
        return shift < 64 && product >> 64 == 0 && *result >> shift == (uint64_t)product;
    }
    int down = -shift;
    if (down >= 128) {
        return quotient_round(0, -1, product == 0, parts->is_negative, result);
    }
    unsigned __int128 quotient = product >> down;
    unsigned __int128 rest = product - (quotient << down);
    unsigned __int128 middle = (unsigned __int128)1 << (down - 1);
    if (quotient >> 64 != 0) {
        return false;
    }
    int half = rest < middle ? -1 : rest > middle;
    return quotient_round((uint64_t)quotient, half, rest == 0, parts->is_negative, result);
}

// mantissa * 2^exponent / 10^digits
static bool quick_divide(const struct number_parts *parts, int digits, uint64_t *result)
{
    uint64_t numerator = (uint64_t)parts->mantissa;
    unsigned __int128 divisor = powers_of_5[digits];
    int up = digits - parts->exponent; // of two, in the divisor
    if (up < 0) {
        if (-up >= 64 || numerator << -up >> -up != numerator) {
            return false;
        }
        numerator <<= -up;
    } else if (up > 63) {
        return false;
    } else {
        divisor <<= up;
    }
    uint64_t quotient = 0;
    if (divisor >> 64 == 0) {
        quotient = numerator / (uint64_t)divisor;
    }
    unsigned __int128 rest = numerator - (unsigned __int128)quotient * (uint64_t)divisor;
    if (divisor >> 64 != 0) {
        rest = numerator;
        if (rest >= divisor) {
            return false;
        }
    }
    int half = rest < divisor - rest ? -1 : rest > divisor - rest;
    return quotient_round(quotient, half, rest == 0, parts->is_negative, result);
}

// mantissa * 2^exponent * 10^places by a power that is a little too small: the product is certain
// but for its last 66 bits of 192. False: these decide.
static bool quick_approximate(const struct number_parts *parts, int places, uint64_t *result)
{
    unsigned __int128 significand;
    int exponent;
    if (!number_rounds_to_nearest() || !decimal_power(places, &significand, &exponent)) {
        return false;
    }
    uint64_t mantissa = (uint64_t)parts->mantissa;
    unsigned __int128 low = (unsigned __int128)mantissa * (uint64_t)significand;
    unsigned __int128 high =
        (unsigned __int128)mantissa * (uint64_t)(significand >> 64) + (low >> 64);
    int down = -(parts->exponent + exponent + 64);
    if (down <= 64 || down >= 128 || high >> down >> 63 >> 1 != 0) {
        return false;
    }
    enum { DOUBT = 8 };
    unsigned __int128 quotient = high >> down;
    unsigned __int128 rest = high - (quotient << down);
    unsigned __int128 middle = (unsigned __int128)1 << (down - 1);
    *result = (uint64_t)quotient + (rest > middle);
    return (rest > middle || rest + DOUBT < middle) && *result != 0;
}

bool decimal_quick(const struct number_parts *parts, int places, uint64_t *result)
{
    if (parts->mantissa >> 64 != 0) {
        return false;
    }
    if (places >= 0 && places < POWERS_OF_5) {
        return quick_multiply(parts, places, result);
    }
    if (places < 0 && places >= -DIVISOR_DIGITS_MAX && quick_divide(parts, -places, result)) {
        return true;
    }
    return quick_approximate(parts, places, result);
}
