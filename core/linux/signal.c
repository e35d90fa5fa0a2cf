// SPDX-License-Identifier: BSD-3-Clause
// signal.c: actions, masks, pending sets, and the points where handlers run.
//
// A signal is a bit in its target's pending set. Its handler runs
//   - as a function, on the way out of a system call that it interrupted, or that sent or unblocked
//   it;
//   - by a frame, when an interrupt finds the thread in application code (frame_hook);
//   - by a frame, at once, for a fault of the thread's own.
// An interrupt that finds the thread in core's code cannot let the handler in, for core may hold
// locks; one that finds interrupts off shows no frame. The signal thread then kicks the CPU again a
// little later, until the handler has run.
#include "core/linux/signal.h"

#include <signal.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/machine.h"
#include "core/linux/report.h"
#include "core/linux/task.h"
#include "core/linux/trap.h"
#include "core/linux/user.h"
#include "core/sched/sched.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"
#include "hal/upcall.h"

struct action { // the kernel's struct sigaction
    uintptr_t handler;
    uint64_t flags;
    uintptr_t restorer; // x86_64; elsewhere the mask comes here already
    uint64_t mask;
};

static struct mutex action_lock;
static struct action actions[SIGNAL_COUNT + 1]; // action_lock
static _Atomic uint64_t process_pending;        // for the process, all threads block it
static _Atomic uint32_t notices;                // bit n: enum hal_notice n, for the signal thread
static _Atomic bool is_retry_wanted;
static struct thread *signal_thread;
static uintptr_t image_start, image_end;

enum { RETRY_NS = 1000000 };

#define BIT(signal) ((uint64_t)1 << ((signal)-1))

static const uint64_t UNBLOCKABLE = BIT(SIGKILL) | BIT(SIGSTOP);
static const uint64_t IGNORED_BY_DEFAULT = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) |
                                           BIT(SIGWINCH) | BIT(SIGSTOP) | BIT(SIGTSTP) |
                                           BIT(SIGTTIN) | BIT(SIGTTOU);
static const uint64_t REPORTED = BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) |
                                 BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGSEGV) | BIT(SIGSYS) |
                                 BIT(SIGXCPU) | BIT(SIGXFSZ);

static bool is_valid(int signal)
{
    return signal >= 1 && signal <= SIGNAL_COUNT;
}

static struct action action_get(int signal)
{
    mutex_lock(&action_lock);
    struct action action = actions[signal];
    mutex_unlock(&action_lock);
    return action;
}

static bool is_ignored(int signal, const struct action *action)
{
    return action->handler == (uintptr_t)SIG_IGN ||
           (action->handler == (uintptr_t)SIG_DFL && (BIT(signal) & IGNORED_BY_DEFAULT) != 0);
}

static uint64_t deliverable(const struct task *task)
{
    return (atomic_load(&task->pending) | atomic_load(&process_pending)) &
           ~atomic_load(&task->blocked);
}

static bool is_interrupted(void)
{
    const struct task *task = task_self();
    return task != NULL && deliverable(task) != 0;
}

// Takes the first signal that may run; 0: none.
static int signal_take(struct task *task)
{
    uint64_t ready = deliverable(task);
    while (ready != 0) {
        int signal = __builtin_ctzll(ready) + 1;
        uint64_t bit = BIT(signal);
        if ((atomic_fetch_and(&task->pending, ~bit) & bit) != 0 ||
            (atomic_fetch_and(&process_pending, ~bit) & bit) != 0) {
            return signal;
        }
        ready = deliverable(task);
    }
    return 0;
}

void process_killed(int signal)
{
    if ((BIT(signal) & REPORTED) != 0) {
        report_fatal(signal, NULL, NULL);
    }
    process_exit(128 + signal);
}

