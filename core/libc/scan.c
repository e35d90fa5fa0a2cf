// SPDX-License-Identifier: BSD-3-Clause
// scan.c: scanf as glibc does it.
//
// A number is what looks like the beginning of one: its characters are collected as long as another
// could follow, with one character read ahead, and then given to strtol or strtod. So "1e" and "0x"
// are read as 1 and 0.
#include "core/libc/scan.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "core/libc/memory.h"
#include "core/libc/number.h"

enum { BUFFER_FIRST = 128, TEXT_FIRST = 32, SET_SIZE = 256 };

enum outcome { MATCHED, MISMATCH, INPUT_ENDED, NO_MEMORY };

enum scan_length { SIZE_INT, SIZE_CHAR, SIZE_SHORT, SIZE_LONG, SIZE_LONG_LONG };

struct scan_spec {
    bool is_suppressed, allocates;
    int width; // -1: as much as there is
    int index; // of the argument, from 1; 0: the next
    enum scan_length length;
    wchar_t letter;
    size_t set_start, set_end; // of %[: places in the pattern
    bool set_is_inverted;
};

// The characters of a number.
struct number_text {
    char *text;
    size_t size, room;
    char first[BUFFER_FIRST];
};

struct scanner {
    struct scan_source *source;
    const void *pattern;
    size_t at; // in pattern
    va_list arguments, all_arguments;
    int options;
    int width; // what is left of the conversion's; -1: no limit
    wint_t c;  // the character in hand
    int stored_count;
};

static wint_t next(struct scanner *self)
{
    self->c = self->source->get(self->source);
    self->source->count += self->c != WEOF;
    return self->c;
}

static void give_back(struct scanner *self)
{
    if (self->c != WEOF) {
        self->source->unget(self->source, self->c);
        --self->source->count;
    }
}

// The next character of a conversion, if its width allows; else WEOF, with nothing taken.
static wint_t next_within(struct scanner *self)
{
    if (self->width == 0) {
        return self->c = WEOF;
    }
    self->width -= self->width > 0;
    return next(self);
}

static bool is_space(const struct scanner *self, wint_t c)
{
    return self->source->is_wide ? iswspace(c) != 0 : c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned look(const struct scanner *self)
{
    return self->source->is_wide ? (unsigned)((const wchar_t *)self->pattern)[self->at]
                                 : ((const unsigned char *)self->pattern)[self->at];
}

static bool is_digit(wint_t c)
{
    return c - '0' < 10;
}

static bool is_hexadecimal(wint_t c)
{
    return is_digit(c) || (c | 0x20) - 'a' < 6;
}

static wint_t lower(wint_t c)
{
    return c - 'A' < 26 ? c | 0x20 : c;
}

static bool number_add(struct number_text *number, wint_t c)
{
    if (number->size + 1 == number->room) {
        char *old = number->text == number->first ? NULL : number->text;
        char *larger = libc_realloc(old, 2 * number->room);
        if (larger == NULL) {
            return false;
        }
        if (old == NULL) {
            memcpy(larger, number->first, number->size);
        }
        number->text = larger;
        number->room *= 2;
    }
    number->text[number->size++] = (char)c;
    number->text[number->size] = 0;
    return true;
}

// --- integers
// -------------------------------------------------------------------------------------

// "(nil)", of which the '(' is in hand.
static bool nil_read(struct scanner *self)
{
    for (const char *rest = "nil)"; *rest != 0; ++rest) {
        if (lower(next(self)) != (wint_t)*rest) {
            return false;
        }
    }
    return true;
}

static enum outcome integer_collect(struct scanner *self, struct number_text *number, int *base,
                                    bool is_pointer)
{
    bool has_sign = self->c == '-' || self->c == '+';
    if (has_sign) {
        if (!number_add(number, self->c)) {
            return NO_MEMORY;
        }
        next_within(self);
    }
    if ((*base == 0 || *base == 16) && self->c == '0') {
        number_add(number, '0');
        next_within(self);
        if (lower(self->c) == 'x') {
            *base = 16;
            next_within(self);
        } else if (*base == 0) {
            *base = 8;
        }
    }
    *base = *base == 0 ? 10 : *base;
    while (*base == 16 ? is_hexadecimal(self->c) : self->c - '0' < (wint_t)*base) {
        if (!number_add(number, self->c)) {
            return NO_MEMORY;
        }
        next_within(self);
    }
    if (number->size == has_sign) {
        bool may_be_nil = is_pointer && !has_sign && (self->width < 0 || self->width >= 4);
        if (may_be_nil && self->c == '(' && nil_read(self)) {
            number_add(number, '0');
            return MATCHED;
        }
        give_back(self);
        return MISMATCH;
    }
    give_back(self);
    return MATCHED;
}

static void integer_store(enum scan_length length, void *target, int64_t value)
{
    switch (length) {
    case SIZE_CHAR:
        *(char *)target = (char)value;
        break;
    case SIZE_SHORT:
        *(short *)target = (short)value;
        break;
    case SIZE_INT:
        *(int *)target = (int)value;
        break;
    default:
        *(int64_t *)target = value;
        break;
    }
}

static enum outcome integer_read(struct scanner *self, const struct scan_spec *spec, void *target)
{
    static const struct {
        char letter, base;
        bool is_signed;
    } kinds[] = {{'d', 10, true},  {'i', 0, true},   {'u', 10, false},
                 {'x', 16, false}, {'X', 16, false}, {'o', 8, false}};
    int base = 16;
    bool is_signed = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        if (spec->letter == kinds[i].letter) {
            base = kinds[i].base;
            is_signed = kinds[i].is_signed;
        }
    }
    struct number_text number = {.room = BUFFER_FIRST};
    number.text = number.first;
    enum outcome outcome = integer_collect(self, &number, &base, spec->letter == 'p');
    if (outcome == MATCHED && target != NULL) {
        int64_t value = is_signed ? glibc_strtol(number.text, NULL, base)
                                  : (int64_t)glibc_strtoul(number.text, NULL, base);
        integer_store(spec->letter == 'p' ? SIZE_LONG : spec->length, target, value);
    }
    if (number.text != number.first) {
        libc_free(number.text);
    }
    return outcome;
}

