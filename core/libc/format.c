// SPDX-License-Identifier: BSD-3-Clause
// format.c: printf as glibc does it: patterns, arguments in order or by position, integers and
// texts.
//
// A pattern is read as it is needed, until a conversion names its argument by position. From there
// on the rest is read twice: first for the types of all arguments, then to print.
#include "core/libc/format.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/libc/errors.h"
#include "core/libc/memory.h"
#include "core/libc/message.h"
#include "core/vm/vm.h"

enum {
    NUMBER_SIZE = 72, // 64 binary digits and some
    TABLE_SIZE = 16,  // arguments by position that need no memory
    ARGUMENT_MAX = 4096,
};

enum argument_type {
    TYPE_NONE,
    TYPE_INT,
    TYPE_LONG,
    TYPE_POINTER,
    TYPE_DOUBLE,
    TYPE_LONG_DOUBLE,
};

union argument {
    int64_t integer;
    double floating;
    long double floating_long;
    void *pointer;
};

struct formatter {
    struct format_sink *sink;
    const void *pattern;
    size_t at; // in pattern
    va_list arguments;
    const union argument *table; // the arguments by position; NULL: they come from arguments
    int next_index;              // of a conversion without position among those with one
    int options;
    int error_number; // errno at the call: for %m
    bool
        is_lenient; // a lone '%' at the end is printed: glibc's after positions and unknown letters
};

// --- patterns
// -------------------------------------------------------------------------------------

static unsigned look(const struct formatter *self)
{
    if (self->sink->is_wide) {
        return (unsigned)((const wchar_t *)self->pattern)[self->at];
    }
    return ((const unsigned char *)self->pattern)[self->at];
}

static bool is_digit(unsigned c)
{
    return c - '0' < 10;
}

// A decimal number; -1: larger than an int.
static int number_parse(struct formatter *self)
{
    int64_t value = 0;
    for (; is_digit(look(self)); ++self->at) {
        if (value <= INT_MAX) {
            value = value * 10 + (look(self) - '0');
        }
    }
    return value > INT_MAX ? -1 : (int)value;
}

// "12$": 12, and the place after it; 0 and the place unchanged when there is none.
static int position_parse(struct formatter *self)
{
    size_t start = self->at;
    int index = number_parse(self);
    if (self->at != start && index > 0 && look(self) == '$') {
        ++self->at;
        return index;
    }
    self->at = start;
    return 0;
}

static void flags_parse(struct formatter *self, struct format_spec *spec)
{
    static const char letters[] = "#0- +'I";
    unsigned c;
    const char *found;
    while ((c = look(self)) != 0 && c < 0x80 && (found = strchr(letters, (int)c)) != NULL) {
        spec->flags |= 1u << (found - letters);
        ++self->at;
    }
}

// "*", "*3$" or digits: to *value and *index. False: too large.
static bool size_parse(struct formatter *self, int *value, int *index, bool *is_taken,
                       bool *is_positional)
{
    if (look(self) == '*') {
        ++self->at;
        *is_taken = true;
        *index = position_parse(self);
        *is_positional |= *index != 0;
    } else if (is_digit(look(self))) {
        *value = number_parse(self);
        return *value >= 0;
    }
    return true;
}

static void length_parse(struct formatter *self, struct format_spec *spec)
{
    for (;; ++self->at) {
        switch (look(self)) {
        case 'h':
            spec->length = spec->length == LENGTH_SHORT ? LENGTH_CHAR : LENGTH_SHORT;
            break;
        case 'l':
            spec->length = spec->length == LENGTH_LONG ? LENGTH_LONG_LONG : LENGTH_LONG;
            break;
        case 'L':
        case 'q':
            spec->length = LENGTH_LONG_LONG;
            break;
        case 'z':
        case 'Z':
        case 't':
        case 'j':
            spec->length = LENGTH_LONG;
            break;
        default:
            return;
        }
    }
}

