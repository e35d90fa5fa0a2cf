// SPDX-License-Identifier: BSD-3-Clause
// trace.h: --strace: one line for each system call.
#ifndef CORE_LINUX_TRACE_H
#define CORE_LINUX_TRACE_H

// Before the call: prints what will never come back (exit).
void trace_enter(long number, const long arguments[6]);

// After the call.
void trace_leave(long number, const long arguments[6], long result);

#endif
