// SPDX-License-Identifier: BSD-3-Clause
// task.c: making and ending tasks.
//
// A task is in the list from task_start to task_exit: whoever finds it there under task_lock may
// use it, and its thread, as long as the lock is held.
#include "core/linux/task.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/futex.h"
#include "core/linux/signal.h"
#include "core/linux/user.h"
#include "core/mem/slab.h"

struct mutex task_lock;

static struct slab task_slab = {.object_size = (sizeof(struct task) + 63) & ~(size_t)63};
static _Atomic int32_t task_next_id = PROCESS_ID;
static struct list tasks = LIST_EMPTY(tasks); // task_lock
static hal_ns ended_runtime_ns;               // task_lock
static void (*quit_hook)(void);               // set once, at boot

int task_create(struct task **task)
{
    struct task *new_task = slab_alloc(&task_slab);
    if (new_task == NULL) {
        return -ENOMEM;
    }
    struct task *creator = thread_self()->user;
    memset(new_task, 0, offsetof(struct task, regs));
    list_init(&new_task->signals.entries);
    list_init(&new_task->node);
    new_task->id = atomic_fetch_add(&task_next_id, 1);
    signal_stack_off(new_task);
    atomic_store(&new_task->blocked, creator == NULL ? 0 : atomic_load(&creator->blocked));
    new_task->memory_policy = creator == NULL ? 0 : creator->memory_policy;
    *task = new_task;
    return 0;
}

void task_start(struct task *task, struct thread *thread)
{
    mutex_lock(&task_lock);
    task->thread = thread;
    list_push_back(&tasks, &task->node);
    mutex_unlock(&task_lock);
}

void task_discard(struct task *task)
{
    ASSERT(list_is_empty(&task->node));
    slab_free(&task_slab, task);
}

int32_t task_id(const struct thread *thread)
{
    const struct task *task = thread->user;
    return task == NULL ? 0 : task->id;
}

struct task *task_first(void)
{
    return list_is_empty(&tasks) ? NULL : container_of(tasks.next, struct task, node);
}

struct task *task_next(const struct task *task)
{
    return task->node.next == &tasks ? NULL : container_of(task->node.next, struct task, node);
}

struct task *task_find(int32_t id)
{
    if (id == 0) {
        return task_self();
    }
    struct task *task = task_first();
    while (task != NULL && task->id != id) {
        task = task_next(task);
    }
    return task;
}

struct thread *task_thread(int32_t id)
{
    mutex_lock(&task_lock);
    struct task *task = task_find(id);
    struct thread *thread = task == NULL ? NULL : task->thread;
    mutex_unlock(&task_lock);
    return thread;
}

hal_ns task_runtime_all_ns(void)
{
    mutex_lock(&task_lock);
    hal_ns sum = ended_runtime_ns;
    for (struct task *task = task_first(); task != NULL; task = task_next(task)) {
        sum += thread_runtime_ns(task->thread);
    }
    mutex_unlock(&task_lock);
    return sum;
}

// True: it was the last.
static bool task_leave(struct task *task)
{
    robust_list_release(task);
    mutex_lock(&task_lock);
    list_remove(&task->node);
    ended_runtime_ns += thread_runtime_ns(task->thread);
    signal_task_end(task);
    bool is_last = list_is_empty(&tasks);
    mutex_unlock(&task_lock);
    if (task->clear_child_id != NULL) {
        const uint32_t zero = 0;
        if (user_write(task->clear_child_id, &zero, sizeof zero) == 0) {
            futex_wake(task->clear_child_id, 1, FUTEX_ANY);
        }
    }
    return is_last;
}

void task_exit(void)
{
    (void)task_leave(task_self());
}

void task_quit_hook_set(void (*hook)(void))
{
    quit_hook = hook;
}

void task_quit(int status)
{
    struct task *task = task_self();
    if (!task->is_cloned) {
        quit_hook();
    }
    if (task_leave(task)) {
        process_exit(status);
    }
    thread_exit();
}