// --- floating point
// --------------------------------------------------------------------------------

// The rest of "nan", "inf" or "infinity", of which the first letter is in hand.
static enum outcome word_collect(struct scanner *self, struct number_text *number)
{
    bool is_nan = lower(self->c) == 'n';
    number_add(number, self->c);
    for (const char *rest = is_nan ? "an" : "nf"; *rest != 0; ++rest) {
        if (lower(next_within(self)) != (wint_t)*rest) {
            give_back(self);
            return MISMATCH;
        }
        number_add(number, self->c);
    }
    if (is_nan || next_within(self) == WEOF) {
        return MATCHED;
    }
    if (lower(self->c) != 'i') {
        give_back(self);
        return MATCHED;
    }
    number_add(number, self->c);
    for (const char *rest = "nity"; *rest != 0; ++rest) {
        if (lower(next_within(self)) != (wint_t)*rest) {
            give_back(self);
            return MISMATCH;
        }
        number_add(number, self->c);
    }
    return MATCHED;
}

// Digits, point and exponent, of which the first character is in hand.
static enum outcome digits_collect(struct scanner *self, struct number_text *number, size_t prefix)
{
    wint_t exponent_letter = 'e';
    bool has_digit = false;
    bool has_point = false;
    bool has_exponent = false;
    bool is_hexadecimal_number = false;
    if (self->c == '0') {
        number_add(number, '0');
        has_digit = true;
        if (lower(next_within(self)) == 'x' && self->width != 0) {
            number_add(number, self->c);
            next_within(self);
            exponent_letter = 'p';
            prefix += 2;
            has_digit = false;
            is_hexadecimal_number = true;
        }
    }
    for (; self->c != WEOF; next_within(self)) {
        wint_t last = number->size == 0 ? 0 : lower((unsigned char)number->text[number->size - 1]);
        if (is_digit(self->c) ||
            (is_hexadecimal_number && !has_exponent && is_hexadecimal(self->c))) {
            has_digit = true;
        } else if (has_exponent && last == exponent_letter && (self->c == '-' || self->c == '+')) {
            // a sign of the exponent
        } else if (has_digit && !has_exponent && lower(self->c) == exponent_letter) {
            has_exponent = has_point = true;
        } else if (!has_point && self->c == '.') {
            has_point = true;
        } else {
            break;
        }
        if (!number_add(number, self->c)) {
            return NO_MEMORY;
        }
    }
    give_back(self);
    return number->size == prefix ? MISMATCH : MATCHED;
}

