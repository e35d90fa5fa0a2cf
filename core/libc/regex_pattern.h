// SPDX-License-Identifier: BSD-3-Clause
// regex_pattern.h: the pattern while it is parsed.
#ifndef CORE_LIBC_REGEX_PATTERN_H
#define CORE_LIBC_REGEX_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "core/libc/regex_program.h"

struct regex_pattern {
    struct regex_text text; // its bytes, read as symbols like any text
    size_t at;              // the next byte that is not parsed
};

// Bytes that the pattern has from `at` on.
static inline size_t regex_pattern_left(const struct regex_pattern *pattern)
{
    return pattern->text.length - pattern->at;
}

// Emits a node for set, the program's last; frees the set where one symbol is all it has.
enum regex_error regex_set_emit(struct regex_program *program);

// Adds the members of the class of that name. REGEX_ECTYPE: there is none.
enum regex_error regex_class_add(struct regex_program *program, struct regex_set *set,
                                 const char *name, const unsigned char *translate);

// Turns the set, which may have any members, into the set of all other symbols.
void regex_set_negate(const struct regex_program *program, struct regex_set *set);

#endif
