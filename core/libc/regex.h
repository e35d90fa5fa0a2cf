// SPDX-License-Identifier: BSD-3-Clause
// regex.h: regex_t and the registers as programs lay them out: glibc's.
#ifndef CORE_LIBC_REGEX_H
#define CORE_LIBC_REGEX_H

#include <stddef.h>

struct regex_program;

// struct re_pattern_buffer, also called regex_t.
struct regex_buffer {
    struct regex_program *program;
    unsigned long allocated, used; // bytes of *program
    unsigned long syntax;
    char *fastmap;            // the caller's or regcomp's: 256 bytes, or NULL
    unsigned char *translate; // the caller's: 256 bytes, or NULL
    size_t group_count;
    unsigned can_be_null : 1;
    unsigned registers_allocated : 2; // enum regex_registers_mode
    unsigned fastmap_accurate : 1;
    unsigned no_sub : 1;
    unsigned not_bol : 1;
    unsigned not_eol : 1;
    unsigned newline_anchor : 1;
};
_Static_assert(sizeof(struct regex_buffer) == 64, "glibc's regex_t");
_Static_assert(offsetof(struct regex_buffer, group_count) == 48, "glibc's re_nsub");

// Who has the memory of the registers: nobody yet, the matcher by malloc, or the caller.
enum regex_registers_mode { REGEX_UNALLOCATED, REGEX_REALLOCATE, REGEX_FIXED };

// struct re_registers.
struct regex_registers {
    unsigned count;
    int *start, *end;
};

// regmatch_t.
struct regex_match {
    int start, end;
};

#endif
