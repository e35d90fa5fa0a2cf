// SPDX-License-Identifier: BSD-3-Clause
// signal.c: actions, queues of signals that were sent, and who is to take them.
//
// Each task and the process have a queue: a set of bits, and entries with what is known about each.
// A signal below 32 is in a queue at most once; of the real-time ones all are kept, oldest first.
// Invariant, under task_lock: an entry's bit is set; a bit without entry is a signal about which
// there was no memory to keep anything.
//
// Who is chosen for a signal of the process: the first thread where it lets the signal in, else any
// that does. Who waits for it by sigwait lets it in. If nobody does, it is kept until somebody
// unblocks it.
#include "core/linux/signal.h"

#include <signal.h>
#include <sys/resource.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/linux/calls.h"
#include "core/linux/interval.h"
#include "core/linux/report.h"
#include "core/linux/task.h"
#include "core/linux/timer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/sched/sched.h"
#include "core/sync/bell.h"
#include "hal/upcall.h"

static struct signal_action actions[SIGNAL_COUNT + 1]; // task_lock
struct signal_queue process_signals = {.entries = LIST_EMPTY(process_signals.entries)};
static uint64_t entry_count; // task_lock
static struct bell notices;  // bit n: enum hal_notice n, for the signal thread

_Static_assert((int)SIGNAL_CODE_TIMER == (int)SI_TIMER && (int)SIGNAL_CODE_QUEUE == (int)SI_QUEUE,
               "si_code");

const uint64_t signal_unblockable = SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP);
static const uint64_t IGNORED_BY_DEFAULT =
    SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) |
    SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);
static const uint64_t OF_FAULTS = SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) |
                                  SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS);

bool signal_is_ignored(int signal, const struct signal_action *action)
{
    return action->handler == (uintptr_t)SIG_IGN ||
           (action->handler == (uintptr_t)SIG_DFL &&
            (SIGNAL_BIT(signal) & IGNORED_BY_DEFAULT) != 0);
}

void signal_action_take(int signal, struct signal_action *action)
{
    mutex_lock(&task_lock);
    *action = actions[signal];
    if ((action->flags & SA_RESETHAND) != 0 && action->handler > (uintptr_t)SIG_IGN) {
        actions[signal].handler = (uintptr_t)SIG_DFL;
    }
    mutex_unlock(&task_lock);
}

uint64_t signal_pending(const struct task *task)
{
    return atomic_load(&task->signals.set) | atomic_load(&process_signals.set);
}

uint64_t signal_deliverable(const struct task *task)
{
    return signal_pending(task) & ~atomic_load(&task->blocked);
}

struct linux_signal_info signal_info_kernel(int signal)
{
    return (struct linux_signal_info){.signal = signal, .code = SI_KERNEL};
}

struct linux_signal_info signal_info_user(int signal)
{
    return (struct linux_signal_info){
        .signal = signal,
        .code = SI_USER,
        .sender = {.pid = PROCESS_ID, .uid = (uint32_t)linux_getuid()}};
}

// ---- Queues. All with task_lock held -----------------------------------------

static bool queue_has(const struct signal_queue *queue, int signal)
{
    const struct list *node;
    list_for_each(node, &queue->entries)
    {
        if (container_of(node, struct signal_entry, node)->info.signal == signal) {
            return true;
        }
    }
    return false;
}

static void entry_free(struct signal_entry *entry)
{
    struct signal_queue *queue = entry->queue;
    list_remove(&entry->node);
    entry->queue = NULL;
    if (!queue_has(queue, entry->info.signal)) {
        atomic_fetch_and(&queue->set, ~SIGNAL_BIT(entry->info.signal));
    }
    if (!entry->is_own) {
        --entry_count;
        heap_free(entry);
    }
}

// The oldest of the signal.
static void queue_take(struct signal_queue *queue, int signal, struct linux_signal_info *info)
{
    struct list *node;
    list_for_each(node, &queue->entries)
    {
        struct signal_entry *entry = container_of(node, struct signal_entry, node);
        if (entry->info.signal == signal) {
            *info = entry->info;
            entry_free(entry);
            return;
        }
    }
    *info = (struct linux_signal_info){.signal = signal, .code = SI_USER}; // nothing was kept
    atomic_fetch_and(&queue->set, ~SIGNAL_BIT(signal));
}

static void queue_discard(struct signal_queue *queue, uint64_t set)
{
    struct list *next;
    for (struct list *node = queue->entries.next; node != &queue->entries; node = next) {
        struct signal_entry *entry = container_of(node, struct signal_entry, node);
        next = node->next;
        if ((SIGNAL_BIT(entry->info.signal) & set) != 0) {
            entry_free(entry);
        }
    }
    atomic_fetch_and(&queue->set, ~set);
}