// Blocks what the action says while the handler runs. Answers the mask to go back to.
static uint64_t mask_enter(struct task *task, int signal, const struct action *action)
{
    uint64_t old = atomic_load(&task->blocked);
    uint64_t more = action->mask | ((action->flags & SA_NODEFER) != 0 ? 0 : BIT(signal));
    atomic_store(&task->blocked, (old | more) & ~UNBLOCKABLE);
    if ((action->flags & SA_RESETHAND) != 0) {
        mutex_lock(&action_lock);
        actions[signal].handler = (uintptr_t)SIG_DFL;
        mutex_unlock(&action_lock);
    }
    return old;
}

void signal_mask_restore(struct task *task, uint64_t mask)
{
    atomic_store(&task->blocked, mask & ~UNBLOCKABLE);
}

static struct linux_signal_info info_of_sender(int signal)
{
    return (struct linux_signal_info){
        .signal = signal, .code = SI_USER, .sender = {PROCESS_ID, process_options()->uid}};
}

// Runs the handler of a signal taken by the caller, as a function. True: interrupted calls go on
// (SA_RESTART).
static bool signal_run(struct task *task, int signal)
{
    struct action action = action_get(signal);
    if (is_ignored(signal, &action)) {
        return true;
    }
    if (action.handler == (uintptr_t)SIG_DFL) {
        process_killed(signal);
    }
    struct linux_signal_info info = info_of_sender(signal);
    struct signal_call call = {.handler = action.handler, .info = &info};
    call.mask = mask_enter(task, signal, &action);
    signal_call_plain(&call);
    signal_mask_restore(task, call.mask);
    return (action.flags & SA_RESTART) != 0;
}

bool signal_interrupted(void)
{
    struct task *task = task_self();
    bool is_restart = true;
    int signal;
    while ((signal = signal_take(task)) != 0) {
        is_restart &= signal_run(task, signal);
    }
    return is_restart;
}

// An interrupt may find its target in core's code, or with interrupts off, where no frame is shown.
static void retry_later(void)
{
    atomic_store(&is_retry_wanted, true);
    thread_wake(signal_thread);
}

// ---- Frames --------------------------------------------------------------

static bool is_on(const struct task_signal_stack *stack, uintptr_t sp)
{
    return stack->is_set && sp > (uintptr_t)stack->base &&
           sp <= (uintptr_t)stack->base + stack->size;
}

// Changes regs so that the handler runs. Interrupts on.
static void frame_push(struct task *task, struct hal_regs *regs,
                       const struct linux_signal_info *info, const struct action *action)
{
    struct signal_call call = {.handler = action->handler, .info = info};
    call.sp = machine_place_of(regs).sp;
    const struct task_signal_stack *stack = &task->signal_stack;
    if ((action->flags & SA_ONSTACK) != 0 && stack->is_set && !is_on(stack, call.sp)) {
        call.sp = (uintptr_t)stack->base + stack->size;
    }
    call.mask = mask_enter(task, info->signal, action);
    if (signal_frame_push(regs, &call) != 0) {
        report_fatal(info->signal, regs, info);
        process_exit(128 + info->signal);
    }
}

static bool is_core(uintptr_t ip)
{
    return ip >= image_start && ip < image_end;
}

// Called by the scheduler on the way back to interrupted code, interrupts off.
static void frame_hook(struct hal_frame *frame)
{
    struct task *task = task_self();
    if (task == NULL || deliverable(task) == 0) {
        return;
    }
    struct hal_regs regs;
    hal_frame_get(frame, &regs);
    if (is_core(machine_place_of(&regs).ip)) {
        retry_later();
        return;
    }
    hal_irq_restore(0);
    int signal = signal_take(task);
    struct action action = signal == 0 ? (struct action){0} : action_get(signal);
    if (signal != 0 && !is_ignored(signal, &action)) {
        if (action.handler == (uintptr_t)SIG_DFL) {
            process_killed(signal);
        }
        struct linux_signal_info info = info_of_sender(signal);
        frame_push(task, &regs, &info, &action);
        hal_frame_set(frame, &regs);
    }
    (void)hal_irq_save();
}

