// SPDX-License-Identifier: BSD-3-Clause
// regex.c: POSIX's regcomp family, GNU's re_* family and BSD's re_comp, over regex_parse and
// regex_search.
#include "core/libc/regex.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/libc/regex_program.h"
#include "core/libc/regex_search.h"

enum { EXTENDED = 1, IGNORE_CASE = 2, NEWLINE = 4, NO_SUB = 8 }; // of regcomp
enum { NOT_BOL = 1, NOT_EOL = 2, START_END = 4 };                // of regexec
enum { FAILED = -1, BROKEN = -2 };                               // answers of re_search

#define SYNTAX_COMMON                                                                              \
    (REGEX_CHAR_CLASSES | REGEX_DOT_NEWLINE | REGEX_DOT_NOT_NULL | REGEX_INTERVALS |               \
     REGEX_NO_EMPTY_RANGES)
#define SYNTAX_BASIC (SYNTAX_COMMON | REGEX_BK_PLUS_QM | REGEX_CONTEXT_INVALID_DUP)
#define SYNTAX_EXTENDED                                                                            \
    (SYNTAX_COMMON | REGEX_CONTEXT_INDEP_ANCHORS | REGEX_CONTEXT_INDEP_OPS | REGEX_NO_BK_BRACES |  \
     REGEX_NO_BK_PARENS | REGEX_NO_BK_VBAR | REGEX_CONTEXT_INVALID_OPS |                           \
     REGEX_UNMATCHED_RIGHT_PAREN_ORD)

static const char *const messages[REGEX_ERRORS] = {
    "Success",
    "No match",
    "Invalid regular expression",
    "Invalid collation character",
    "Invalid character class name",
    "Trailing backslash",
    "Invalid back reference",
    "Unmatched [, [^, [:, [., or [=",
    "Unmatched ( or \\(",
    "Unmatched \\{",
    "Invalid content of \\{\\}",
    "Invalid range end",
    "Memory exhausted",
    "Invalid preceding regular expression",
    "Premature end of regular expression",
    "Regular expression too big",
    "Unmatched ) or \\)",
};

unsigned long glibc_re_syntax_options;
unsigned long *libc_regex_syntax = &glibc_re_syntax_options; // the program may have its own copy

// Compiles into buffer->program, which is NULL or memory of malloc's.
static enum regex_error compile(struct regex_buffer *buffer, const char *pattern, size_t length,
                                unsigned long syntax)
{
    buffer->fastmap_accurate = 0;
    buffer->syntax = syntax;
    buffer->not_bol = buffer->not_eol = 0;
    buffer->used = 0;
    buffer->group_count = 0;
    buffer->can_be_null = 0;
    buffer->registers_allocated = REGEX_UNALLOCATED;
    if (buffer->allocated < sizeof(struct regex_program)) {
        struct regex_program *program = libc_realloc(buffer->program, sizeof *program);
        if (program == NULL) {
            return REGEX_ESPACE;
        }
        buffer->program = program;
        buffer->allocated = sizeof *program;
    }
    struct regex_program *program = buffer->program;
    memset(program, 0, sizeof *program);
    program->is_utf8 = MB_CUR_MAX > 1;
    enum regex_error error =
        regex_parse(program, (const unsigned char *)pattern, length, syntax, buffer->translate);
    buffer->group_count = program->group_count;
    if (error == REGEX_OK) {
        buffer->used = sizeof *program;
        return REGEX_OK;
    }
    libc_free(program);
    buffer->program = NULL;
    buffer->allocated = 0;
    return error;
}

static bool is_compiled(const struct regex_buffer *buffer)
{
    return buffer->program != NULL && buffer->used == sizeof(struct regex_program) &&
           buffer->program->magic == REGEX_MAGIC;
}

