// SPDX-License-Identifier: BSD-3-Clause
// syscall.h: the door of core/linux: system calls by number, as the C library (by call) and the
// syscall instruction (by trap) make them.
//
// Arguments and results are Linux's on the running ISA; a result of -4095 .. -1 is an errno
// negated.
#ifndef CORE_LINUX_SYSCALL_H
#define CORE_LINUX_SYSCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linux_row;

// Inside: -EINTR whatever the handler's SA_RESTART says, for calls where that depends on arguments.
enum { LINUX_INTERRUPTED = 516, SYSCALL_NUMBER_MAX = 512 };

// Runs a system call. The pointer leads to the plain dispatcher, or with --strace or --stats to the
// one that prints and counts: nothing is tested in the call path.
extern long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f);

// Builds the tables. Once, before the first call.
void syscall_init(bool wants_trace, bool wants_stats);

const struct linux_row *syscall_row(long number); // NULL: unknown

#endif