static struct linux_signal_info info_of_fault(const struct hal_fault *fault)
{
    struct linux_signal_info info = {.address = fault->va};
    switch (fault->kind) {
    case HAL_FAULT_PAGE:
        info.signal = SIGSEGV;
        info.code = SEGV_MAPERR;
        break;
    case HAL_FAULT_ILLEGAL:
        info.signal = SIGILL;
        info.code = ILL_ILLOPN;
        break;
    case HAL_FAULT_MATH:
        info.signal = SIGFPE;
        info.code = FPE_INTDIV;
        break;
    case HAL_FAULT_TRAP:
        info.signal = SIGTRAP;
        info.code = TRAP_BRKPT;
        break;
    }
    return info;
}

bool signal_fault(const struct hal_fault *fault, struct hal_frame *frame)
{
    struct task *task = task_self();
    if (fault->is_optional) {
        return false;
    }
    struct hal_regs regs;
    struct linux_signal_info info = info_of_fault(fault);
    hal_frame_get(frame, &regs);
    struct action action = {0};
    if (task != NULL && hal_irq_enabled()) {
        action = action_get(info.signal);
    }
    bool is_blocked = task != NULL && (atomic_load(&task->blocked) & BIT(info.signal)) != 0;
    if (action.handler == (uintptr_t)SIG_DFL || action.handler == (uintptr_t)SIG_IGN ||
        is_blocked) {
        report_fatal(info.signal, &regs, &info);
        process_exit(128 + info.signal);
    }
    frame_push(task, &regs, &info, &action);
    hal_frame_set(frame, &regs);
    return true;
}

// ---- Sending -------------------------------------------------------------

// Gets the target to look: it may be parked, running elsewhere, or about to park.
static void thread_notify(struct thread *thread)
{
    thread_wake(thread);
    thread_kick(thread);
}

void signal_send_thread(struct thread *thread, int signal)
{
    struct task *task = thread->user;
    struct action action = action_get(signal);
    if (is_ignored(signal, &action) && (atomic_load(&task->blocked) & BIT(signal)) == 0) {
        return;
    }
    atomic_fetch_or(&task->pending, BIT(signal));
    if (task == task_self()) {
        (void)signal_interrupted();
    } else {
        thread_notify(thread);
        retry_later();
    }
}

void signal_send_self(int signal)
{
    signal_send_thread(thread_self(), signal);
}

struct target_search {
    int signal;
    struct thread *found;
};

static void target_consider(struct thread *thread, void *argument)
{
    struct target_search *search = argument;
    struct task *task = thread->user;
    if (task != NULL && search->found == NULL &&
        (atomic_load(&task->blocked) & BIT(search->signal)) == 0) {
        search->found = thread;
    }
}

void signal_send_process(int signal)
{
    struct task *self = task_self();
    struct target_search search = {.signal = signal};
    if (self != NULL && (atomic_load(&self->blocked) & BIT(signal)) == 0) {
        search.found = thread_self();
    } else {
        thread_walk(target_consider, &search);
    }
    if (search.found != NULL) {
        signal_send_thread(search.found, signal);
        return;
    }
    struct action action = action_get(signal);
    if (!is_ignored(signal, &action)) {
        atomic_fetch_or(&process_pending, BIT(signal));
    }
}

// ---- The signal thread -----------------------------------------------------

static void thread_retry(struct thread *thread, void *argument)
{
    (void)argument;
    struct task *task = thread->user;
    if (task != NULL && deliverable(task) != 0) {
        thread_notify(thread);
        if (atomic_load(&thread->state) != THREAD_PARKED) {
            atomic_store(&is_retry_wanted, true);
        }
    }
}

static void notice_run(enum hal_notice notice)
{
    switch (notice) {
    case HAL_NOTICE_INTERRUPT:
        signal_send_process(SIGINT);
        break;
    case HAL_NOTICE_TERMINATE:
    case HAL_NOTICE_POWER:
        signal_send_process(SIGTERM);
        break;
    case HAL_NOTICE_QUIT:
        report_threads();
        break;
    case HAL_NOTICE_RESIZE:
        signal_send_process(SIGWINCH);
        break;
    }
}