EXPORT(int, re_compile_fastmap, struct regex_buffer *buffer)
{
    const struct regex_program *program = buffer->program;
    for (int byte = 0; byte < 256; ++byte) {
        unsigned char seen =
            buffer->translate == NULL ? (unsigned char)byte : buffer->translate[byte];
        bool is_symbol = !program->is_utf8 || seen < 128;
        buffer->fastmap[byte] =
            program->can_be_empty || program->first_bytes[is_symbol ? program->fold[seen] : seen];
    }
    buffer->can_be_null = program->can_be_empty;
    buffer->fastmap_accurate = 1;
    return 0;
}

EXPORT(int, regcomp, struct regex_buffer *buffer, const char *pattern, int flags)
{
    unsigned long syntax = (flags & EXTENDED) != 0 ? SYNTAX_EXTENDED : SYNTAX_BASIC;
    memset(buffer, 0, sizeof *buffer);
    buffer->fastmap = libc_malloc(256);
    if (buffer->fastmap == NULL) {
        return REGEX_ESPACE;
    }
    if ((flags & IGNORE_CASE) != 0) {
        syntax |= REGEX_ICASE;
    }
    if ((flags & NEWLINE) != 0) {
        syntax &= ~(unsigned long)REGEX_DOT_NEWLINE;
        syntax |= REGEX_HAT_LISTS_NOT_NEWLINE;
        buffer->newline_anchor = 1;
    }
    buffer->no_sub = (flags & NO_SUB) != 0;
    enum regex_error error = compile(buffer, pattern, strlen(pattern), syntax);
    if (error == REGEX_OK) {
        glibc_re_compile_fastmap(buffer);
        return REGEX_OK;
    }
    libc_free(buffer->fastmap);
    buffer->fastmap = NULL;
    return error == REGEX_ERPAREN ? REGEX_EPAREN : (int)error;
}

EXPORT(size_t, regerror, int code, const struct regex_buffer *buffer, char *text, size_t size)
{
    if (code < 0 || code >= REGEX_ERRORS) {
        abort(); // as glibc: the code is none of regcomp's or regexec's
    }
    size_t length = strlen(messages[code]) + 1;
    if (size != 0) {
        size_t kept = length < size ? length : size;
        memcpy(text, messages[code], kept);
        text[kept - 1] = '\0';
    }
    return length;
}

EXPORT(void, regfree, struct regex_buffer *buffer)
{
    if (is_compiled(buffer)) {
        regex_program_free(buffer->program);
    }
    libc_free(buffer->program);
    buffer->program = NULL;
    buffer->allocated = buffer->used = 0;
    libc_free(buffer->fastmap);
    buffer->fastmap = NULL;
    libc_free(buffer->translate);
    buffer->translate = NULL;
}

static struct regex_text text_of(const struct regex_buffer *buffer, const char *bytes,
                                 size_t length, size_t stop, int flags)
{
    return (struct regex_text){.bytes = (const unsigned char *)bytes,
                               .length = length,
                               .stop = stop < length ? stop : length,
                               .translate = buffer->translate,
                               .newline_anchor = buffer->newline_anchor,
                               .not_bol = (flags & NOT_BOL) != 0,
                               .not_eol = (flags & NOT_EOL) != 0};
}

// As many spans as a caller asks for, or NULL.
static struct regex_span *spans_new(size_t count)
{
    return count > SIZE_MAX / sizeof(struct regex_span)
               ? NULL
               : libc_malloc(count * sizeof(struct regex_span));
}

EXPORT(int, regexec, const struct regex_buffer *buffer, const char *bytes, size_t count,
       struct regex_match *matches, int flags)
{
    enum { SPANS = 10 };
    struct regex_span few[SPANS], *spans = few;
    if ((flags & ~(NOT_BOL | NOT_EOL | START_END)) != 0) {
        return REGEX_BADPAT;
    }
    bool has_range = (flags & START_END) != 0;
    size_t start = has_range ? (size_t)matches[0].start : 0;
    size_t length = has_range ? (size_t)matches[0].end : strlen(bytes);
    struct regex_text text = text_of(buffer, bytes, length, length, flags);
    size_t asked = buffer->no_sub ? 0 : count;
    if (!is_compiled(buffer) || start > length) {
        return REGEX_NOMATCH;
    }
    if (asked > SPANS && (spans = spans_new(asked)) == NULL) {
        return REGEX_NOMATCH;
    }
    enum regex_error error = regex_search(buffer->program, &text, start, length, spans, asked);
    for (size_t i = 0; error == REGEX_OK && i < asked; ++i) {
        matches[i] = (struct regex_match){(int)spans[i].start, (int)spans[i].end};
    }
    if (spans != few) {
        libc_free(spans);
    }
    return error != REGEX_OK; // as glibc: whatever went wrong is no match
}