static int queue_put(struct signal_queue *queue, const struct linux_signal_info *info,
                     struct signal_entry *own)
{
    struct signal_entry *entry = own;
    if (own == NULL) {
        bool has_room = entry_count < process_limit(RLIMIT_SIGPENDING);
        entry = has_room ? heap_alloc(sizeof *entry) : NULL;
        if (entry == NULL && info->signal >= SIGNAL_REAL_TIME && info->code != SI_USER) {
            return -EAGAIN;
        }
        entry_count += entry != NULL;
    }
    if (entry != NULL) {
        entry->info = *info;
        entry->is_own = own != NULL;
        entry->queue = queue;
        list_push_back(&queue->entries, &entry->node);
    }
    atomic_fetch_or(&queue->set, SIGNAL_BIT(info->signal));
    return 0;
}

// ---- Sending -----------------------------------------------------------------

static bool wants(const struct task *task, int signal)
{
    return ((atomic_load(&task->blocked) & ~atomic_load(&task->waited)) & SIGNAL_BIT(signal)) == 0;
}

// Gets the target to look: it may be parked, running elsewhere, or about to park.
static void task_notify(struct task *task)
{
    atomic_store(&task->thread->is_called, true);
    thread_wake(task->thread);
    thread_kick(task->thread);
}

// Somebody who lets the process's signal in, but for `but`.
static void process_notify(int signal, const struct task *but)
{
    struct task *task = task_first();
    while (task != NULL && (task == but || !wants(task, signal))) {
        task = task_next(task);
    }
    if (task != NULL) {
        task_notify(task);
    }
}

int signal_send_locked(struct task *task, const struct linux_signal_info *info,
                       struct signal_entry *own)
{
    int signal = info->signal;
    struct signal_queue *queue = task == NULL ? &process_signals : &task->signals;
    const struct task *judge = task != NULL ? task : task_first();
    bool is_blocked = judge != NULL && (atomic_load(&judge->blocked) & SIGNAL_BIT(signal)) != 0;
    if (!is_blocked && signal_is_ignored(signal, &actions[signal])) {
        return SIGNAL_IGNORED;
    }
    if (own != NULL && own->queue != NULL) {
        return SIGNAL_QUEUED_ALREADY;
    }
    if (signal < SIGNAL_REAL_TIME && (atomic_load(&queue->set) & SIGNAL_BIT(signal)) != 0) {
        return SIGNAL_SENT; // once is enough
    }
    int error = queue_put(queue, info, own);
    if (error != 0) {
        return error;
    }
    if (task == NULL) {
        process_notify(signal, NULL);
    } else if (wants(task, signal)) {
        task_notify(task);
    }
    return SIGNAL_SENT;
}

int signal_send_process(const struct linux_signal_info *info)
{
    mutex_lock(&task_lock);
    int result = signal_send_locked(NULL, info, NULL);
    mutex_unlock(&task_lock);
    signal_sent();
    return result;
}

int signal_send_thread(int32_t id, const struct linux_signal_info *info)
{
    mutex_lock(&task_lock);
    struct task *task = task_find(id);
    int result = task == NULL ? -ESRCH : 0;
    if (task != NULL && info->signal != 0) {
        result = signal_send_locked(task, info, NULL);
    }
    mutex_unlock(&task_lock);
    signal_sent();
    return result;
}

void signal_withdraw(struct signal_entry *own)
{
    mutex_lock(&task_lock);
    if (own->queue != NULL) {
        entry_free(own);
    }
    mutex_unlock(&task_lock);
}

// ---- Taking --------------------------------------------------------------------

static int first_of(uint64_t set)
{
    uint64_t of_faults = set & OF_FAULTS;
    return __builtin_ctzll(of_faults != 0 ? of_faults : set) + 1;
}

bool signal_take(struct task *task, uint64_t set, struct linux_signal_info *info)
{
    bool is_taken = true;
    mutex_lock(&task_lock);
    uint64_t own = atomic_load(&task->signals.set) & set;
    uint64_t shared = atomic_load(&process_signals.set) & set;
    if (own != 0) {
        queue_take(&task->signals, first_of(own), info);
    } else if (shared != 0) {
        queue_take(&process_signals, first_of(shared), info);
    } else {
        is_taken = false;
    }
    mutex_unlock(&task_lock);
    if (is_taken && (info->code == SI_TIMER || info->signal == SIGALRM)) {
        timer_signal_taken(info);
    }
    return is_taken;
}

// The task does not let signals in any more, as others can see already: what it was chosen for, and
// has not taken, is another's.
static void leave_to_others(const struct task *task, uint64_t signals)
{
    uint64_t left = signals & atomic_load(&process_signals.set);
    if (left == 0) {
        return;
    }
    MARK("signal: left to others");
    mutex_lock(&task_lock);
    for (; left != 0; left &= left - 1) {
        process_notify(__builtin_ctzll(left) + 1, task);
    }
    mutex_unlock(&task_lock);
}

