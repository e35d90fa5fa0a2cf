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

#include "core/linux/task.h"

struct linux_row;

// Inside: -EINTR whatever the handler's SA_RESTART says, for calls where that depends on arguments.
// And: nothing was done, the call is to be printed or counted.
enum { LINUX_INTERRUPTED = 516, LINUX_WATCHED = 517, SYSCALL_NUMBER_MAX = 512 };

// Runs a system call, whatever its number. (A pointer so that tests can stand in for this room.)
extern long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f);

// The same for callers that cannot afford two calls. What the common case needs is here; the rest,
// a result that is an errno or a signal that came meanwhile, is for linux_call_look. With --strace
// or --stats every call answers -LINUX_WATCHED, so that nothing is tested for their sake.

typedef long linux_call(long a, long b, long c, long d, long e, long f);
extern linux_call *linux_calls[SYSCALL_NUMBER_MAX]; // by number; none is NULL
extern bool linux_call_is_bare[SYSCALL_NUMBER_MAX]; // it has no arguments to be kept
long linux_call_look(long result, long number, const volatile long arguments[6]);

static inline bool linux_call_is_over(long result)
{
    return (unsigned long)result < -4095ul && !task_is_called();
}

// number is in the table.
static inline long linux_call_run(long number, long a, long b, long c, long d, long e, long f)
{
    // In memory, whatever the compiler thinks: in registers they would have to be saved and
    // restored.
    volatile long kept[6];
    kept[0] = a, kept[1] = b, kept[2] = c, kept[3] = d, kept[4] = e, kept[5] = f;
    long result = linux_calls[number](a, b, c, d, e, f);
    return __builtin_expect(linux_call_is_over(result), 1) ? result
                                                           : linux_call_look(result, number, kept);
}

// Builds the tables. Once, before the first call.
void syscall_init(bool wants_trace, bool wants_stats);
bool syscall_is_watched(void); // --strace or --stats

const struct linux_row *syscall_row(long number); // NULL: unknown

// Around a call where syscall_is_watched. begin answers what end takes.
hal_ns syscall_watch_begin(long number, const long arguments[6]);
void syscall_watch_end(long number, const long arguments[6], long result, hal_ns start);

#endif
