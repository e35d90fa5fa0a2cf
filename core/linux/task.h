// SPDX-License-Identifier: BSD-3-Clause
// task.h: what Linux knows about a thread beyond what the scheduler does.
#ifndef CORE_LINUX_TASK_H
#define CORE_LINUX_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/linux/process.h"
#include "core/sched/thread.h"

struct task_signal_stack {
    char *base;
    uint64_t size;
    bool is_set;
};

// Its own thread's, but for pending, which anyone sets.
struct task {
    int32_t id;
    _Atomic uint64_t pending; // bit n - 1: signal n
    _Atomic uint64_t blocked;
    uint64_t suspend_mask; // rt_sigsuspend: what to go back to
    struct task_signal_stack signal_stack;
    _Atomic uint32_t *clear_child_id; // set_tid_address
};

// The calling thread's; never NULL in a system call.
static inline struct task *task_self(void)
{
    return thread_self()->user;
}

#endif