EXPORT(unsigned long, re_set_syntax, unsigned long syntax)
{
    unsigned long old = *libc_regex_syntax;
    *libc_regex_syntax = syntax;
    return old;
}

EXPORT(const char *, re_compile_pattern, const char *pattern, size_t length,
       struct regex_buffer *buffer)
{
    unsigned long syntax = *libc_regex_syntax;
    // Whether registers are wanted is said when matching, unless the syntax says it here.
    buffer->no_sub = (syntax & REGEX_NO_SUB) != 0;
    buffer->newline_anchor = 1;
    enum regex_error error = compile(buffer, pattern, length, syntax);
    return error == REGEX_OK ? NULL : messages[error];
}

EXPORT(void, re_set_registers, struct regex_buffer *buffer, struct regex_registers *registers,
       unsigned count, int *starts, int *ends)
{
    buffer->registers_allocated = count != 0 ? REGEX_REALLOCATE : REGEX_UNALLOCATED;
    registers->count = count;
    registers->start = count != 0 ? starts : NULL;
    registers->end = count != 0 ? ends : NULL;
}

// Room for count registers. false: out of memory.
static bool registers_fit(struct regex_buffer *buffer, struct regex_registers *registers,
                          unsigned count)
{
    if (buffer->registers_allocated == REGEX_UNALLOCATED) {
        registers->start = registers->end = NULL;
        registers->count = 0;
    }
    if (buffer->registers_allocated != REGEX_FIXED && registers->count < count) {
        int *start = libc_realloc(registers->start, count * sizeof *start);
        registers->start = start != NULL ? start : registers->start;
        int *end = start == NULL ? NULL : libc_realloc(registers->end, count * sizeof *end);
        registers->end = end != NULL ? end : registers->end;
        if (end == NULL) {
            if (buffer->registers_allocated == REGEX_UNALLOCATED) {
                libc_free(registers->start);
            }
            return false;
        }
        registers->count = count;
    }
    if (buffer->registers_allocated == REGEX_UNALLOCATED) {
        buffer->registers_allocated = REGEX_REALLOCATE;
    }
    return true;
}

// Copies count spans; the register behind them, which GNU's callers look for, and the rest are -1.
static bool registers_fill(struct regex_buffer *buffer, struct regex_registers *registers,
                           const struct regex_span *spans, size_t count)
{
    if (!registers_fit(buffer, registers, (unsigned)count + 1)) {
        return false;
    }
    for (size_t i = 0; i < registers->count; ++i) {
        registers->start[i] = i < count ? (int)spans[i].start : -1;
        registers->end[i] = i < count ? (int)spans[i].end : -1;
    }
    return true;
}

// Where a match begins (or, for re_match, how long it is) among the places from start to
// start + range.
static int search(struct regex_buffer *buffer, struct regex_text *text, int start, int range,
                  struct regex_registers *registers, bool wants_length)
{
    if (start < 0 || (size_t)start > text->length) {
        return FAILED;
    }
    long last = (long)start + range;
    last = last < 0 ? 0 : last > (long)text->length ? (long)text->length : last;
    if (!is_compiled(buffer)) {
        return FAILED;
    }
    if (start < last && buffer->fastmap != NULL && !buffer->fastmap_accurate) {
        glibc_re_compile_fastmap(buffer);
    }
    if (buffer->no_sub) {
        registers = NULL;
    }
    size_t count = registers == NULL ? 1 : buffer->group_count + 1;
    if (registers != NULL && buffer->registers_allocated == REGEX_FIXED &&
        registers->count <= buffer->group_count) {
        count = registers->count == 0 ? 1 : registers->count;
        registers = registers->count == 0 ? NULL : registers;
    }
    struct regex_span *spans = spans_new(count);
    if (spans == NULL) {
        return BROKEN;
    }
    enum regex_error error =
        regex_search(buffer->program, text, (size_t)start, (size_t)last, spans, count);
    int result = error == REGEX_OK ? 0 : error == REGEX_NOMATCH ? FAILED : BROKEN;
    if (result == 0 && registers != NULL && !registers_fill(buffer, registers, spans, count)) {
        result = BROKEN;
    }
    if (result == 0) {
        result = (int)(wants_length ? spans[0].end - start : spans[0].start);
    }
    libc_free(spans);
    return result;
}

