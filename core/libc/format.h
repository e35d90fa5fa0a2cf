// SPDX-License-Identifier: BSD-3-Clause
// format.h: what printf does, apart from where the text goes.
#ifndef CORE_LIBC_FORMAT_H
#define CORE_LIBC_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

// Where text goes: into the room from place to end, in bytes, or in wchar_t where is_wide. When it
// is full, drain() makes new room. Once failed, nothing more is written.
struct format_sink {
    char *start, *place, *end; // the room; what is between start and place has not been drained
    int64_t drained;           // bytes that left the room
    bool is_wide, failed;
    // Moves [start, place) away and sets start, place and end anew, with room for a character at
    // least; false: failed, errno says why.
    bool (*drain)(struct format_sink *sink);
    void *target; // of drain
};

// %n is refused where the pattern can be written: what -D_FORTIFY_SOURCE=2 asks for.
enum { FORMAT_FORTIFIED = 1 };

// Writes what pattern, of char or of wchar_t as the sink, makes of arguments. The number of
// characters written; -1: errno says why, and the sink has what came before the error.
int format_print(struct format_sink *sink, const void *pattern, va_list arguments, int options);

// The rest is for the files of the formatter.

enum {
    FORMAT_ALTERNATE = 1,
    FORMAT_ZERO = 2,
    FORMAT_LEFT = 4,
    FORMAT_SPACE = 8,
    FORMAT_PLUS = 16,
    FORMAT_GROUP = 32,
    FORMAT_LOCAL = 64,
};

enum format_length {
    LENGTH_NONE,
    LENGTH_CHAR,
    LENGTH_SHORT,
    LENGTH_LONG, // and everything else that has 64 bits
    LENGTH_LONG_LONG,
};

// One conversion. width and precision: -1 is none. Indices: of the argument, from 1; 0: the next.
struct format_spec {
    unsigned flags;
    int width, precision;
    int width_index, precision_index, argument_index;
    bool is_positional, takes_width, takes_precision;
    enum format_length length;
    wchar_t letter;
};

// How many arguments the pattern has, and the first of their types, in glibc's codes of <printf.h>.
size_t format_types(const char *pattern, size_t room, int *codes);

void format_bytes(struct format_sink *sink, const char *bytes, size_t count);
void format_wides(struct format_sink *sink, const wchar_t *text, size_t count);
void format_fill(struct format_sink *sink, char c, int64_t count);

void format_fail(struct format_sink *sink, int error); // nothing more is written

// prefix, then `zeros` noughts, then text, padded as spec says; flags of spec: ZERO pads between
// prefix and digits.
void format_number(struct format_sink *sink, const struct format_spec *spec, const char *prefix,
                   int64_t zeros, const char *text, size_t length);

int64_t format_count(const struct format_sink *sink); // characters so far

// Conversions d and u x X o b B; sign: of a pointer, else "".
void format_signed(struct format_sink *sink, struct format_spec *spec, int64_t value);
void format_unsigned(struct format_sink *sink, struct format_spec *spec, uint64_t value,
                     const char *sign);

// Conversions s and c, and their wide forms.
void format_text(struct format_sink *sink, const struct format_spec *spec, const void *text);
void format_character(struct format_sink *sink, const struct format_spec *spec, int c);

// The decimal digits of value, the last one before end. The first one's place.
char *format_digits(uint64_t value, char *end);

// Conversions e f g a and their capitals.
void format_double(struct format_sink *sink, const struct format_spec *spec, double value);
void format_long_double(struct format_sink *sink, const struct format_spec *spec,
                        long double value);

#endif
