// SPDX-License-Identifier: BSD-3-Clause
// signal.h: signals: who is to get one, and when its handler runs.
//
// signal.c sends and keeps them, signal_run.c runs handlers, signal_calls.c has the system calls.
#ifndef CORE_LINUX_SIGNAL_H
#define CORE_LINUX_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "hal/hal.h"

struct hal_fault;
struct signal_queue;
struct task;

enum {
    SIGNAL_COUNT = 64,
    SIGNAL_PIPE = 13,
    SIGNAL_URGENT = 23,
    SIGNAL_FILE_SIZE = 25,
    SIGNAL_IO = 29,
    SIGNAL_REAL_TIME = 32
};

enum { SIGNAL_CODE_QUEUE = -1, SIGNAL_CODE_TIMER = -2 }; // SI_QUEUE, SI_TIMER

#define SIGNAL_BIT(signal) ((uint64_t)1 << ((signal)-1))

extern const uint64_t signal_unblockable;

struct linux_signal_info { // siginfo_t, 128 bytes
    int32_t signal, error, code, padding;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            uint64_t value;
        } sender;
        struct {
            int32_t id, overrun;
            uint64_t value;
        } timer;
        struct {
            uint64_t call;
            int32_t number;
            uint32_t machine;
        } system_call;
        void *address;
        uint64_t words[14];
    };
};

_Static_assert(sizeof(struct linux_signal_info) == 128, "siginfo_t");

struct signal_stack { // the alternate one
    char *base;
    uint64_t size;
    uint32_t flags; // as sigaltstack(2): SS_DISABLE, SS_AUTODISARM
};

struct signal_action { // the kernel's struct sigaction
    uintptr_t handler;
    uint64_t flags;
    uintptr_t restorer; // x86_64; elsewhere the mask comes here already
    uint64_t mask;
};

// What is known about a signal that was sent and not yet taken. One that lies in its sender (a
// timer) is there at most once.
struct signal_entry {
    struct list node;
    struct linux_signal_info info;
    struct signal_queue *queue; // NULL: in none; task_lock
    bool is_own;                // the sender's memory
};

void signal_init(void);
void signal_ignore(uint64_t signals); // while no thread of the program runs

// ---- Sending ---------------------------------------------------------------

// By the kernel; by this process.
struct linux_signal_info signal_info_kernel(int signal);
struct linux_signal_info signal_info_user(int signal);

enum signal_sent { SIGNAL_SENT, SIGNAL_IGNORED, SIGNAL_QUEUED_ALREADY };

// To one thread, which the caller has found under task_lock or is itself, or (task NULL) to the
// process. own: NULL, or the sender's entry, whose info counts. -EAGAIN: a real-time signal with a
// value and no memory or no more allowed; else enum signal_sent. With task_lock held; afterwards,
// without it, signal_sent.
int signal_send_locked(struct task *task, const struct linux_signal_info *info,
                       struct signal_entry *own);
void signal_sent(void); // signalfd.c: lets those who poll look

// The same with the lock. Thread context.
int signal_send_process(const struct linux_signal_info *info);
// -ESRCH: no such thread.
int signal_send_thread(int32_t id, const struct linux_signal_info *info);

// Takes back an own entry, so that its memory may go.
void signal_withdraw(struct signal_entry *own);

// Takes the first pending signal of set from the caller's queue or the process's. False: none.
bool signal_take(struct task *task, uint64_t set, struct linux_signal_info *info);

// What is pending for the caller and not blocked.
uint64_t signal_deliverable(const struct task *task);
uint64_t signal_pending(const struct task *task);

// The action for a signal that was taken; SA_RESETHAND has done its work.
void signal_action_take(int signal, struct signal_action *action);
bool signal_is_ignored(int signal, const struct signal_action *action);

// Changes the caller's mask; somebody else gets what it now leaves to the process.
void signal_mask_set(struct task *task, uint64_t mask);

// From here to the end of the wait a sender sees set as let in, and wakes the caller, which takes
// it by signal_take. Somebody else gets what it has been chosen for and leaves.
void signal_wait_begin(struct task *task, uint64_t set);
void signal_wait_end(struct task *task);

// For a task that ends, with task_lock held.
void signal_task_end(struct task *task);

// ---- Running handlers ------------------------------------------------------

enum signal_outcome {
    SIGNAL_NO_HANDLER, // an interrupted call begins again
    SIGNAL_RESTART,    // SA_RESTART: it begins again unless it is one that never does
    SIGNAL_INTERRUPT,
};

// Runs the handlers of all that may be delivered; ends the process where that is the action. Then
// the mask that signal_mask_push put aside is back.
enum signal_outcome signal_run(void);

// The same for a call that came by an instruction, whose registers are regs: changes them so that
// the handlers run when they are loaded, and the program goes on as call says once these have
// returned. SIGNAL_NO_HANDLER: regs are as they were.
struct hal_regs;
struct signal_ended_call {
    long result;         // that the program gets, or -EINTR: begins again where the first handler's
    bool never_restarts; // SA_RESTART allows it, and this does not forbid it
};
enum signal_outcome signal_run_on(struct hal_regs *regs, const struct signal_ended_call *call);

// For a fault of the caller's own: makes regs run the handler. False: the process is to end.
bool signal_force(struct hal_regs *regs, const struct linux_signal_info *info);

// Another mask for the time of one call (ppoll, pselect). mask NULL: none. -EINVAL, -EFAULT. Where
// the call was interrupted the mask stays until handlers have run.
HAL_MUST_CHECK int signal_mask_push(const uint64_t *mask, size_t size);
void signal_mask_pop(const uint64_t *mask, bool is_interrupted);

void signal_stack_off(struct task *task);
bool signal_stack_holds(const struct signal_stack *stack, uintptr_t sp);
// sigaltstack of a caller whose stack pointer is sp. As the call.
long signal_stack_change(const void *set, void *get, uintptr_t sp);
void signal_hooks_init(void); // for signal_init

const char *signal_name(int signal); // "SIGSEGV"

#endif