static int flags_of(const struct regex_buffer *buffer)
{
    return (buffer->not_bol ? NOT_BOL : 0) | (buffer->not_eol ? NOT_EOL : 0);
}

EXPORT(int, re_search, struct regex_buffer *buffer, const char *bytes, int length, int start,
       int range, struct regex_registers *registers)
{
    struct regex_text text =
        text_of(buffer, bytes, (size_t)length, (size_t)length, flags_of(buffer));
    return search(buffer, &text, start, range, registers, false);
}

EXPORT(int, re_match, struct regex_buffer *buffer, const char *bytes, int length, int start,
       struct regex_registers *registers)
{
    struct regex_text text =
        text_of(buffer, bytes, (size_t)length, (size_t)length, flags_of(buffer));
    return search(buffer, &text, start, 0, registers, true);
}

// The text is one after the other of two strings.
static int search_2(struct regex_buffer *buffer, const char *first, int first_length,
                    const char *second, int second_length, int start, int range,
                    struct regex_registers *registers, int stop, bool wants_length)
{
    int length;
    if (first_length < 0 || second_length < 0 || stop < 0 ||
        __builtin_add_overflow(first_length, second_length, &length)) {
        return BROKEN;
    }
    char *joined = NULL;
    const char *bytes = second_length > 0 ? second : first;
    if (first_length > 0 && second_length > 0) {
        joined = libc_malloc((size_t)length);
        if (joined == NULL) {
            return BROKEN;
        }
        memcpy(joined, first, (size_t)first_length);
        memcpy(joined + first_length, second, (size_t)second_length);
        bytes = joined;
    }
    struct regex_text text = text_of(buffer, bytes, (size_t)length, (size_t)stop, flags_of(buffer));
    int result = search(buffer, &text, start, range, registers, wants_length);
    libc_free(joined);
    return result;
}

EXPORT(int, re_search_2, struct regex_buffer *buffer, const char *first, int first_length,
       const char *second, int second_length, int start, int range,
       struct regex_registers *registers, int stop)
{
    return search_2(buffer, first, first_length, second, second_length, start, range, registers,
                    stop, false);
}

EXPORT(int, re_match_2, struct regex_buffer *buffer, const char *first, int first_length,
       const char *second, int second_length, int start, struct regex_registers *registers,
       int stop)
{
    return search_2(buffer, first, first_length, second, second_length, start, 0, registers, stop,
                    true);
}

// BSD's: one pattern for the whole program.
static struct regex_buffer bsd_pattern;

EXPORT(char *, re_comp, const char *pattern)
{
    if (pattern == NULL) {
        return bsd_pattern.program == NULL ? (char *)"No previous regular expression" : NULL;
    }
    glibc_regfree(&bsd_pattern);
    memset(&bsd_pattern, 0, sizeof bsd_pattern);
    bsd_pattern.newline_anchor = 1;
    enum regex_error error = compile(&bsd_pattern, pattern, strlen(pattern), *libc_regex_syntax);
    return error == REGEX_OK ? NULL : (char *)(uintptr_t)messages[error];
}

EXPORT(int, re_exec, const char *text)
{
    int length = (int)strlen(text);
    return glibc_re_search(&bsd_pattern, text, length, 0, length, NULL) >= 0;
}