// From behind the '%' to behind the conversion's letter. False: a number is too large.
static bool spec_parse(struct formatter *self, struct format_spec *spec)
{
    *spec = (struct format_spec){.width = -1, .precision = -1};
    unsigned c = look(self);
    if (c - '1' < 9) {
        spec->argument_index = position_parse(self);
        spec->is_positional = spec->argument_index != 0;
    }
    if (c < 'a') {
        flags_parse(self, spec);
        if (!size_parse(self, &spec->width, &spec->width_index, &spec->takes_width,
                        &spec->is_positional)) {
            return false;
        }
        if (look(self) == '.') {
            ++self->at;
            spec->precision = 0;
            if (!size_parse(self, &spec->precision, &spec->precision_index, &spec->takes_precision,
                            &spec->is_positional)) {
                return false;
            }
        }
    }
    length_parse(self, spec);
    spec->letter = (wchar_t)look(self);
    self->at += spec->letter != 0;
    return true;
}

static enum argument_type spec_type(const struct format_spec *spec)
{
    switch (spec->letter) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'b':
    case 'B':
        return spec->length >= LENGTH_LONG ? TYPE_LONG : TYPE_INT;
    case 'c':
    case 'C':
        return TYPE_INT;
    case 's':
    case 'S':
    case 'p':
    case 'n':
        return TYPE_POINTER;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return spec->length == LENGTH_LONG_LONG ? TYPE_LONG_DOUBLE : TYPE_DOUBLE;
    default:
        return TYPE_NONE;
    }
}

static void argument_next(struct formatter *self, enum argument_type type, union argument *argument)
{
    switch (type) {
    case TYPE_INT:
        argument->integer = va_arg(self->arguments, int);
        break;
    case TYPE_LONG:
        argument->integer = va_arg(self->arguments, long);
        break;
    case TYPE_POINTER:
        argument->pointer = va_arg(self->arguments, void *);
        break;
    case TYPE_DOUBLE:
        argument->floating = va_arg(self->arguments, double);
        break;
    case TYPE_LONG_DOUBLE:
        argument->floating_long = va_arg(self->arguments, long double);
        break;
    case TYPE_NONE:
        break;
    }
}

static void argument_get(struct formatter *self, int index, enum argument_type type,
                         union argument *argument)
{
    if (self->table == NULL) {
        argument_next(self, type, argument);
    } else if (type != TYPE_NONE) {
        *argument = self->table[index - 1];
    }
}

static int size_get(struct formatter *self, int index)
{
    union argument argument;
    argument_get(self, index, TYPE_INT, &argument);
    return (int)argument.integer;
}

// Widths and precisions that are arguments.
static void sizes_take(struct formatter *self, struct format_spec *spec)
{
    if (spec->takes_width) {
        int width = size_get(self, spec->width_index);
        if (width < 0) {
            spec->flags |= FORMAT_LEFT;
            width = width == INT_MIN ? INT_MAX : -width;
        }
        spec->width = width;
    }
    if (spec->takes_precision) {
        int precision = size_get(self, spec->precision_index);
        spec->precision = precision < 0 ? -1 : precision;
    }
}

// --- conversions
// ----------------------------------------------------------------------------------

static uint64_t unsigned_value(const struct format_spec *spec, int64_t value)
{
    switch (spec->length) {
    case LENGTH_CHAR:
        return (unsigned char)value;
    case LENGTH_SHORT:
        return (unsigned short)value;
    case LENGTH_NONE:
        return (unsigned)value;
    default:
        return (uint64_t)value;
    }
}

static void pointer_print(struct format_sink *sink, struct format_spec *spec, const void *pointer)
{
    if (pointer == NULL) {
        spec->precision = -1;
        spec->length = LENGTH_NONE;
        spec->letter = 's';
        format_text(sink, spec, "(nil)");
        return;
    }
    const char *sign = (spec->flags & FORMAT_PLUS) != 0    ? "+"
                       : (spec->flags & FORMAT_SPACE) != 0 ? " "
                                                           : "";
    spec->letter = 'x';
    spec->flags |= FORMAT_ALTERNATE;
    format_unsigned(sink, spec, (uintptr_t)pointer, sign);
}

struct writable_question {
    const char *place;
    bool answer;
};

static bool area_ask(const struct vm_area_info *area, void *argument)
{
    struct writable_question *question = argument;
    if (question->place < area->start || question->place >= area->end) {
        return true;
    }
    question->answer = (area->prot & HAL_WRITE) != 0;
    return false;
}

static bool is_writable(const void *place)
{
    struct writable_question question = {.place = place};
    vm_walk(area_ask, &question);
    return question.answer;
}

