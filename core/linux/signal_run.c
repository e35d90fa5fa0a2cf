// SPDX-License-Identifier: BSD-3-Clause
// signal_run.c: the points where handlers run.
//
// A handler always runs by a frame on the application's stack, or on the alternate one, put on top
// of the registers that are to go on afterwards:
//   - on the way out of a system call, and in a wait of the C library (thread_serve): the registers
//     are those of handlers_run's own return (machine_capture);
//   - when an interrupt finds the thread in application code (frame_hook);
//   - on the way out of a system call that came by an instruction: the registers are its frame's
//     (signal_run_on), and the handler runs when the entry stack has been left;
//   - at once, for a fault of the thread's own.
// Several handlers that are due together are put on top of each other, so that the last runs first,
// as on Linux. Where a handler returns to, more may be due by then.
//
// An interrupt that finds the thread in core's code cannot let a handler in, for core may hold
// locks, and there is no frame for one that was held back by interrupts off. Then the thread either
// is in a system call, and looks when it leaves that, or in a function of the C library that waits,
// and looks before it parks, or in one that does not wait: the CPU's timer looks again LOOK_NS
// later, as long as that thread runs. Whoever sends a signal sets its bit first and interrupts the
// target's CPU afterwards, so one of these looks comes after the bit.
#include <signal.h>
#include <ucontext.h>

#include "core/lib/errno.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/report.h"
#include "core/linux/signal.h"
#include "core/linux/standstill.h"
#include "core/linux/task.h"
#include "core/mem/frame.h"
#include "core/sched/sched.h"
#include "core/sync/waitqueue.h"
#include "core/vm/vm.h"

enum { LOOK_NS = 50000, AUTO_DISARM = INT32_MIN };

static const uint64_t REPORTED = SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |
                                 SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) |
                                 SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGSYS) | SIGNAL_BIT(SIGXCPU) |
                                 SIGNAL_BIT(SIGXFSZ);

// Ends the process as a signal does that has no handler.
HAL_NORETURN static void process_kill(const struct hal_regs *regs,
                                      const struct linux_signal_info *info)
{
    if ((SIGNAL_BIT(info->signal) & REPORTED) != 0) {
        report_fatal(info->signal, regs, info);
        process_end(128 + info->signal);
    }
    process_exit(128 + info->signal);
}

// ---- Frames --------------------------------------------------------------------

void signal_stack_off(struct task *task)
{
    task->signal_stack = (struct signal_stack){.flags = SS_DISABLE};
}

bool signal_stack_holds(const struct signal_stack *stack, uintptr_t sp)
{
    return (stack->flags & SS_DISABLE) == 0 && sp > (uintptr_t)stack->base &&
           sp - (uintptr_t)stack->base <= stack->size;
}

// Where the frame goes, and how far down it may reach.
static void place_choose(const struct task *task, const struct signal_action *action,
                         struct signal_call *call)
{
    const struct signal_stack *stack = &task->signal_stack;
    bool is_on = signal_stack_holds(stack, call->sp);
    if (!is_on && (action->flags & SA_ONSTACK) != 0 && (stack->flags & SS_DISABLE) == 0) {
        call->sp = (uintptr_t)stack->base + stack->size;
        is_on = true;
    }
    call->sp_min = is_on ? (uintptr_t)stack->base : 0;
}

// Not "outside of core's image": the clock of a host, say, is read by code of the host's.
static bool is_program(uintptr_t ip)
{
    return vm_is_window((const char *)ip);
}

// To a memory checker what lies below a stack's red zone is closed, and no push opens it.
static void place_open(uintptr_t sp)
{
    enum { RED_ZONE = 128, SIZE = sizeof(struct hal_regs) + sizeof(ucontext_t) + 1024 };
    if (frame_is_checked() && sp > RED_ZONE + SIZE) {
        hal_check_set(HAL_CHECK_FRESH, (const char *)sp - RED_ZONE - SIZE, SIZE);
    }
}

// The C library's own lies in core, where no system call is made by the instruction.
static uintptr_t restorer_of(const struct signal_action *action)
{
    bool is_programs = (action->flags & SA_RESTORER) != 0 && is_program(action->restorer);
    return is_programs ? action->restorer : 0;
}

// Changes regs so that the handler runs, with what the action says blocked. Interrupts on.
static void frame_push(struct task *task, struct hal_regs *regs,
                       const struct linux_signal_info *info, const struct signal_action *action)
{
    struct signal_call call = {.handler = action->handler,
                               .sp = machine_place_of(regs).sp,
                               .restorer = restorer_of(action),
                               .info = info,
                               .stack = task->signal_stack};
    uint64_t blocked = atomic_load(&task->blocked);
    call.mask = task->has_saved_mask ? task->saved_mask : blocked;
    task->has_saved_mask = false;
    place_choose(task, action, &call);
    place_open(call.sp);
    if (signal_frame_push(regs, &call) != 0) {
        report_fatal(SIGSEGV, regs, info);
        process_end(128 + SIGSEGV);
    }
    if ((task->signal_stack.flags & (uint32_t)AUTO_DISARM) != 0) {
        signal_stack_off(task);
    }
    uint64_t more =
        action->mask | ((action->flags & SA_NODEFER) != 0 ? 0 : SIGNAL_BIT(info->signal));
    signal_mask_set(task, blocked | more);
}

// What the program goes on with behind a call, once the first handler says how it ended.
static void call_end(struct hal_regs *regs, const struct signal_ended_call *call,
                     enum signal_outcome outcome)
{
    if (call->result == -EINTR && outcome == SIGNAL_RESTART && !call->never_restarts) {
        machine_call_again(regs);
    } else {
        machine_result_set(regs, call->result);
    }
}

