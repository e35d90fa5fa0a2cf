// SPDX-License-Identifier: BSD-3-Clause
// signal_calls.c: the calls about signals that are not sigaction's.
#include <signal.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/sync/waitqueue.h"

static int mask_read(uint64_t *mask, const uint64_t *user, size_t size)
{
    return size != sizeof *mask ? -EINVAL : user_read(mask, user, sizeof *mask);
}

// ---- Masks -----------------------------------------------------------------------

long linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *get, size_t size)
{
    struct task *task = task_self();
    uint64_t old = atomic_load(&task->blocked);
    uint64_t mask = 0;
    if (size != sizeof mask) {
        return -EINVAL;
    }
    int error = set == NULL ? 0 : user_read(&mask, set, sizeof mask);
    if (error == 0 && set != NULL && (how < SIG_BLOCK || how > SIG_SETMASK)) {
        error = -EINVAL;
    }
    if (error == 0 && set != NULL) {
        signal_mask_set(task, how == SIG_BLOCK     ? old | mask
                              : how == SIG_UNBLOCK ? old & ~mask
                                                   : mask);
    }
    return error != 0 || get == NULL ? error : user_write(get, &old, sizeof old);
}

long linux_rt_sigpending(uint64_t *get, size_t size)
{
    const struct task *task = task_self();
    uint64_t set = signal_pending(task) & atomic_load(&task->blocked);
    return size > sizeof set ? -EINVAL : user_write(get, &set, size);
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
        task->saved_mask = atomic_load(&task->blocked);
        task->has_saved_mask = true;
        atomic_store(&task->thread->is_called, true);
        signal_mask_set(task, mask);
    }
    return error;
}

void signal_mask_pop(const uint64_t *user, bool is_interrupted)
{
    struct task *task = task_self();
    if (user != NULL && !is_interrupted) {
        task->has_saved_mask = false;
        signal_mask_set(task, task->saved_mask);
    }
}

// ---- Waiting ---------------------------------------------------------------------

long linux_pause(void)
{
    while (!wait_is_interrupted()) {
        thread_park();
    }
    return -EINTR;
}

long linux_rt_sigsuspend(const uint64_t *user, size_t size)
{
    int error = user == NULL ? -EFAULT : signal_mask_push(user, size);
    return error != 0 ? error : linux_pause();
}

static int pending_await(struct task *task, uint64_t set, hal_ns deadline,
                         struct linux_signal_info *info)
{
    while (!signal_take(task, set, info)) {
        if (wait_is_interrupted()) {
            return -EINTR;
        }
        if (!thread_park_until(deadline)) {
            return signal_take(task, set, info) ? 0 : -EAGAIN;
        }
    }
    return 0;
}

long linux_rt_sigtimedwait(const uint64_t *user, void *user_info, const struct timespec *timeout,
                           size_t size)
{
    struct task *task = task_self();
    struct linux_signal_info info;
    uint64_t set;
    hal_ns deadline;
    int error = mask_read(&set, user, size);
    if (error != 0 || (error = clock_span_read(&deadline, timeout)) != 0) {
        return error;
    }
    set &= ~signal_unblockable;
    signal_wait_begin(task, set);
    error = pending_await(task, set, deadline, &info);
    signal_wait_end(task);
    if (error == 0 && user_info != NULL) {
        error = user_write(user_info, &info, sizeof info);
    }
    return error != 0 ? error : info.signal;
}

// ---- Sending ---------------------------------------------------------------------

static bool is_valid(int signal)
{
    return signal >= 0 && signal <= SIGNAL_COUNT;
}

static bool is_us(int id)
{
    return id == PROCESS_ID || id == 0 || id == -PROCESS_ID;
}

// One process: a signal to all that the caller may reach is one to nobody else.
long linux_kill(int id, int signal)
{
    if (!is_valid(signal)) {
        return -EINVAL;
    }
    if (!is_us(id)) {
        return -ESRCH;
    }
    struct linux_signal_info info = signal_info_user(signal);
    if (signal != 0) {
        (void)signal_send_process(&info); // kept or not, it was sent
    }
    return 0;
}

static long thread_send(int32_t id, const struct linux_signal_info *info)
{
    int result = signal_send_thread(id, info);
    return result < 0 ? result : 0;
}

long linux_tkill(int32_t id, int signal)
{
    if (id <= 0 || !is_valid(signal)) {
        return -EINVAL;
    }
    struct linux_signal_info info = signal_info_user(signal);
    info.code = SI_TKILL;
    return thread_send(id, &info);
}

long linux_tgkill(int32_t group, int32_t id, int signal)
{
    return group <= 0 || id <= 0 ? -EINVAL : group != PROCESS_ID ? -ESRCH : linux_tkill(id, signal);
}

// To oneself any code is allowed.
static int info_read(struct linux_signal_info *info, const void *user, int signal)
{
    int error = user_read(info, user, sizeof *info);
    info->signal = signal;
    return error != 0 ? error : is_valid(signal) ? 0 : -EINVAL;
}

long linux_rt_sigqueueinfo(int id, int signal, const void *user)
{
    struct linux_signal_info info;
    int error = info_read(&info, user, signal);
    if (error != 0 || !is_us(id)) {
        return error != 0 ? error : -ESRCH;
    }
    int result = signal == 0 ? 0 : signal_send_process(&info);
    return result < 0 ? result : 0;
}

long linux_rt_tgsigqueueinfo(int32_t group, int32_t id, int signal, const void *user)
{
    struct linux_signal_info info;
    int error = info_read(&info, user, signal);
    if (error != 0 || group <= 0 || id <= 0) {
        return error != 0 ? error : -EINVAL;
    }
    return group != PROCESS_ID ? -ESRCH : thread_send(id, &info);
}

// ---- The alternate stack -----------------------------------------------------------

static int stack_check(const stack_t *stack)
{
    enum { AUTO_DISARM = INT32_MIN };
    int mode = stack->ss_flags & ~AUTO_DISARM;
    if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK) {
        return -EINVAL;
    }
    return mode != SS_DISABLE && stack->ss_size < (size_t)MINSIGSTKSZ ? -ENOMEM : 0;
}

long signal_stack_change(const void *set, void *get, uintptr_t sp)
{
    struct signal_stack *stack = &task_self()->signal_stack;
    stack_t user;
    stack_t old = {.ss_sp = stack->base, .ss_size = stack->size, .ss_flags = (int)stack->flags};
    bool is_on = signal_stack_holds(stack, sp);
    old.ss_flags |= is_on ? SS_ONSTACK : 0;
    int error = set == NULL ? 0 : user_read(&user, set, sizeof user);
    if (error == 0 && set != NULL) {
        error = is_on ? -EPERM : stack_check(&user);
    }
    if (error != 0) {
        return error;
    }
    if (set != NULL) {
        *stack = (struct signal_stack){user.ss_sp, user.ss_size,
                                       (uint32_t)(user.ss_flags & ~SS_ONSTACK)};
    }
    if (set != NULL && (user.ss_flags & SS_DISABLE) != 0) {
        signal_stack_off(task_self());
    }
    return get == NULL ? 0 : user_write(get, &old, sizeof old);
}

long linux_sigaltstack(const void *set, void *get)
{
    return signal_stack_change(set, get, (uintptr_t)__builtin_frame_address(0));
}