static enum outcome float_collect(struct scanner *self, struct number_text *number)
{
    if (self->c == '-' || self->c == '+') {
        number_add(number, self->c);
        if (next_within(self) == WEOF) {
            return MISMATCH;
        }
    }
    if (lower(self->c) == 'n' || lower(self->c) == 'i') {
        return word_collect(self, number);
    }
    return digits_collect(self, number, number->size);
}

static enum outcome float_store(enum scan_length length, const char *text, void *target)
{
    char *end;
    long double wide = 0;
    double value = 0;
    float narrow = 0;
    const void *result = &narrow;
    size_t size = sizeof narrow;
    if (length == SIZE_LONG_LONG) {
        wide = glibc_strtold(text, &end);
        result = &wide;
        size = sizeof wide;
    } else if (length == SIZE_LONG) {
        value = glibc_strtod(text, &end);
        result = &value;
        size = sizeof value;
    } else {
        narrow = glibc_strtof(text, &end);
    }
    if (end == text) {
        return MISMATCH;
    }
    if (target != NULL) {
        memcpy(target, result, size);
    }
    return MATCHED;
}

static enum outcome float_read(struct scanner *self, const struct scan_spec *spec, void *target)
{
    struct number_text number = {.room = BUFFER_FIRST};
    number.text = number.first;
    enum outcome outcome = float_collect(self, &number);
    if (outcome == MATCHED) {
        outcome = float_store(spec->length, number.text, target);
    }
    if (number.text != number.first) {
        libc_free(number.text);
    }
    return outcome;
}

// --- text
// -----------------------------------------------------------------------------------------

// Where characters of text go: the program's array, memory that grows, or nowhere.
struct text_target {
    char *text;
    size_t size, room; // bytes; room SIZE_MAX: the program's array
    bool is_wide;
    mbstate_t state;
};

static bool target_reserve(struct text_target *target, size_t size)
{
    if (target->text == NULL || target->size + size <= target->room) {
        return true;
    }
    char *larger = libc_realloc(target->text, 2 * target->room);
    if (larger == NULL) {
        return false;
    }
    target->text = larger;
    target->room *= 2;
    return true;
}

// One character, of the source's kind, in the target's kind. A wide target collects the bytes of a
// character first.
static enum outcome target_add(struct text_target *target, wint_t c, bool from_wide)
{
    if (!target_reserve(target, MB_LEN_MAX)) {
        return NO_MEMORY;
    }
    char *place = target->text == NULL ? NULL : target->text + target->size;
    if (target->is_wide == from_wide) {
        if (place != NULL && target->is_wide) {
            *(wchar_t *)(void *)place = (wchar_t)c;
        } else if (place != NULL) {
            *place = (char)c;
        }
        target->size += target->is_wide ? sizeof(wchar_t) : 1;
    } else if (target->is_wide) {
        wchar_t wide;
        size_t used = mbrtowc(&wide, &(char){(char)c}, 1, &target->state);
        if (used == (size_t)-1) {
            return MISMATCH;
        }
        if (used != (size_t)-2) {
            if (place != NULL) {
                *(wchar_t *)(void *)place = wide;
            }
            target->size += sizeof wide;
        }
    } else {
        char bytes[MB_LEN_MAX];
        size_t length = wcrtomb(bytes, (wchar_t)c, &target->state);
        if (length == (size_t)-1) {
            return MISMATCH;
        }
        if (place != NULL) {
            memcpy(place, bytes, length);
        }
        target->size += length;
    }
    return MATCHED;
}

static bool set_has_pattern_char(const struct scanner *self, const struct scan_spec *spec, wint_t c)
{
    struct scanner reader = {.source = self->source, .pattern = self->pattern};
    for (size_t at = spec->set_start; at < spec->set_end; ++at) {
        reader.at = at;
        unsigned from = look(&reader);
        reader.at = at + 1;
        if (at + 2 < spec->set_end && look(&reader) == '-') {
            reader.at = at + 2;
            unsigned to = look(&reader);
            if (from <= to) {
                if (c >= from && c <= to) {
                    return true;
                }
                at += 2;
                continue;
            }
        }
        if (c == from) {
            return true;
        }
    }
    return false;
}

static bool belongs(const struct scanner *self, const struct scan_spec *spec, wint_t c)
{
    switch (spec->letter) {
    case 's':
    case 'S':
        return !is_space(self, c);
    case '[':
        return set_has_pattern_char(self, spec, c) != spec->set_is_inverted;
    default:
        return true;
    }
}

