// SPDX-License-Identifier: BSD-3-Clause
// task.c: making and ending tasks.
#include "core/linux/task.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/futex.h"
#include "core/linux/user.h"
#include "core/mem/slab.h"

static struct slab task_slab = {.object_size = (sizeof(struct task) + 15) & ~(size_t)15};
static _Atomic int32_t task_next_id = PROCESS_ID;

int task_create(struct task **task)
{
    struct task *new_task = slab_alloc(&task_slab);
    if (new_task == NULL) {
        return -ENOMEM;
    }
    struct task *creator = thread_self()->user;
    memset(new_task, 0, sizeof *new_task);
    new_task->id = atomic_fetch_add(&task_next_id, 1);
    atomic_store(&new_task->blocked, creator == NULL ? 0 : atomic_load(&creator->blocked));
    *task = new_task;
    return 0;
}

void task_discard(struct task *task)
{
    slab_free(&task_slab, task);
}

int32_t task_id(const struct thread *thread)
{
    const struct task *task = thread->user;
    return task == NULL ? 0 : task->id;
}

void task_exit(void)
{
    struct task *task = task_self();
    if (task->clear_child_id != NULL) {
        const uint32_t zero = 0;
        if (user_write(task->clear_child_id, &zero, sizeof zero) == 0) {
            futex_wake(task->clear_child_id, 1, FUTEX_ANY);
        }
    }
}