static void count_store(struct formatter *self, const struct format_spec *spec, void *target)
{
    if ((self->options & FORMAT_FORTIFIED) != 0 && is_writable(self->pattern)) {
        libc_fatal("*** %n in writable segment detected ***\n");
    }
    int64_t count = format_count(self->sink);
    switch (spec->length) {
    case LENGTH_CHAR:
        *(signed char *)target = (signed char)count;
        break;
    case LENGTH_SHORT:
        *(short *)target = (short)count;
        break;
    case LENGTH_NONE:
        *(int *)target = (int)count;
        break;
    default:
        *(int64_t *)target = count;
        break;
    }
}

static void error_print(struct formatter *self, struct format_spec *spec)
{
    const char *text = NULL;
    char number[NUMBER_SIZE];
    if ((spec->flags & FORMAT_ALTERNATE) != 0) {
        text = glibc_strerrorname_np(self->error_number);
        if (text == NULL) {
            spec->letter = 'd';
            spec->length = LENGTH_NONE;
            format_signed(self->sink, spec, self->error_number);
            return;
        }
    } else {
        text = glibc_strerror_r(self->error_number, number, sizeof number);
    }
    spec->length = LENGTH_NONE;
    spec->letter = 's';
    format_text(self->sink, spec, text);
}

// A conversion that does not exist is printed, in glibc's order of its parts.
static void unknown_print(struct format_sink *sink, const struct format_spec *spec)
{
    char number[NUMBER_SIZE];
    char *end = number + sizeof number;
    char flags[8] = "%";
    char *place = flags + 1;
    static const struct {
        unsigned flag;
        char letter;
    } order[] = {{FORMAT_ALTERNATE, '#'}, {FORMAT_GROUP, '\''}, {FORMAT_PLUS, '+'},
                 {FORMAT_SPACE, ' '},     {FORMAT_LEFT, '-'},   {FORMAT_ZERO, '0'},
                 {FORMAT_LOCAL, 'I'}};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; ++i) {
        bool is_hidden = (order[i].flag == FORMAT_SPACE && (spec->flags & FORMAT_PLUS) != 0) ||
                         (order[i].flag == FORMAT_ZERO && (spec->flags & FORMAT_LEFT) != 0);
        if ((spec->flags & order[i].flag) != 0 && !is_hidden) {
            *place++ = order[i].letter;
        }
    }
    format_bytes(sink, flags, (size_t)(place - flags));
    if (spec->width > 0) {
        char *start = format_digits((uint64_t)spec->width, end);
        format_bytes(sink, start, (size_t)(end - start));
    }
    if (spec->precision >= 0) {
        char *start = format_digits((uint64_t)spec->precision, end);
        format_bytes(sink, ".", 1);
        format_bytes(sink, start, (size_t)(end - start));
    }
    if (sink->is_wide) {
        format_wides(sink, &spec->letter, spec->letter != 0);
    } else {
        format_bytes(sink, &(char){(char)spec->letter}, spec->letter != 0);
    }
}

static void spec_print(struct formatter *self, struct format_spec *spec)
{
    struct format_sink *sink = self->sink;
    union argument argument;
    argument_get(self, spec->argument_index, spec_type(spec), &argument);
    switch (spec->letter) {
    case 'd':
    case 'i':
        format_signed(sink, spec, argument.integer);
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'b':
    case 'B':
        format_unsigned(sink, spec, unsigned_value(spec, argument.integer), "");
        break;
    case 's':
    case 'S':
        format_text(sink, spec, argument.pointer);
        break;
    case 'c':
    case 'C':
        format_character(sink, spec, (int)argument.integer);
        break;
    case 'p':
        pointer_print(sink, spec, argument.pointer);
        break;
    case 'n':
        count_store(self, spec, argument.pointer);
        break;
    case 'm':
        error_print(self, spec);
        break;
    case '%':
        format_bytes(sink, "%", 1);
        break;
    case 0:
        if (self->is_lenient) {
            unknown_print(sink, spec);
        } else {
            format_fail(sink, EINVAL);
        }
        break;
    default:
        if (spec_type(spec) == TYPE_LONG_DOUBLE) {
            format_long_double(sink, spec, argument.floating_long);
        } else if (spec_type(spec) == TYPE_DOUBLE) {
            format_double(sink, spec, argument.floating);
        } else {
            self->is_lenient = true;
            unknown_print(sink, spec);
        }
        break;
    }
}

// --- the whole
// ------------------------------------------------------------------------------------

