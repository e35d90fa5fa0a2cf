// SPDX-License-Identifier: BSD-3-Clause
// syscall.c: from a number to a function.
#include "core/linux/syscall.h"

#include <sys/syscall.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/instruction.h"
#include "core/linux/signal.h"
#include "core/linux/stats.h"
#include "core/linux/task.h"
#include "core/linux/trace.h"
#include "core/sync/shrinker.h"

static const struct linux_row *rows[SYSCALL_NUMBER_MAX]; // by number
linux_call *linux_calls[SYSCALL_NUMBER_MAX];
bool linux_call_is_bare[SYSCALL_NUMBER_MAX];
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

// With --strace or --stats: stands for every call, and linux_call_look makes it.
static long watched_call(long a, long b, long c, long d, long e, long f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return -LINUX_WATCHED;
}

static long row_call(const struct linux_row *row, const volatile long arguments[6])
{
    return row->call(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                     arguments[5]);
}

// How much memory the call wants. Most do not say.
static size_t row_wanted(const struct linux_row *row, const volatile long arguments[6])
{
    enum { USUAL = 64 << 10 };
    return row->number == SYS_mmap     ? (size_t)arguments[1]
           : row->number == SYS_mremap ? (size_t)arguments[2]
                                       : USUAL;
}

// A call that failed for want of memory has changed nothing: it is made again where some has been
// given back.
static long memory_look(long result, const struct linux_row *row, const volatile long arguments[6])
{
    enum { TRIES = 4 };
    for (int i = 0; i < TRIES && (result == -ENOMEM || result == -ENOSPC) &&
                    shrinker_retry(row_wanted(row, arguments));
         ++i) {
        result = row_call(row, arguments);
    }
    return result;
}

// The result, once a signal that ended the call, or came during it, has had its handler. (Who is
// interrupted by a signal that another thread takes first calls again.)
static long signals_run(long result, const struct linux_row *row, const volatile long arguments[6])
{
    for (;;) {
        bool is_ended = result == -EINTR || result == -LINUX_INTERRUPTED;
        if (!is_ended && !task_is_called()) {
            return result;
        }
        enum signal_outcome outcome = signal_run();
        if (result == -LINUX_INTERRUPTED) {
            return -EINTR;
        }
        bool is_restarted =
            outcome == SIGNAL_NO_HANDLER || (outcome == SIGNAL_RESTART && !row->never_restarts);
        if (result != -EINTR || !is_restarted) {
            return result;
        }
        result = row_call(row, arguments);
    }
}

hal_ns syscall_watch_begin(long number, const long arguments[6])
{
    if (is_traced) {
        trace_enter(number, arguments);
    }
    return is_counted ? stats_call_begin(number) : 0;
}

void syscall_watch_end(long number, const long arguments[6], long result, hal_ns start)
{
    if (is_counted) {
        stats_call_end(number, start);
    }
    if (is_traced) {
        trace_leave(number, arguments, result);
    }
}

static long watched_run(const struct linux_row *row, long number, const volatile long arguments[6])
{
    const long copies[6] = {arguments[0], arguments[1], arguments[2],
                            arguments[3], arguments[4], arguments[5]};
    hal_ns start = syscall_watch_begin(number, copies);
    long result = -ENOSYS;
    if (row == NULL) {
        stats_unknown_add(number);
    } else {
        result = signals_run(memory_look(row_call(row, arguments), row, arguments), row, arguments);
    }
    syscall_watch_end(number, copies, result, start);
    return result;
}

__attribute__((noinline)) long linux_call_look(long result, long number,
                                               const volatile long arguments[6])
{
    const struct linux_row *row = rows[number];
    if (result == -LINUX_WATCHED) {
        return watched_run(row, number, arguments);
    }
    if (row == NULL) {
        stats_unknown_add(number);
        return -ENOSYS;
    }
    return signals_run(memory_look(result, row, arguments), row, arguments);
}

static long dispatch(long number, long a, long b, long c, long d, long e, long f)
{
    return (unsigned long)number < SYSCALL_NUMBER_MAX ? linux_call_run(number, a, b, c, d, e, f)
                                                      : -ENOSYS;
}

long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f) = dispatch;

bool syscall_is_watched(void)
{
    return is_traced || is_counted;
}

void syscall_init(bool wants_trace, bool wants_stats)
{
    is_traced = wants_trace;
    is_counted = wants_stats;
    bool is_watched = syscall_is_watched();
    for (int i = 0; i < SYSCALL_NUMBER_MAX; ++i) {
        linux_calls[i] = is_watched ? watched_call : no_call;
    }
    for (size_t i = 0; i < linux_row_count; ++i) {
        const struct linux_row *row = &linux_rows[i];
        ASSERT(row->number >= 0 && row->number < SYSCALL_NUMBER_MAX);
        ASSERT(rows[row->number] == NULL);
        rows[row->number] = row;
        if (!is_watched) {
            linux_calls[row->number] = row->call;
            linux_call_is_bare[row->number] = row->arguments[0] == 0;
        }
    }
    instruction_init();
}