void signal_mask_set(struct task *task, uint64_t mask)
{
    mask &= ~signal_unblockable;
    uint64_t more = mask & ~atomic_exchange(&task->blocked, mask);
    if (signal_deliverable(task) != 0) {
        atomic_store(&task->thread->is_called, true);
    }
    leave_to_others(task, more);
}

void signal_wait_begin(struct task *task, uint64_t set)
{
    atomic_store(&task->waited, set);
}

void signal_wait_end(struct task *task)
{
    uint64_t waited = atomic_exchange(&task->waited, 0);
    leave_to_others(task, waited & atomic_load(&task->blocked));
}

void signal_task_end(struct task *task)
{
    atomic_store(&task->blocked, UINT64_MAX); // no handler runs any more
    queue_discard(&task->signals, UINT64_MAX);
    for (uint64_t left = atomic_load(&process_signals.set); left != 0; left &= left - 1) {
        MARK("signal: left to others");
        process_notify(__builtin_ctzll(left) + 1, task);
    }
}

// ---- What the host asks for ------------------------------------------------------

static void notice_run(enum hal_notice notice)
{
    static const int signals[] = {
        [HAL_NOTICE_INTERRUPT] = SIGINT, [HAL_NOTICE_TERMINATE] = SIGTERM,
        [HAL_NOTICE_QUIT] = SIGQUIT,     [HAL_NOTICE_RESIZE] = SIGWINCH,
        [HAL_NOTICE_POWER] = SIGTERM,    [HAL_NOTICE_HANG_UP] = SIGHUP,
        [HAL_NOTICE_USER_1] = SIGUSR1,   [HAL_NOTICE_USER_2] = SIGUSR2,
        [HAL_NOTICE_CONTINUE] = SIGCONT,
    };
    if (notice == HAL_NOTICE_CLOCK) {
        thread_wall_changed();
        interval_wall_changed();
        return;
    }
    int signal = signals[notice];
    mutex_lock(&task_lock);
    bool is_default = actions[signal].handler == (uintptr_t)SIG_DFL;
    mutex_unlock(&task_lock);
    if (signal == SIGQUIT && is_default) {
        report_threads(); // a program that goes on is worth more than one that dumps core
        return;
    }
    struct linux_signal_info info = signal_info_kernel(signal);
    (void)signal_send_process(&info);
}

static void signal_thread_run(void *argument)
{
    (void)argument;
    for (;;) {
        for (uint32_t seen = bell_wait(&notices); seen != 0; seen &= seen - 1) {
            notice_run((enum hal_notice)__builtin_ctz(seen));
        }
    }
}

void upcall_notice(enum hal_notice notice)
{
    bell_ring(&notices, 1u << notice); // perhaps before there is a signal thread
    sched_interrupt_end(NULL);
}

void signal_init(void)
{
    const struct thread_config config = {
        .name = "signal",
        .schedule = &thread_schedule_core, // Ctrl-C ends a real-time thread that is busy, too
        .detached = true,
    };
    struct thread *thread = NULL;
    int error = thread_create(&thread, &config, signal_thread_run, NULL);
    ASSERT(error == 0); // at boot
    bell_listener_set(&notices, thread);
    thread_start(thread);
    signal_hooks_init();
}

void signal_ignore(uint64_t signals)
{
    for (uint64_t left = signals & ~signal_unblockable; left != 0; left &= left - 1) {
        actions[__builtin_ctzll(left) + 1].handler = (uintptr_t)SIG_IGN;
    }
}

// ---- The action ------------------------------------------------------------------

static bool is_valid(int signal)
{
    return signal >= 1 && signal <= SIGNAL_COUNT;
}

long linux_rt_sigaction(int signal, const void *set, void *get, size_t size)
{
    struct signal_action action;
    if (!is_valid(signal) || size != sizeof action.mask ||
        (set != NULL && (SIGNAL_BIT(signal) & signal_unblockable) != 0)) {
        return -EINVAL;
    }
    int error = set == NULL ? 0 : user_read(&action, set, sizeof action);
    if (error != 0) {
        return error;
    }
    mutex_lock(&task_lock);
    struct signal_action old = actions[signal];
    if (set != NULL) {
        actions[signal] = action;
    }
    if (set != NULL && signal_is_ignored(signal, &action)) {
        queue_discard(&process_signals, SIGNAL_BIT(signal));
        for (struct task *task = task_first(); task != NULL; task = task_next(task)) {
            queue_discard(&task->signals, SIGNAL_BIT(signal));
        }
    }
    mutex_unlock(&task_lock);
    return get == NULL ? 0 : user_write(get, &old, sizeof old);
}
