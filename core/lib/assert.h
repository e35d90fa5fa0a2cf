// SPDX-License-Identifier: BSD-3-Clause
// assert.h: checks that stay on in what ships. A failure is a bug in core: it halts the machine.
#ifndef CORE_LIB_ASSERT_H
#define CORE_LIB_ASSERT_H

// Prints the condition and its place, and halts with status 134. Any context.
__attribute__((noreturn, cold)) void assert_fail(const char *condition, const char *file, int line);

#define ASSERT(condition)                                                                          \
    (__builtin_expect(!!(condition), 1) ? (void)0 : assert_fail(#condition, __FILE__, __LINE__))

#endif