// The frames of all handlers that are to run. What an interrupted call does is the first's to say.
// call NULL: regs are what the program goes on with.
static enum signal_outcome frames_push(struct task *task, struct hal_regs *regs,
                                       const struct signal_ended_call *call)
{
    enum signal_outcome outcome = SIGNAL_NO_HANDLER;
    struct linux_signal_info info;
    struct signal_action action;
    // Before the look: what is sent now sets it again.
    atomic_store(&task->thread->is_called, false);
    while (signal_deliverable(task) != 0 &&
           signal_take(task, ~atomic_load(&task->blocked), &info)) {
        signal_action_take(info.signal, &action);
        if (signal_is_ignored(info.signal, &action)) {
            continue;
        }
        if (action.handler == (uintptr_t)SIG_DFL) {
            process_kill(regs, &info);
        }
        if (outcome == SIGNAL_NO_HANDLER) {
            outcome = (action.flags & SA_RESTART) != 0 ? SIGNAL_RESTART : SIGNAL_INTERRUPT;
            if (call != NULL) {
                call_end(regs, call, outcome);
            }
        }
        frame_push(task, regs, &info, &action);
    }
    return outcome;
}

// The next two run on the entry stack, for frames are put where the application's stack is in use.

// The registers are copied first: a new frame may lie where the old one was.
static void return_run(void *frame)
{
    struct task *task = task_self();
    uint64_t mask;
    signal_frame_pop(frame, &task->regs, &mask, &task->signal_stack);
    signal_mask_set(task, mask);
    (void)frames_push(task, &task->regs, NULL);
    hal_regs_resume(&task->regs);
}

static void handlers_start(void *outcome)
{
    struct task *task = task_self();
    *(enum signal_outcome *)outcome = frames_push(task, &task->regs, NULL);
    hal_regs_resume(&task->regs);
}

void signal_return(struct signal_frame *frame)
{
    machine_stack_call(thread_self()->context.entry_stack, return_run, frame);
}

// outcome is volatile: the way back has the registers of the first time, and compilers know only
// one.
static enum signal_outcome handlers_run(void)
{
    volatile enum signal_outcome outcome = SIGNAL_NO_HANDLER;
    if (!machine_capture(&task_self()->regs)) {
        machine_stack_call(thread_self()->context.entry_stack, handlers_start, (void *)&outcome);
    }
    return outcome;
}

// Where no handler has taken it along.
static void saved_mask_restore(struct task *task)
{
    if (task->has_saved_mask) {
        task->has_saved_mask = false;
        signal_mask_set(task, task->saved_mask);
    }
}

enum signal_outcome signal_run(void)
{
    struct task *task = task_self();
    enum signal_outcome outcome = SIGNAL_NO_HANDLER;
    while (task_is_called()) {
        enum signal_outcome here = handlers_run();
        outcome = outcome == SIGNAL_NO_HANDLER ? here : outcome;
        saved_mask_restore(task);
    }
    return outcome;
}

enum signal_outcome signal_run_on(struct hal_regs *regs, const struct signal_ended_call *call)
{
    struct task *task = task_self();
    enum signal_outcome outcome = SIGNAL_NO_HANDLER;
    while (task_is_called()) {
        bool is_first = outcome == SIGNAL_NO_HANDLER;
        enum signal_outcome here = frames_push(task, regs, is_first ? call : NULL);
        outcome = is_first ? here : outcome;
        saved_mask_restore(task);
    }
    return outcome;
}

static bool serve(bool never_restarts)
{
    enum signal_outcome outcome = signal_run();
    return outcome == SIGNAL_INTERRUPT || (never_restarts && outcome == SIGNAL_RESTART);
}

// A saved mask is signal_run's business alone.
static bool is_due(const struct task *task)
{
    return task_is_called() && signal_deliverable(task) != 0;
}

static bool is_interrupted(void)
{
    const struct task *task = task_self();
    return task != NULL && is_due(task);
}

// ---- Interrupts and faults -----------------------------------------------------

// Called by the scheduler at the end of each interrupt, interrupts off; frame NULL: core let it in.
static void frame_hook(struct hal_frame *frame)
{
    struct task *task = task_self();
    if (task == NULL || (!is_due(task) && !standstill_is_under_way())) {
        return;
    }
    if (frame == NULL) {
        sched_look_again(LOOK_NS);
        return;
    }
    struct hal_regs regs;
    hal_frame_get(frame, &regs);
    if (!is_program(machine_place_of(&regs).ip)) {
        sched_look_again(LOOK_NS);
        return;
    }
    hal_irq_restore(0);
    if (standstill_is_under_way()) {
        standstill_hold();
    }
    if (frames_push(task, &regs, NULL) != SIGNAL_NO_HANDLER) {
        hal_frame_set(frame, &regs);
    }
    (void)hal_irq_save();
}

// The signal of a fault cannot wait: where it has no handler, or is blocked, the process ends.
bool signal_force(struct hal_regs *regs, const struct linux_signal_info *info)
{
    struct task *task = task_self();
    struct signal_action action;
    bool is_blocked = (atomic_load(&task->blocked) & SIGNAL_BIT(info->signal)) != 0;
    signal_action_take(info->signal, &action);
    if (is_blocked || action.handler == (uintptr_t)SIG_DFL ||
        action.handler == (uintptr_t)SIG_IGN) {
        return false;
    }
    frame_push(task, regs, info, &action);
    return true;
}

void signal_hooks_init(void)
{
    wait_interrupt_test_set(is_interrupted);
    thread_serve_set(serve);
    sched_frame_hook_set(frame_hook);
}
