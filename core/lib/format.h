// SPDX-License-Identifier: BSD-3-Clause
// format.h: text from values, without a C library.
#ifndef CORE_LIB_FORMAT_H
#define CORE_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

// Writes at most size bytes of text, NUL included, and returns the length that the whole text has,
// as snprintf does. Conversions: %s %c %d %i %u %x %o %p %%; flags - and 0, width and precision
// (also *), lengths hh h l ll z.
__attribute__((format(printf, 3, 4))) size_t format(char *text, size_t size, const char *pattern,
                                                    ...);
size_t format_list(char *text, size_t size, const char *pattern, va_list arguments);

// Writes one message of at most 1023 bytes to the machine's console. Any context.
__attribute__((format(printf, 1, 2))) void console_print(const char *pattern, ...);

#endif
