// SPDX-License-Identifier: BSD-3-Clause
// binary.h: numbers as text, as binary floating-point numbers, correctly rounded.
#ifndef CORE_LIBC_BINARY_H
#define CORE_LIBC_BINARY_H

#include <stdbool.h>
#include <stdint.h>

// A type of floating-point number. Its least number is 2^exponent_min.
struct binary_format {
    int bits, exponent_min;
    int field_max;    // the greatest exponent field of a number
    int size;         // bytes
    bool is_explicit; // the highest bit of the mantissa is stored
};

extern const struct binary_format binary_float, binary_double, binary_long_double;

enum binary_outcome {
    BINARY_DONE,
    BINARY_NO_NUMBER,
    BINARY_UNDECIDED, // a decimal number that needs more than 128 bits
};

// Reads text, with white space before it, as strtod does. *end: behind the number. The number goes
// to value; errno is ERANGE where it is too large, or below the normal ones and not exact.
// BINARY_UNDECIDED: only *end was set.
enum binary_outcome binary_read(const char *text, const char **end,
                                const struct binary_format *format, void *value);

#endif
