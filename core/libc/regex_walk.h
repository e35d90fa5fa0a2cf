// SPDX-License-Identifier: BSD-3-Clause
// regex_walk.h: what the deterministic automaton does not tell: what the groups of a match are, and
// in linear time where the leftmost match begins.
#ifndef CORE_LIBC_REGEX_WALK_H
#define CORE_LIBC_REGEX_WALK_H

#include "core/libc/regex_program.h"

// The spans [1, count) of the match from `start` to `end` of a program without back references.
// REGEX_NOMATCH: there is none, as an end of a line that regex_dfa_longest takes for one is none.
// Memory grows with the root of the match's length.
enum regex_error regex_walk(const struct regex_program *program, const struct regex_text *text,
                            size_t start, size_t end, struct regex_span *spans, size_t count);

// The least place from start on where a match begins, REGEX_NOWHERE or REGEX_NO_MEMORY; of a
// program without back references.
long regex_leftmost(const struct regex_program *program, const struct regex_text *text,
                    size_t start);

// The group's end or beginning at `at`, as the path of a match passes its node. saved: the spans as
// they were after the last group that was not empty. An empty round of a group that may be left
// out, (a?)*, takes everything back.
void regex_span_pass(const struct regex_node *node, long at, struct regex_span *spans,
                     struct regex_span *saved, size_t count);

#endif
