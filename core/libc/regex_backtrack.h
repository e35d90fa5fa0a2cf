// SPDX-License-Identifier: BSD-3-Clause
// regex_backtrack.h: matching with back references.
#ifndef CORE_LIBC_REGEX_BACKTRACK_H
#define CORE_LIBC_REGEX_BACKTRACK_H

#include "core/libc/regex_program.h"

// A search through one text: what it has learnt at one start serves the next.
struct regex_backtrack;

// NULL: out of memory.
struct regex_backtrack *regex_backtrack_new(const struct regex_program *program,
                                            const struct regex_text *text);
void regex_backtrack_free(struct regex_backtrack *search);

// Where the longest match from start ends, which is not beyond `most`, and all its spans but the
// whole one (group_count + 1 in all); REGEX_NOWHERE; or REGEX_NO_MEMORY, also when the search gets
// too large. After an answer that is not REGEX_NOWHERE the search is over.
long regex_backtrack_longest(struct regex_backtrack *search, size_t start, size_t most,
                             struct regex_span *spans);

#endif
