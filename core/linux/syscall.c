// SPDX-License-Identifier: BSD-3-Clause
// syscall.c: from a number to a function.
#include "core/linux/syscall.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/signal.h"
#include "core/linux/stats.h"
#include "core/linux/task.h"
#include "core/linux/trace.h"

static const struct linux_row *rows[SYSCALL_NUMBER_MAX]; // by number
static linux_call *calls[SYSCALL_NUMBER_MAX];            // by number; unknown ones lead to no_call
static bool is_traced, is_counted;

const struct linux_row *syscall_row(long number)
{
    return number >= 0 && number < SYSCALL_NUMBER_MAX ? rows[number] : NULL;
}

static long no_call(long a, long b, long c, long d, long e, long f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return -ENOSYS;
}

// A call that is not there, or one that a signal ended, or came during. (Who is interrupted by a
// signal that another thread takes first calls again.)
__attribute__((noinline, cold)) static long second_look(long result, long number,
                                                        const volatile long arguments[6])
{
    const struct linux_row *row = rows[number];
    if (row == NULL) {
        stats_unknown_add(number);
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
    if ((unsigned long)number >= SYSCALL_NUMBER_MAX) {
        return -ENOSYS;
    }
    // In memory, whatever the compiler thinks: in registers they would have to be saved and
    // restored.
    volatile long kept[6];
    kept[0] = a, kept[1] = b, kept[2] = c, kept[3] = d, kept[4] = e, kept[5] = f;
    long result = calls[number](a, b, c, d, e, f);
    bool is_unusual = result == -EINTR || result == -ENOSYS || result == -LINUX_INTERRUPTED;
    if (__builtin_expect(is_unusual || task_is_called(), 0)) {
        return second_look(result, number, kept);
    }
    return result;
}

// With --strace or --stats.
static long dispatch_watched(long number, long a, long b, long c, long d, long e, long f)
{
    const long arguments[6] = {a, b, c, d, e, f};
    if (is_traced) {
        trace_enter(number, arguments);
    }
    hal_ns start = is_counted ? stats_call_begin(number) : 0;
    long result = dispatch(number, a, b, c, d, e, f);
    if (is_counted) {
        stats_call_end(number, start);
    }
    if (is_traced) {
        trace_leave(number, arguments, result);
    }
    return result;
}

long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f) = dispatch;

void syscall_init(bool wants_trace, bool wants_stats)
{
    for (int i = 0; i < SYSCALL_NUMBER_MAX; ++i) {
        calls[i] = no_call;
    }
    for (size_t i = 0; i < linux_row_count; ++i) {
        const struct linux_row *row = &linux_rows[i];
        ASSERT(row->number >= 0 && row->number < SYSCALL_NUMBER_MAX);
        ASSERT(rows[row->number] == NULL);
        rows[row->number] = row;
        calls[row->number] = row->call;
    }
    is_traced = wants_trace;
    is_counted = wants_stats;
    linux_dispatch = is_traced || is_counted ? dispatch_watched : dispatch;
}
