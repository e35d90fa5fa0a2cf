// SPDX-License-Identifier: BSD-3-Clause
// task.h: what Linux knows about a thread beyond what the scheduler does.
#ifndef CORE_LINUX_TASK_H
#define CORE_LINUX_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/signal.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

// Signals sent and not yet taken. Changed under task_lock; set is read by anybody.
struct signal_queue {
    _Atomic uint64_t set; // bit n - 1: signal n
    struct list entries;  // what is known about them, oldest first (signal.c)
};

struct task {
    int32_t id;
    struct thread *thread;       // NULL until task_start
    struct list node;            // in the list of tasks; task_lock
    struct signal_queue signals; // for this thread alone
    _Atomic uint64_t blocked;    // changed by its own thread
    _Atomic uint64_t waited;     // of blocked ones, those that it waits for now (sigwait)
    // Its own thread's.
    bool has_saved_mask; // saved_mask is to be blocked again when the call returns
    uint64_t saved_mask;
    struct signal_stack signal_stack;
    _Atomic uint32_t *clear_child_id; // set_tid_address
    void *robust_list;                // set_robust_list
    int parent_death_signal;          // prctl; kept for whoever asks
    uint8_t memory_policy;            // mempolicy.c's
    uint8_t memory_turn;              // and: of nodes that take turns
    bool is_cloned;                   // made by the program: the C library does not know the thread
    struct hal_regs regs;             // where signals are put together; see signal_run.c
};

// Guards the list of tasks, all signal queues and actions. Held for short times, never while
// another thread is waited for.
extern struct mutex task_lock;

// Of the process: a thread that lets one in may take it.
extern struct signal_queue process_signals;

// The calling thread's; NULL for a thread of core's own, never in a system call.
static inline struct task *task_self(void)
{
    return thread_self()->user;
}

// Is there anything for signal_run to do, signals or saved_mask? Looked at on the way out of each
// system call. A signal of the process is left to the thread that was chosen for it, unless another
// looks before that.
static inline bool task_is_called(void)
{
    return atomic_load_explicit(&thread_self()->is_called, memory_order_relaxed);
}

// With task_lock held. The oldest is the process's first thread while that lives. NULL: no more.
struct task *task_first(void);
struct task *task_next(const struct task *task);
struct task *task_find(int32_t id); // 0: the caller's. NULL: none

// Processor time of the process: of its threads and of those that have ended.
hal_ns task_runtime_all_ns(void);

#endif
