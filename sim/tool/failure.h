// SPDX-License-Identifier: BSD-3-Clause
// failure.h: how a tool of the host's ends where it cannot go on, and memory and text that are
// there or end it. One tool in a process.
#ifndef SIM_TOOL_FAILURE_H
#define SIM_TOOL_FAILURE_H

#include <stddef.h>

extern const char tool_name[]; // before each line
extern const int tool_failed;  // the exit status where nothing better is known

// Prints one line to standard error, whatever others' words are in it.
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The same, and exits: what atexit() knows is done.
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Fails with what errno says of name.
_Noreturn void fail_errno(const char *name);

void *memory_new(size_t size); // zeroed
void *memory_resize(void *memory, size_t size);

// Text of its own, for free().
char *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
