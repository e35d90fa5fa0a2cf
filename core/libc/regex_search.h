// SPDX-License-Identifier: BSD-3-Clause
// regex_search.h: a match in a text.
#ifndef CORE_LIBC_REGEX_SEARCH_H
#define CORE_LIBC_REGEX_SEARCH_H

#include "core/libc/regex_program.h"

// The leftmost match that begins at first .. last, and of those the longest; last < first: the
// match that begins at the rightmost place. Any thread. count: the spans that are asked for, the
// whole match first; 0: only whether there is one. REGEX_OK, REGEX_NOMATCH, REGEX_ESPACE.
enum regex_error regex_search(struct regex_program *program, const struct regex_text *text,
                              size_t first, size_t last, struct regex_span *spans, size_t count);

#endif
