// SPDX-License-Identifier: BSD-3-Clause
// script_words.h: the words of one line of a script, one after the other; what is wrong there is
// said with its place.
#ifndef TESTS_UNIT_SCRIPT_WORDS_H
#define TESTS_UNIT_SCRIPT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

enum { LINE_MAX_SIZE = 256, TOKENS_MAX = 40 };

extern const char *file_name;
extern char case_name[LINE_MAX_SIZE];
extern unsigned line_number, case_count, failed_count;
extern bool has_failed; // the case

__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
void number_check(const char *what, uint64_t is, uint64_t wanted);

extern char *tokens[TOKENS_MAX];
extern unsigned token_count, token_next;

const char *word(void);         // NULL: the line is over
bool word_is(const char *text); // and passes it
uint64_t number_of(const char *text, char **end);
uint32_t number(void); // also one with a minus
hal_ns span_of(const char *text);
hal_ns span(void);

#endif
