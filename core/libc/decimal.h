// SPDX-License-Identifier: BSD-3-Clause
// decimal.h: binary floating-point numbers as exact decimal ones.
#ifndef CORE_LIBC_DECIMAL_H
#define CORE_LIBC_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

enum number_kind { NUMBER_FINITE, NUMBER_INFINITE, NUMBER_NAN };

// mantissa * 2^exponent. The mantissa of a normal number has its highest bit at fraction_bits.
struct number_parts {
    unsigned __int128 mantissa;
    int exponent, fraction_bits;
    bool is_negative;
    enum number_kind kind;
};

struct number_parts number_split(double value);
struct number_parts number_split_long(long double value);

// Whether a number whose lower part is cut off goes up by one unit in the last place that is left:
// half says whether that part is below (-1), exactly (0) or above (1) half a unit, and it is not
// nothing. By the rounding mode of the calling thread.
bool number_rounds_up(bool is_negative, bool is_odd, int half);

bool number_rounds_to_nearest(void);

// 10^power is at least significand * 2^exponent, and less than (significand + 2) * 2^exponent; the
// highest bit of significand is set. False: the power is beyond those of double.
bool decimal_power(int power, unsigned __int128 *significand, int *exponent);

enum {
    DECIMAL_LIMB_DIGITS = 9,
    // 5^16494 * 2^113, the longest: a binary128 number below the normal ones
    DECIMAL_LIMBS_MAX = 1300,
};

// An integer times 10^-places, in limbs of nine digits, the least significant first.
struct decimal {
    int limb_count; // the last limb is not 0; 0: the number is 0
    int digit_count;
    int places;
    uint32_t limbs[DECIMAL_LIMBS_MAX];
};

// Exactly.
void decimal_set(struct decimal *decimal, const struct number_parts *parts);

// Drops the last `count` digits, rounded; places becomes less by count.
void decimal_round(struct decimal *decimal, int count, bool is_negative);

// Digits first .. first + count - 1, counted from the most significant, as text. They exist.
void decimal_text(const struct decimal *decimal, int first, int count, char *text);

// parts * 10^places, rounded to an integer, if that can be computed quickly and is below 2^64.
// What it gives is right.
bool decimal_quick(const struct number_parts *parts, int places, uint64_t *result);

#endif
