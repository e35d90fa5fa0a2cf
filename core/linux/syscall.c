// SPDX-License-Identifier: BSD-3-Clause
// syscall.c: from a number to a function.
#include "core/linux/syscall.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/linux/calls.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/linux/trace.h"

enum { NUMBER_MAX = 512 };

static const struct linux_row *rows[NUMBER_MAX]; // by number
static linux_call *calls[NUMBER_MAX];            // by number; unknown ones lead to no_call
static _Atomic uint32_t unknown_counts[NUMBER_MAX];

const struct linux_row *syscall_row(long number)
{
    return number >= 0 && number < NUMBER_MAX ? rows[number] : NULL;
}

uint32_t syscall_unknown_count(long number)
{
    return number >= 0 && number < NUMBER_MAX ? atomic_load(&unknown_counts[number]) : 0;
}

void syscall_unknown_print(void)
{
    char line[512];
    size_t used = 0;
    for (long number = 0; number < NUMBER_MAX; ++number) {
        uint32_t count = syscall_unknown_count(number);
        const char *name = linux_call_name(number);
        if (count != 0 && used < sizeof line) {
            used +=
                format(line + used, sizeof line - used, " %s %u", name == NULL ? "?" : name, count);
        }
    }
    if (used != 0) {
        console_print("osv: system calls that are not here, and how often they were made:%s\n",
                      line);
    }
}

static long no_call(long a, long b, long c, long d, long e, long f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return -ENOSYS;
}

// A call that is not there, or one that a signal ended, or came during. (Who is interrupted by a
// signal that another thread takes first calls again.)
__attribute__((noinline, cold)) static long second_look(long result, long number,
                                                        const long arguments[6])
{
    const struct linux_row *row = rows[number];
    if (row == NULL) {
        atomic_fetch_add(&unknown_counts[number], 1);
        return -ENOSYS;
    }
    for (;;) {
        enum signal_outcome outcome = signal_run();
        if (result == -LINUX_INTERRUPTED) {
            return -EINTR;
        }
        bool is_restarted =
            outcome == SIGNAL_NO_HANDLER || (outcome == SIGNAL_RESTART && !row->never_restarts);
        if (result != -EINTR || !is_restarted) {
            return result;
        }
        result = row->call(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                           arguments[5]);
    }
}

static long dispatch(long number, long a, long b, long c, long d, long e, long f)
{
    if ((unsigned long)number >= NUMBER_MAX) {
        return -ENOSYS;
    }
    long result = calls[number](a, b, c, d, e, f);
    bool is_unusual = result == -EINTR || result == -ENOSYS || result == -LINUX_INTERRUPTED;
    if (__builtin_expect(is_unusual || task_is_signaled(task_self()), 0)) {
        return second_look(result, number, (const long[6]){a, b, c, d, e, f});
    }
    return result;
}

static long dispatch_traced(long number, long a, long b, long c, long d, long e, long f)
{
    const long arguments[6] = {a, b, c, d, e, f};
    trace_enter(number, arguments);
    long result = dispatch(number, a, b, c, d, e, f);
    trace_leave(number, arguments, result);
    return result;
}

long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f) = dispatch;

void syscall_init(bool is_traced)
{
    for (int i = 0; i < NUMBER_MAX; ++i) {
        calls[i] = no_call;
    }
    for (size_t i = 0; i < linux_row_count; ++i) {
        const struct linux_row *row = &linux_rows[i];
        ASSERT(row->number >= 0 && row->number < NUMBER_MAX);
        ASSERT(rows[row->number] == NULL);
        rows[row->number] = row;
        calls[row->number] = row->call;
    }
    linux_dispatch = is_traced ? dispatch_traced : dispatch;
}