// The first character is in hand and belongs to the conversion.
static enum outcome text_collect(struct scanner *self, const struct scan_spec *spec,
                                 struct text_target *target)
{
    enum outcome outcome = MATCHED;
    for (;;) {
        outcome = target_add(target, self->c, self->source->is_wide);
        if (outcome != MATCHED) {
            errno = outcome == MISMATCH ? EILSEQ : ENOMEM;
            return outcome;
        }
        // the width counts characters
        bool is_inside = target->is_wide && !mbsinit(&target->state);
        if ((is_inside ? next(self) : next_within(self)) == WEOF) {
            break;
        }
        if (is_inside) {
            continue;
        }
        if (!belongs(self, spec, self->c)) {
            give_back(self);
            break;
        }
    }
    if (target->is_wide && !self->source->is_wide && mbsinit(&target->state) == 0) {
        errno = EILSEQ;
        return MISMATCH;
    }
    bool is_ended = spec->letter != 'c' && spec->letter != 'C';
    if (is_ended && target->text != NULL) {
        size_t unit = target->is_wide ? sizeof(wchar_t) : 1;
        if (!target_reserve(target, unit)) {
            return NO_MEMORY;
        }
        memset(target->text + target->size, 0, unit);
        target->size += unit;
    }
    return MATCHED;
}

static enum outcome text_read(struct scanner *self, const struct scan_spec *spec, void *argument)
{
    bool is_capital = spec->letter == 'S' || spec->letter == 'C';
    struct text_target target = {
        .text = argument,
        .room = SIZE_MAX,
        .is_wide = is_capital || spec->length >= SIZE_LONG,
    };
    if (!belongs(self, spec, self->c)) {
        give_back(self);
        return MISMATCH;
    }
    bool allocates = spec->allocates && argument != NULL;
    if (allocates) {
        target.room = TEXT_FIRST * sizeof(wchar_t);
        target.text = libc_malloc(target.room);
        if (target.text == NULL) {
            return NO_MEMORY;
        }
    }
    enum outcome outcome = text_collect(self, spec, &target);
    if (allocates && outcome == MATCHED) {
        char *fitting = libc_realloc(target.text, target.size);
        *(char **)argument = fitting == NULL ? target.text : fitting;
    } else if (allocates) {
        libc_free(target.text);
        *(char **)argument = NULL;
    }
    return outcome;
}

// --- patterns
// -------------------------------------------------------------------------------------

static int count_parse(struct scanner *self)
{
    int64_t value = 0;
    for (; is_digit(look(self)); ++self->at) {
        value = value > INT_MAX ? value : value * 10 + (look(self) - '0');
    }
    return value > INT_MAX ? INT_MAX : (int)value;
}

static void length_parse(struct scanner *self, struct scan_spec *spec)
{
    switch (look(self)) {
    case 'h':
        ++self->at;
        spec->length = look(self) == 'h' ? SIZE_CHAR : SIZE_SHORT;
        self->at += spec->length == SIZE_CHAR;
        break;
    case 'l':
        ++self->at;
        spec->length = look(self) == 'l' ? SIZE_LONG_LONG : SIZE_LONG;
        self->at += spec->length == SIZE_LONG_LONG;
        break;
    case 'L':
    case 'q':
        ++self->at;
        spec->length = SIZE_LONG_LONG;
        break;
    case 'j':
    case 'z':
    case 'Z':
    case 't':
        ++self->at;
        spec->length = SIZE_LONG;
        break;
    default:
        break;
    }
}

static void set_parse(struct scanner *self, struct scan_spec *spec)
{
    spec->set_is_inverted = look(self) == '^';
    self->at += spec->set_is_inverted;
    spec->set_start = self->at;
    self->at += look(self) == ']';
    while (look(self) != 0 && look(self) != ']') {
        ++self->at;
    }
    spec->set_end = self->at;
    self->at += look(self) != 0;
}

static void allocation_parse(struct scanner *self, struct scan_spec *spec)
{
    bool is_old = (self->options & SCAN_OLD) != 0 && look(self) == 'a';
    if (look(self) != 'm' && !is_old) {
        return;
    }
    ++self->at;
    unsigned c = look(self);
    if (is_old && c != 's' && c != 'S' && c != '[') {
        --self->at;
        return;
    }
    spec->allocates = true;
}