// Prints up to the next '%' and goes behind it; false: that was the end.
static bool literal_print(struct formatter *self)
{
    if (look(self) == '%') {
        ++self->at;
        return !self->sink->failed;
    }
    if (self->sink->is_wide) {
        const wchar_t *start = (const wchar_t *)self->pattern + self->at;
        size_t length = wcscspn(start, L"%");
        format_wides(self->sink, start, length);
        self->at += length;
    } else {
        const char *start = (const char *)self->pattern + self->at;
        size_t length = (size_t)(strchrnul(start, '%') - start);
        format_bytes(self->sink, start, length);
        self->at += length;
    }
    bool more = look(self) != 0;
    self->at += more;
    return more && !self->sink->failed;
}

static int index_take(struct formatter *self, int index)
{
    return index != 0 ? index : ++self->next_index;
}

// Gives every argument of spec its index.
static void indices_take(struct formatter *self, struct format_spec *spec)
{
    if (spec->takes_width) {
        spec->width_index = index_take(self, spec->width_index);
    }
    if (spec->takes_precision) {
        spec->precision_index = index_take(self, spec->precision_index);
    }
    if (spec_type(spec) != TYPE_NONE) {
        spec->argument_index = index_take(self, spec->argument_index);
    }
}

static void type_note(enum argument_type *types, int index, enum argument_type type, int *count)
{
    if (type == TYPE_NONE || index > ARGUMENT_MAX) {
        return;
    }
    *count = index > *count ? index : *count;
    if (types != NULL) {
        types[index - 1] = type;
    }
}

// The number of arguments that the rest of the pattern has, and their types; -1: it is broken.
static int types_read(struct formatter *self, enum argument_type *types)
{
    size_t start = self->at;
    int count = 0;
    bool is_first = true;
    self->next_index = 0;
    for (;;) {
        while (!is_first && look(self) != 0 && look(self) != '%') {
            ++self->at;
        }
        if (!is_first && look(self) == 0) {
            break;
        }
        self->at += !is_first;
        is_first = false;
        struct format_spec spec;
        if (!spec_parse(self, &spec)) {
            return -1;
        }
        indices_take(self, &spec);
        if (spec.width_index > ARGUMENT_MAX || spec.precision_index > ARGUMENT_MAX ||
            spec.argument_index > ARGUMENT_MAX) {
            return -1;
        }
        type_note(types, spec.width_index, spec.takes_width ? TYPE_INT : TYPE_NONE, &count);
        type_note(types, spec.precision_index, spec.takes_precision ? TYPE_INT : TYPE_NONE, &count);
        type_note(types, spec.argument_index, spec_type(&spec), &count);
    }
    self->at = start;
    self->next_index = 0;
    return count;
}

// Prints one conversion; at is behind its '%'. False: the end, or an error.
static bool spec_step(struct formatter *self, struct format_spec *spec)
{
    if (self->table != NULL) {
        indices_take(self, spec);
    }
    sizes_take(self, spec);
    int64_t size = spec->width > spec->precision ? spec->width : spec->precision;
    if (spec->letter != 's' && size + format_count(self->sink) > INT_MAX) {
        format_fail(self->sink, EOVERFLOW);
        return false;
    }
    spec_print(self, spec);
    return !self->sink->failed;
}

// From a conversion with a position to the end; at is behind its '%'.
static void positional_print(struct formatter *self, va_list arguments)
{
    union argument table[TABLE_SIZE];
    enum argument_type types[TABLE_SIZE];
    int count = types_read(self, NULL);
    if (count < 0) {
        format_fail(self->sink, EOVERFLOW);
        return;
    }
    void *memory = NULL;
    union argument *values = table;
    enum argument_type *kinds = types;
    if (count > TABLE_SIZE) {
        memory = libc_malloc((size_t)count * (sizeof *values + sizeof *kinds));
        if (memory == NULL) {
            format_fail(self->sink, ENOMEM);
            return;
        }
        values = memory;
        kinds = (enum argument_type *)(values + count);
    }
    memset(kinds, 0, (size_t)count * sizeof *kinds);
    types_read(self, kinds);
    va_end(self->arguments);
    va_copy(self->arguments, arguments);
    for (int i = 0; i < count; ++i) {
        // an argument that nothing asks for is an int
        argument_next(self, kinds[i] == TYPE_NONE ? TYPE_INT : kinds[i], &values[i]);
    }
    self->table = values;
    self->is_lenient = true;
    struct format_spec spec;
    bool more = true;
    while (more && spec_parse(self, &spec)) {
        more = spec_step(self, &spec) && literal_print(self);
    }
    libc_free(memory);
}

