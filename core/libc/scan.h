// SPDX-License-Identifier: BSD-3-Clause
// scan.h: what scanf does, apart from where the text comes from.
#ifndef CORE_LIBC_SCAN_H
#define CORE_LIBC_SCAN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

// Where characters come from: bytes, or wide characters where is_wide.
struct scan_source {
    wint_t (*get)(struct scan_source *source);           // WEOF: no more
    void (*unget)(struct scan_source *source, wint_t c); // the last one that get gave, not WEOF
    const void *place;                                   // of get: a string or a stream
    int64_t count;                                       // characters taken and not given back
    bool is_wide;
};

// "%as" allocates, as GNU's scanf had it before C99.
enum { SCAN_OLD = 1 };

// Stores what pattern, of char or of wchar_t as the source, finds. How many conversions were
// stored; EOF when the input ended before the first.
int scan_read(struct scan_source *source, const void *pattern, va_list arguments, int options);

#endif