// From behind the '%' to behind the conversion.
static void spec_parse(struct scanner *self, struct scan_spec *spec)
{
    *spec = (struct scan_spec){.width = -1};
    size_t start = self->at;
    int number = count_parse(self);
    if (self->at != start && look(self) == '$') {
        ++self->at;
        spec->index = number;
        start = self->at;
        number = -1;
    } else if (self->at == start) {
        number = -1;
    }
    for (; look(self) == '*' || look(self) == '\'' || look(self) == 'I'; ++self->at) {
        spec->is_suppressed |= look(self) == '*';
    }
    if (is_digit(look(self))) {
        number = count_parse(self);
    }
    spec->width = number > 0 ? number : -1;
    allocation_parse(self, spec);
    length_parse(self, spec);
    spec->letter = (wchar_t)look(self);
    self->at += spec->letter != 0;
    if (spec->letter == '[') {
        set_parse(self, spec);
    }
}

static void *target_get(struct scanner *self, const struct scan_spec *spec)
{
    if (spec->is_suppressed || spec->letter == '%') {
        return NULL;
    }
    if (spec->index == 0) {
        return va_arg(self->arguments, void *);
    }
    va_list arguments;
    va_copy(arguments, self->all_arguments);
    void *target = NULL;
    for (int i = 0; i < spec->index; ++i) {
        target = va_arg(arguments, void *);
    }
    va_end(arguments);
    return target;
}

static wint_t spaces_skip(struct scanner *self)
{
    while (is_space(self, next(self))) {
    }
    return self->c;
}

static enum outcome conversion_read(struct scanner *self, const struct scan_spec *spec,
                                    void *target)
{
    switch (spec->letter) {
    case '%':
        if (self->c != '%') {
            give_back(self);
            return MISMATCH;
        }
        return MATCHED;
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'p':
        return integer_read(self, spec, target);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return float_read(self, spec, target);
    case 's':
    case 'S':
    case 'c':
    case 'C':
    case '[':
        return text_read(self, spec, target);
    default:
        give_back(self);
        return MISMATCH;
    }
}

// One conversion; at is behind its '%'.
static enum outcome spec_step(struct scanner *self)
{
    struct scan_spec spec;
    spec_parse(self, &spec);
    if (spec.letter == 0 || (spec.letter == '[' && spec.set_end + 1 != self->at)) {
        return MISMATCH;
    }
    void *target = target_get(self, &spec);
    if (spec.letter == 'n') {
        if (target != NULL) {
            integer_store(spec.length, target, self->source->count);
        }
        return MATCHED;
    }
    bool is_exact = spec.letter == '[' || spec.letter == 'c' || spec.letter == 'C';
    self->width = spec.width;
    if (self->width < 0 && (spec.letter == 'c' || spec.letter == 'C')) {
        self->width = 1;
    }
    if ((is_exact ? next(self) : spaces_skip(self)) == WEOF) {
        return INPUT_ENDED;
    }
    self->width -= self->width > 0;
    enum outcome outcome = conversion_read(self, &spec, target);
    self->stored_count += outcome == MATCHED && target != NULL;
    return outcome;
}

// A character of the pattern that is no conversion.
static enum outcome literal_step(struct scanner *self, bool is_after_space)
{
    wint_t wanted = look(self);
    ++self->at;
    if ((is_after_space ? spaces_skip(self) : next(self)) == WEOF) {
        return INPUT_ENDED;
    }
    if (self->c != wanted) {
        give_back(self);
        return MISMATCH;
    }
    return MATCHED;
}

int scan_read(struct scan_source *source, const void *pattern, va_list arguments, int options)
{
    struct scanner self = {.source = source, .pattern = pattern, .options = options};
    va_copy(self.arguments, arguments);
    va_copy(self.all_arguments, arguments);
    enum outcome outcome = MATCHED;
    bool is_after_space = false;
    while (outcome == MATCHED && look(&self) != 0) {
        if (is_space(&self, look(&self))) {
            is_after_space = true;
            ++self.at;
        } else if (look(&self) == '%') {
            if (is_after_space) {
                spaces_skip(&self);
                give_back(&self);
            }
            is_after_space = false;
            ++self.at;
            outcome = spec_step(&self);
        } else {
            outcome = literal_step(&self, is_after_space);
            is_after_space = false;
        }
    }
    if (outcome == MATCHED && is_after_space) {
        spaces_skip(&self);
        give_back(&self);
    }
    va_end(self.arguments);
    va_end(self.all_arguments);
    bool is_end = outcome == INPUT_ENDED || outcome == NO_MEMORY;
    return is_end && self.stored_count == 0 ? EOF : self.stored_count;
}
