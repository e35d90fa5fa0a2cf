// SPDX-License-Identifier: BSD-3-Clause
// clone.c: threads by clone and clone3.
//
// Such a thread is the program's alone: the C library does not know it. It has no stack of core's
// but the entry stack, on which it also begins: it loads the registers that were put into its task,
// and with that is in the program's code.
#include "core/linux/clone.h"

#include <sched.h>

#include "core/lib/errno.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/sched/thread.h"

// What all threads of a process share here; and what else may be said of one. (CLONE_SYSVSEM,
// CLONE_IO: there is nothing that is not shared.)
static const uint64_t SHARED = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
static const uint64_t ALLOWED = SHARED | CLONE_SYSVSEM | CLONE_IO | CLONE_SETTLS | CLONE_DETACHED |
                                CLONE_PTRACE | CLONE_UNTRACED | CLONE_PARENT | CLONE_PARENT_SETTID |
                                CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

int clone_request_read(struct clone_request *request, const void *user, size_t size)
{
    enum { FLAGS, PIDFD, CHILD, PARENT, SIGNAL, STACK, STACK_SIZE, TP, IDS, ID_COUNT, CGROUP };
    enum { FIRST_SIZE = 64, COUNT = CGROUP + 1 };
    uint64_t words[COUNT] = {0};
    if (size < FIRST_SIZE) {
        return -EINVAL;
    }
    if (size > sizeof words) {
        return -E2BIG; // what is not known here could be zero, and is not used that way
    }
    int error = user_read(words, user, size);
    if (error != 0) {
        return error;
    }
    if ((words[STACK] == 0) != (words[STACK_SIZE] == 0)) {
        return -EINVAL;
    }
    *request = (struct clone_request){
        .flags = words[FLAGS],
        .stack = words[STACK] + words[STACK_SIZE],
        .parent_id = (int32_t *)words[PARENT],
        .child_id = (_Atomic uint32_t *)words[CHILD],
        .tp = (void *)words[TP],
        .is_odd = words[SIGNAL] != 0 || words[ID_COUNT] != 0,
    };
    return 0;
}

static void child_begin(void *task)
{
    hal_regs_resume(&((struct task *)task)->regs);
}

static void child_released(struct thread *thread)
{
    task_discard(thread->user);
}

static int request_check(const struct clone_request *request)
{
    const uint64_t flags = request->flags;
    if ((flags & CLONE_SIGHAND) == 0 || (flags & CLONE_VM) == 0 || (flags & ~ALLOWED) != 0 ||
        request->is_odd || ((flags & CLONE_SETTLS) != 0 && !machine_tp_is_valid(request->tp))) {
        return -EINVAL;
    }
    if ((flags & SHARED) != SHARED) {
        return (int)process_refuse("clone without CLONE_FILES or CLONE_FS");
    }
    return 0;
}

static int child_make(const struct clone_request *request, const struct hal_regs *regs,
                      struct task **task, struct thread **thread)
{
    int error = task_create(task);
    if (error != 0) {
        return error;
    }
    const struct thread_config config = {
        .on_entry_stack = true,
        .tp = (request->flags & CLONE_SETTLS) != 0 ? request->tp : thread_self()->context.tp,
        .user = *task,
        .released = child_released,
        .detached = true,
    };
    (*task)->is_cloned = true;
    (*task)->regs = *regs;
    machine_child_set(&(*task)->regs, request->stack);
    error = thread_create(thread, &config, child_begin, *task);
    if (error != 0) {
        task_discard(*task);
    }
    return error;
}

// As on Linux nobody is told where an id cannot be written.
static void id_write(void *user, int32_t id)
{
    int error = user_write(user, &id, sizeof id);
    (void)error;
}

long clone_run(const struct clone_request *request, const struct hal_regs *regs)
{
    if ((request->flags & CLONE_THREAD) == 0) {
        return process_refuse((request->flags & CLONE_VFORK) != 0 ? "vfork" : "fork");
    }
    struct task *task;
    struct thread *thread;
    int error = request_check(request);
    if (error == 0) {
        error = child_make(request, regs, &task, &thread) == 0 ? 0 : -EAGAIN;
    }
    if (error != 0) {
        return error;
    }
    const int32_t id = task->id;
    if ((request->flags & CLONE_CHILD_CLEARTID) != 0) {
        task->clear_child_id = request->child_id;
    }
    if ((request->flags & CLONE_CHILD_SETTID) != 0) {
        id_write(request->child_id, id);
    }
    if ((request->flags & CLONE_PARENT_SETTID) != 0) {
        id_write(request->parent_id, id);
    }
    task_start(task, thread);
    thread_start(thread);
    return id;
}
