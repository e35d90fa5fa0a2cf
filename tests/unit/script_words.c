// SPDX-License-Identifier: BSD-3-Clause
// script_words.c: see script_words.h.
#include "script_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *file_name;
char case_name[LINE_MAX_SIZE];
unsigned line_number, case_count, failed_count;
bool has_failed;

void fail(const char *format, ...)
{
    if (has_failed) {
        return;
    }
    va_list arguments;
    has_failed = true;
    printf("# %s:%u: ", file_name, line_number);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void number_check(const char *what, uint64_t is, uint64_t wanted)
{
    if (is != wanted) {
        fail("%s is %llu, not %llu", what, (unsigned long long)is, (unsigned long long)wanted);
    }
}

char *tokens[TOKENS_MAX];
unsigned token_count, token_next;

const char *word(void) // NULL: the line is over
{
    return token_next < token_count ? tokens[token_next++] : NULL;
}

bool word_is(const char *text)
{
    if (token_next < token_count && strcmp(tokens[token_next], text) == 0) {
        ++token_next;
        return true;
    }
    return false;
}

uint64_t number_of(const char *text, char **end)
{
    const uint64_t value = strtoull(text, end, 10);
    if (*end == text) {
        fail("'%s' is no number", text);
    }
    return value;
}

uint32_t number(void)
{
    const char *text = word();
    char *end;
    if (text == NULL) {
        fail("a number is missing");
        return 0;
    }
    const bool is_negative = *text == '-';
    const uint64_t value = number_of(text + is_negative, &end);
    return is_negative ? (uint32_t)-value : (uint32_t)value;
}

hal_ns span_of(const char *text)
{
    char *end;
    const uint64_t value = number_of(text, &end);
    static const struct {
        const char *unit;
        hal_ns span;
    } units[] = {
        {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};
    for (unsigned i = 0; i < sizeof units / sizeof *units; ++i) {
        if (strcmp(end, units[i].unit) == 0) {
            return value * units[i].span;
        }
    }
    fail("'%s' is no span of time", text);
    return 0;
}

hal_ns span(void)
{
    const char *text = word();
    return span_of(text != NULL ? text : "");
}
