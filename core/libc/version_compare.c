// SPDX-License-Identifier: BSD-3-Clause
// version_compare.c: strverscmp: texts in which runs of digits count as numbers.
//
// Where two texts differ first, the digits just before the place belong to the runs too. Runs that
// begin with noughts are fractions: more noughts come first.
#include <stdbool.h>
#include <stddef.h>

#include "core/libc/export.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

EXPORT(int, strverscmp, const char *a, const char *b)
{
    size_t place = 0;
    size_t run = 0; // where the digits before place begin
    bool only_noughts = true;
    for (; a[place] == b[place]; ++place) {
        if (a[place] == 0) {
            return 0;
        }
        if (!is_digit(a[place])) {
            run = place + 1;
            only_noughts = true;
        } else {
            only_noughts &= a[place] == '0';
        }
    }
    int difference = (unsigned char)a[place] - (unsigned char)b[place];
    bool has_prefix = run < place;
    char first_a = a[run];
    char first_b = b[run];
    if (is_digit(first_a) && is_digit(first_b) && first_a != '0' && first_b != '0') {
        size_t end = place;
        while (is_digit(a[end]) && is_digit(b[end])) {
            ++end;
        }
        if (is_digit(a[end]) != is_digit(b[end])) {
            return is_digit(a[end]) ? 1 : -1;
        }
        return difference;
    }
    if (has_prefix && only_noughts && is_digit(a[place]) != is_digit(b[place])) {
        return is_digit(a[place]) ? -1 : 1; // one nought more
    }
    return difference;
}