static void signal_thread_run(void *argument)
{
    (void)argument;
    for (;;) {
        uint32_t seen = atomic_exchange(&notices, 0);
        for (uint32_t notice = 0; notice < 32; ++notice) {
            if ((seen >> notice & 1) != 0) {
                notice_run((enum hal_notice)notice);
            }
        }
        if (atomic_exchange(&is_retry_wanted, false)) {
            thread_sleep_until(hal_clock_ns() + RETRY_NS);
            thread_walk(thread_retry, NULL);
        } else if (atomic_load(&notices) == 0) {
            thread_park();
        }
    }
}

void upcall_notice(enum hal_notice notice)
{
    atomic_fetch_or(&notices, 1u << notice);
    if (signal_thread != NULL) {
        thread_wake(signal_thread);
    }
    sched_interrupt_end(NULL);
}

void signal_init(const char *image, size_t image_size)
{
    image_start = (uintptr_t)image;
    image_end = image_start + image_size;
    const struct thread_config config = {.name = "signal", .detached = true};
    int error = thread_create(&signal_thread, &config, signal_thread_run, NULL);
    ASSERT(error == 0); // at boot
    thread_start(signal_thread);
    wait_interrupt_test_set(is_interrupted);
    sched_frame_hook_set(frame_hook);
}

// ---- System calls --------------------------------------------------------

long linux_rt_sigaction(int signal, const void *set, void *get, size_t size)
{
    struct action action;
    if (!is_valid(signal) || size != sizeof action.mask ||
        (set != NULL && (BIT(signal) & UNBLOCKABLE) != 0)) {
        return -EINVAL;
    }
    int error = set == NULL ? 0 : user_read(&action, set, sizeof action);
    if (error != 0) {
        return error;
    }
    mutex_lock(&action_lock);
    struct action old = actions[signal];
    if (set != NULL) {
        actions[signal] = action;
    }
    mutex_unlock(&action_lock);
    if (set != NULL && is_ignored(signal, &action)) {
        atomic_fetch_and(&task_self()->pending, ~BIT(signal));
        atomic_fetch_and(&process_pending, ~BIT(signal));
    }
    return get == NULL ? 0 : user_write(get, &old, sizeof old);
}

long linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *get, size_t size)
{
    struct task *task = task_self();
    uint64_t old = atomic_load(&task->blocked);
    uint64_t mask = 0;
    if (size != sizeof mask) {
        return -EINVAL;
    }
    int error = set == NULL ? 0 : user_read(&mask, set, sizeof mask);
    if (error == 0 && get != NULL) {
        error = user_write(get, &old, sizeof old);
    }
    if (error != 0 || set == NULL) {
        return error;
    }
    if (how < SIG_BLOCK || how > SIG_SETMASK) {
        return -EINVAL;
    }
    signal_mask_restore(task, how == SIG_BLOCK     ? old | mask
                              : how == SIG_UNBLOCK ? old & ~mask
                                                   : mask);
    (void)signal_interrupted();
    return 0;
}

long linux_rt_sigpending(uint64_t *get, size_t size)
{
    struct task *task = task_self();
    uint64_t set =
        (atomic_load(&task->pending) | atomic_load(&process_pending)) & atomic_load(&task->blocked);
    return size != sizeof set ? -EINVAL : user_write(get, &set, sizeof set);
}

static int mask_read(uint64_t *mask, const uint64_t *user, size_t size)
{
    return size != sizeof *mask ? -EINVAL : user_read(mask, user, sizeof *mask);
}

int signal_mask_push(const uint64_t *user, size_t size)
{
    struct task *task = task_self();
    uint64_t mask;
    if (user == NULL) {
        return 0;
    }
    int error = mask_read(&mask, user, size);
    if (error == 0) {
        task->suspend_mask = atomic_load(&task->blocked);
        signal_mask_restore(task, mask);
    }
    return error;
}

