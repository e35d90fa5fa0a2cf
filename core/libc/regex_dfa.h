// SPDX-License-Identifier: BSD-3-Clause
// regex_dfa.h: a compiled regular expression as a deterministic automaton that is built while texts
// are read.
#ifndef CORE_LIBC_REGEX_DFA_H
#define CORE_LIBC_REGEX_DFA_H

#include "core/libc/regex_program.h"

enum { REGEX_NOWHERE = -1, REGEX_NO_MEMORY = -2 };

// The automaton of program, whose nodes do not change any more; NULL: out of memory. One caller
// uses it at a time.
struct regex_cache *regex_cache_new(const struct regex_program *program);
void regex_cache_free(struct regex_cache *cache);

// Makes the cache fit the text's translation and newlines, which the caller may change between
// texts.
void regex_cache_fit(struct regex_cache *cache, const struct regex_program *program,
                     const struct regex_text *text);

// Where the longest match that begins at start ends, REGEX_NOWHERE or REGEX_NO_MEMORY. A back
// reference matches anything: with them the answer is only that nowhere is right. A newline that
// the match consumes ends a line, as in glibc. *work grows by the bytes read.
long regex_dfa_longest(struct regex_cache *cache, const struct regex_program *program,
                       const struct regex_text *text, size_t start, size_t *work);

// Where the first match to end, of those that begin at start or later, ends. As above. A newline
// before the match always ends a line for it: with assertions and a text whose newlines are no
// anchors only "nowhere" is right.
long regex_dfa_first_end(struct regex_cache *cache, const struct regex_program *program,
                         const struct regex_text *text, size_t start);

#endif
