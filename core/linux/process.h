// SPDX-License-Identifier: BSD-3-Clause
// process.h: the one process: its identity, its threads as Linux sees them, its end.
#ifndef CORE_LINUX_PROCESS_H
#define CORE_LINUX_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct thread;
struct thread_schedule;

enum { PROCESS_ID = 2, PROCESS_PARENT_ID = 1 };

struct process_output { // a file of core's own; name NULL: not wanted
    char device[64];
    const char *name;
};

struct process_options {    // from the command line, see core/boot
    const char *executable; // absolute path
    const char *const *arguments;
    const char *const *environment;
    uint32_t uid, gid, umask;
    uint64_t ignored_signals; // from the start; bit n - 1: signal n
    bool trace; // --strace
    bool verbose, stats;
    bool leak, check_heap;
    struct process_output core, perf_map;
};

void process_init(const struct process_options *options);
const struct process_options *process_options(void);

// Per-thread state of core/linux (thread->user). The thread id is that of core/sched; the first
// thread's is PROCESS_ID.
struct task;
HAL_MUST_CHECK int
task_create(struct task **task); // for thread_config.user; inherits the creator's signal mask
// From here on signals reach the task. Before its thread starts.
void task_start(struct task *task, struct thread *thread);
void task_discard(struct task *task); // of a thread that was never started, or has ended
int32_t task_id(const struct thread *thread);
// Called by a thread on its way out, before thread_exit: wakes who waits for clear_child_tid.
void task_exit(void);
// The system call: ends the calling thread, and with the last one the process. What hook does then
// for a thread that was not made by clone (clone.c) is the C library's.
HAL_NORETURN void task_quit(int status);
void task_quit_hook_set(void (*hook)(void));

// Changes what *schedule says to policy and priority, as the calling thread may. -EINVAL, -EPERM.
HAL_MUST_CHECK int linux_schedule_make(struct thread_schedule *schedule, int policy, int priority);
int linux_schedule_policy(struct thread_schedule schedule); // in Linux's words, without SCHED_RESET_ON_FORK

// Ends the process: no destructor runs here (core/libc's exit has done that). Streams need no
// flushing by core.
HAL_NORETURN void process_exit(int status);
HAL_NORETURN void process_end(int status); // the same for a process that is broken: the hook is not called
// hook is called once, at process_exit, by the thread that ends the process, with interrupts on.
void process_exit_hook_set(void (*hook)(void));
// -ENOSYS, for what would make a process; says why, in one line, once.
long process_refuse(const char *call);
uint64_t process_limit(int resource); // RLIMIT_*: the soft one
void limits_init(void);               // limits.c: as Linux begins


#endif