void signal_mask_pop(const uint64_t *user, bool was_interrupted)
{
    struct task *task = task_self();
    if (user == NULL) {
        return;
    }
    uint64_t old = task->suspend_mask;
    if (was_interrupted) {
        (void)signal_interrupted(); // under the mask that let the signal in
    }
    signal_mask_restore(task, old);
}

long linux_rt_sigsuspend(const uint64_t *user, size_t size)
{
    int error = user == NULL ? -EFAULT : signal_mask_push(user, size);
    if (error != 0) {
        return error;
    }
    while (!is_interrupted()) {
        thread_park();
    }
    signal_mask_pop(user, true);
    return -EINTR;
}

long linux_pause(void)
{
    while (!is_interrupted()) {
        thread_park();
    }
    return -EINTR;
}

// Takes a pending signal of set, blocked or not. 0: none.
static int pending_take(struct task *task, uint64_t set)
{
    for (int signal = 1; signal <= SIGNAL_COUNT; ++signal) {
        uint64_t bit = BIT(signal) & set;
        if (bit != 0 && ((atomic_fetch_and(&task->pending, ~bit) & bit) != 0 ||
                         (atomic_fetch_and(&process_pending, ~bit) & bit) != 0)) {
            return signal;
        }
    }
    return 0;
}

long linux_rt_sigtimedwait(const uint64_t *user, void *info, const struct timespec *timeout,
                           size_t size)
{
    struct task *task = task_self();
    uint64_t set;
    hal_ns deadline;
    int error = mask_read(&set, user, size);
    if (error != 0 || (error = clock_span_read(&deadline, timeout)) != 0) {
        return error;
    }
    int signal;
    while ((signal = pending_take(task, set)) == 0) {
        if (is_interrupted()) {
            return -EINTR;
        }
        if (!thread_park_until(deadline)) {
            return -EAGAIN;
        }
    }
    struct linux_signal_info taken = info_of_sender(signal);
    error = info == NULL ? 0 : user_write(info, &taken, sizeof taken);
    return error != 0 ? error : signal;
}

long linux_kill(int id, int signal)
{
    bool is_us = id == PROCESS_ID || id == 0 || id == -1 || id == -PROCESS_ID;
    if (signal != 0 && !is_valid(signal)) {
        return -EINVAL;
    }
    if (!is_us) {
        return -ESRCH;
    }
    if (signal != 0) {
        signal_send_process(signal);
    }
    return 0;
}

long linux_tkill(int32_t id, int signal)
{
    if (id <= 0 || (signal != 0 && !is_valid(signal))) {
        return -EINVAL;
    }
    struct thread *thread = task_thread(id);
    if (thread == NULL) {
        return -ESRCH;
    }
    if (signal != 0) {
        signal_send_thread(thread, signal);
    }
    return 0;
}

long linux_tgkill(int32_t group, int32_t id, int signal)
{
    return group <= 0 ? -EINVAL : group != PROCESS_ID ? -ESRCH : linux_tkill(id, signal);
}

long linux_sigaltstack(const void *set, void *get)
{
    struct task_signal_stack *stack = &task_self()->signal_stack;
    stack_t user;
    stack_t old = {.ss_sp = stack->base, .ss_size = stack->size, .ss_flags = SS_DISABLE};
    if (stack->is_set) {
        old.ss_flags = is_on(stack, (uintptr_t)__builtin_frame_address(0)) ? SS_ONSTACK : 0;
    }
    int error = set == NULL ? 0 : user_read(&user, set, sizeof user);
    if (error == 0 && get != NULL) {
        error = user_write(get, &old, sizeof old);
    }
    if (error != 0 || set == NULL) {
        return error;
    }
    if (old.ss_flags == SS_ONSTACK) {
        return -EPERM;
    }
    if ((user.ss_flags & ~SS_DISABLE) != 0) {
        return -EINVAL;
    }
    if (user.ss_flags != SS_DISABLE && user.ss_size < 2048) {
        return -ENOMEM;
    }
    *stack = (struct task_signal_stack){user.ss_sp, user.ss_size, user.ss_flags != SS_DISABLE};
    return 0;
}
