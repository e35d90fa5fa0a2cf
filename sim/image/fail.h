// SPDX-License-Identifier: BSD-3-Clause
// fail.h: how osv-image ends where it cannot go on, and memory and text that are there or end it.
#ifndef SIM_IMAGE_FAIL_H
#define SIM_IMAGE_FAIL_H

#include <stddef.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

// Prints one line to standard error and exits.
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same with what errno says of name.
_Noreturn void fail_errno(const char *name);

void *memory_new(size_t size); // zeroed
void *memory_resize(void *memory, size_t size);

// Text of its own, for free().
char *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
