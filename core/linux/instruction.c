// SPDX-License-Identifier: BSD-3-Clause
// instruction.c: system calls by the instruction: upcall_syscall.
//
// The functions are those that the C library calls, and run on the thread's entry stack, which is
// empty while the program's own code runs, and stays the call's until that code goes on. So no
// handler of a signal runs within such a call: at its end the frame is changed, so that the program
// goes on in the handler (signal_run_on), which leaves the entry stack empty for the calls that it
// makes itself. What is about the frame, or about the stack that the program is on, has functions
// here; in the table of this file LINUX_FRAMED stands for them.
#include "core/linux/instruction.h"

#include <signal.h>
#include <sys/syscall.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/clone.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/report.h"
#include "core/linux/signal.h"
#include "core/linux/stats.h"
#include "core/linux/syscall.h"
#include "core/linux/task.h"
#include "hal/upcall.h"

enum { LINUX_FRAMED = 518 }; // inside: task->regs are to be filled first

static linux_call *calls[SYSCALL_NUMBER_MAX];

// ---- Calls that are about the frame, whose registers are in task->regs -----------------

static long return_call(const long arguments[6])
{
    (void)arguments;
    struct hal_regs *regs = &task_self()->regs;
    struct signal_frame *signal_frame = (struct signal_frame *)machine_place_of(regs).sp;
    if (signal_frame_check(signal_frame) == 0) {
        signal_return(signal_frame);
    }
    const struct linux_signal_info info = signal_info_kernel(SIGSEGV);
    if (!signal_force(regs, &info)) {
        report_fatal(SIGSEGV, regs, &info);
        process_end(128 + SIGSEGV);
    }
    hal_regs_resume(regs);
}

static long stack_call(const long arguments[6])
{
    return signal_stack_change((const void *)arguments[0], (void *)arguments[1],
                               machine_place_of(&task_self()->regs).sp);
}

static long clone_call(const long arguments[6])
{
    const struct clone_request request = clone_request_of(arguments);
    return clone_run(&request, &task_self()->regs);
}

static long clone3_call(const long arguments[6])
{
    struct clone_request request;
    int error = clone_request_read(&request, (const void *)arguments[0], (size_t)arguments[1]);
    return error != 0 ? error : clone_run(&request, &task_self()->regs);
}

static const struct framed {
    int number;
    long (*call)(const long arguments[6]);
} framed[] = {
    {SYS_rt_sigreturn, return_call},
    {SYS_sigaltstack, stack_call},
    {SYS_clone, clone_call},
    {SYS_clone3, clone3_call},
};

enum { FRAMED_COUNT = sizeof framed / sizeof framed[0] };

static long framed_answer(long a, long b, long c, long d, long e, long f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return -LINUX_FRAMED;
}

void instruction_init(void)
{
    for (int i = 0; i < SYSCALL_NUMBER_MAX; ++i) {
        calls[i] = linux_calls[i];
    }
    for (int i = 0; i < FRAMED_COUNT && !syscall_is_watched(); ++i) {
        calls[framed[i].number] = framed_answer;
    }
}

// ---- The uncommon ends of a call -----------------------------------------------------

static long call_make(long number, const long arguments[6])
{
    const struct linux_row *row = syscall_row(number);
    for (int i = 0; i < FRAMED_COUNT; ++i) {
        if (framed[i].number == number) {
            return framed[i].call(arguments);
        }
    }
    if (row == NULL) {
        stats_unknown_add(number);
        return -ENOSYS;
    }
    return row->call(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                     arguments[5]);
}

static long watched_make(long number, const long arguments[6])
{
    hal_ns start = syscall_watch_begin(number, arguments);
    long result = call_make(number, arguments);
    syscall_watch_end(number, arguments, result, start);
    return result;
}

static bool is_ended(long result)
{
    return result == -EINTR || result == -LINUX_INTERRUPTED;
}

// The result, once the signals that ended the call, or came during it, have frames on the program's
// stack. One that has no handler (any more) has not ended it: it is made again. task->regs are the
// frame's.
static long signals_run(long result, long number, const long arguments[6], struct hal_frame *frame)
{
    struct task *task = task_self();
    const struct linux_row *row = syscall_row(number);
    while (is_ended(result) || task_is_called()) {
        const struct signal_ended_call call = {
            .result = result == -LINUX_INTERRUPTED ? -EINTR : result,
            .never_restarts = result == -LINUX_INTERRUPTED || row == NULL || row->never_restarts,
        };
        if (signal_run_on(&task->regs, &call) != SIGNAL_NO_HANDLER) {
            hal_frame_set(frame, &task->regs);
            return machine_result(&task->regs);
        }
        if (result != -EINTR) {
            return call.result;
        }
        result = call_make(number, arguments);
    }
    return result;
}

__attribute__((noinline)) static long look(long result, long number, struct hal_frame *frame)
{
    const bool is_error = result < 0 && result > -LINUX_INTERRUPTED && result != -EINTR;
    const bool is_here = syscall_row(number) != NULL;
    if (is_error && is_here && !task_is_called()) {
        return result;
    }
    struct task *task = task_self();
    long arguments[6];
    hal_frame_get(frame, &task->regs);
    machine_call_arguments(&task->regs, arguments);
    if (result == -LINUX_WATCHED) {
        result = watched_make(number, arguments);
    } else if (result == -LINUX_FRAMED || !is_here) {
        result = call_make(number, arguments);
    }
    return signals_run(result, number, arguments, frame);
}

__attribute__((noinline)) static long unknown(struct hal_frame *frame)
{
    static const long none[6];
    hal_frame_get(frame, &task_self()->regs);
    return signals_run(-ENOSYS, SYSCALL_NUMBER_MAX, none, frame);
}

long upcall_syscall(long a, long b, long c, long d, long e, long f, long number,
                    struct hal_frame *frame)
{
    number = (uint32_t)number; // as Linux does it
    if (number >= SYSCALL_NUMBER_MAX) {
        return unknown(frame);
    }
    long result = calls[number](a, b, c, d, e, f);
    return __builtin_expect(linux_call_is_over(result), 1) ? result : look(result, number, frame);
}