// A conversion that is only its letter, of the frequent ones. False: it is another.
static bool simple_print(struct formatter *self)
{
    struct format_sink *sink = self->sink;
    if (sink->is_wide) {
        return false;
    }
    switch (((const char *)self->pattern)[self->at]) {
    case 'd': {
        char buffer[NUMBER_SIZE];
        char *end = buffer + sizeof buffer;
        int value = va_arg(self->arguments, int);
        char *start = format_digits(value < 0 ? -(uint64_t)value : (uint64_t)value, end);
        *--start = '-';
        start += value >= 0;
        format_bytes(sink, start, (size_t)(end - start));
        break;
    }
    case 's': {
        const char *text = va_arg(self->arguments, const char *);
        text = text == NULL ? "(null)" : text;
        format_bytes(sink, text, strlen(text));
        break;
    }
    case 'c':
        format_bytes(sink, &(char){(char)va_arg(self->arguments, int)}, 1);
        break;
    default:
        return false;
    }
    ++self->at;
    return !sink->failed;
}

int format_print(struct format_sink *sink, const void *pattern, va_list arguments, int options)
{
    struct formatter self = {
        .sink = sink,
        .pattern = pattern,
        .options = options,
        .error_number = errno,
    };
    va_copy(self.arguments, arguments);
    while (literal_print(&self)) {
        if (simple_print(&self)) {
            continue;
        }
        size_t start = self.at;
        struct format_spec spec;
        if (!spec_parse(&self, &spec)) {
            format_fail(sink, EOVERFLOW);
            break;
        }
        if (spec.is_positional) {
            self.at = start;
            positional_print(&self, arguments);
            break;
        }
        if (!spec_step(&self, &spec)) {
            break;
        }
    }
    va_end(self.arguments);
    if (!sink->failed && format_count(sink) > INT_MAX) {
        format_fail(sink, EOVERFLOW);
    }
    return sink->failed ? -1 : (int)format_count(sink);
}

// What glibc's parse_printf_format says of an argument.
static int type_code(const struct format_spec *spec)
{
    enum { INTEGER, CHARACTER, WIDE, TEXT, WIDE_TEXT, POINTER, DOUBLE = 7 };
    enum { LONG_LONG = 0x100, LONG = 0x200, SHORT = 0x400, INDIRECT = 0x800 };
    switch (spec->letter) {
    case 'c': // glibc's does not look whether it is %lc, or %ls
        return CHARACTER;
    case 'C':
        return WIDE;
    case 's':
        return TEXT;
    case 'S':
        return WIDE_TEXT;
    case 'p':
        return POINTER;
    case 'n':
        return INTEGER | INDIRECT;
    default:
        break;
    }
    switch (spec_type(spec)) {
    case TYPE_LONG_DOUBLE:
        return DOUBLE | LONG_LONG;
    case TYPE_DOUBLE:
        return DOUBLE;
    case TYPE_LONG:
        return INTEGER | LONG;
    default:
        return spec->length == LENGTH_CHAR    ? CHARACTER
               : spec->length == LENGTH_SHORT ? INTEGER | SHORT
                                              : INTEGER;
    }
}

static void code_note(int *codes, size_t room, int index, int code, size_t *count)
{
    *count = (size_t)index > *count ? (size_t)index : *count;
    if ((size_t)index <= room) {
        codes[index - 1] = code;
    }
}

size_t format_types(const char *pattern, size_t room, int *codes)
{
    struct format_sink sink = {.is_wide = false};
    struct formatter self = {.sink = &sink, .pattern = pattern};
    size_t count = 0;
    for (;;) {
        self.at += strcspn(pattern + self.at, "%");
        struct format_spec spec;
        if (look(&self) == 0) {
            return count;
        }
        ++self.at;
        if (!spec_parse(&self, &spec)) {
            return count;
        }
        indices_take(&self, &spec);
        if (spec.takes_width) {
            code_note(codes, room, spec.width_index, 0, &count);
        }
        if (spec.takes_precision) {
            code_note(codes, room, spec.precision_index, 0, &count);
        }
        if (spec_type(&spec) != TYPE_NONE) {
            code_note(codes, room, spec.argument_index, type_code(&spec), &count);
        }
    }
}
