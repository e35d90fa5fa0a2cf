// SPDX-License-Identifier: BSD-3-Clause
// signal_test.c: core/linux/signal.c under every schedule of two threads with at most four
// preemptions: a signal of the process reaches a thread that lets it in, whoever blocks it, waits
// for it or ends meanwhile.
//
// The second thread sends; then it does what a thread does in a call: it parks until it is told
// that there is something for it, and goes on when the signal has been taken by anybody. Where
// nobody is told, nobody can run, which fails.
#include "core/linux/signal.h"

#include <string.h>

#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/process.h"
#include "core/linux/task.h"
#include "core/linux/timer.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"
#include "core/sync/waitqueue.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { SIGNAL = 10, QUEUED = 40, ENTRIES = 4 };

static struct task tasks[SEED_CPU_COUNT];
static struct list list;
static struct signal_entry entries[ENTRIES];
static bool is_used[ENTRIES];
static _Atomic unsigned taken;
static unsigned wanted;

// ---- What signal.c asks of others: each is one step ---------------------------

struct mutex task_lock;

struct task *task_first(void)
{
    return list_is_empty(&list) ? NULL : container_of(list.next, struct task, node);
}

struct task *task_next(const struct task *task)
{
    return task->node.next == &list ? NULL : container_of(task->node.next, struct task, node);
}

MARK_GUESS void *heap_alloc(size_t size)
{
    for (unsigned i = 0; i < ENTRIES; ++i) {
        if (!is_used[i]) {
            is_used[i] = true;
            return &entries[i];
        }
    }
    return NULL;
}

MARK_GUESS void heap_free(void *block)
{
    size_t index = (size_t)((struct signal_entry *)block - entries);
    seed_check(index < ENTRIES && is_used[index], "freed twice");
    is_used[index] = false;
}

uint64_t process_limit(int resource)
{
    return ENTRIES;
}

void signal_sent(void)
{
}

void thread_kick(struct thread *thread)
{
}

bool wait_is_interrupted(void)
{
    return task_is_called() && signal_deliverable(task_self()) != 0;
}

int user_read(void *target, const void *user, size_t size)
{
    memcpy(target, user, size);
    return 0;
}

int user_write(void *user, const void *source, size_t size)
{
    memcpy(user, source, size);
    return 0;
}

void timer_signal_taken(struct linux_signal_info *info)
{
}

int clock_span_read(hal_ns *deadline, const struct timespec *user)
{
    *deadline = user == NULL ? UINT64_MAX : 1;
    return 0;
}

// ---- Threads -------------------------------------------------------------------

static void reset(uint64_t blocked)
{
    seed_threads_reset();
    memset(&task_lock, 0, sizeof task_lock);
    memset(&process_signals, 0, sizeof process_signals);
    list_init(&process_signals.entries);
    memset(tasks, 0, sizeof tasks);
    memset(is_used, 0, sizeof is_used);
    list_init(&list);
    taken = 0;
    wanted = 1;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        tasks[i].thread = seed_thread(i);
        tasks[i].thread->user = &tasks[i];
        list_init(&tasks[i].signals.entries);
        list_push_back(&list, &tasks[i].node);
    }
    atomic_store(&tasks[0].blocked, blocked);
}

static void reset_open(void)
{
    reset(0);
}

static void reset_blocked(void)
{
    reset(SIGNAL_BIT(SIGNAL));
}

static void reset_two_queued(void)
{
    reset(SIGNAL_BIT(QUEUED));
    wanted = 2;
}

static void taken_add(void)
{
    atomic_fetch_add(&taken, 1);
    thread_wake(seed_thread(0));
    thread_wake(seed_thread(1));
}

// As signal_run.c's frames_push.
static void serve(void)
{
    struct task *task = task_self();
    struct linux_signal_info info;
    if (!task_is_called()) {
        return;
    }
    atomic_store(&task->thread->is_called, false);
    while (signal_deliverable(task) != 0 &&
           signal_take(task, ~atomic_load(&task->blocked), &info)) {
        taken_add();
    }
}

static void serve_until_all_taken(void)
{
    while (atomic_load(&taken) < wanted) {
        serve();
        if (atomic_load(&taken) < wanted) {
            thread_park();
        }
    }
}

static void send_to_process(int signal)
{
    struct linux_signal_info info = {.signal = signal, .code = SIGNAL_CODE_QUEUE};
    seed_check(signal_send_process(&info) == SIGNAL_SENT, "not sent");
}

// ---- Bodies ---------------------------------------------------------------------

static void send_and_serve(void)
{
    send_to_process(SIGNAL);
    serve_until_all_taken();
}

static void send_two_and_serve(void)
{
    send_to_process(QUEUED);
    send_to_process(QUEUED);
    serve_until_all_taken();
}

static void block_it(void)
{
    signal_mask_set(&tasks[0], SIGNAL_BIT(SIGNAL));
    serve(); // what it was told of, on the way out of the call
}

static void block_and_unblock_it(void)
{
    block_it();
    signal_mask_set(&tasks[0], 0);
    serve_until_all_taken();
}

// Only the first thread lets it in, from some time on.
static void unblock_it(void)
{
    signal_mask_set(&tasks[0], 0);
    serve_until_all_taken();
}

static void block_and_send(void)
{
    signal_mask_set(&tasks[1], SIGNAL_BIT(SIGNAL));
    serve();
    send_to_process(SIGNAL);
}

// Who waits for it may give up just when it comes.
static void wait_for(int signal)
{
    const uint64_t set = SIGNAL_BIT(signal);
    static const struct timespec some;
    long result = linux_rt_sigtimedwait(&set, NULL, &some, sizeof set);
    seed_check(result == signal || result == -EAGAIN, "another answer");
    if (result == signal) {
        taken_add();
    }
}

static void wait_for_it(void)
{
    wait_for(SIGNAL);
}

static void wait_for_one(void)
{
    wait_for(QUEUED);
}

static void end(void)
{
    mutex_lock(&task_lock);
    list_remove(&tasks[0].node);
    signal_task_end(&tasks[0]);
    mutex_unlock(&task_lock);
}

static void check_all_taken(void)
{
    seed_check(taken == wanted, "not taken as often as it was sent");
    seed_check(process_signals.set == 0 && list_is_empty(&process_signals.entries),
               "the set and the list are not of one mind");
    for (unsigned i = 0; i < ENTRIES; ++i) {
        seed_check(!is_used[i], "an entry was left");
    }
}

static const char *const block_marks[] = {"signal: left to others", NULL};

static const struct seed_test tests[] = {
    {
        .name = "signal, one blocks it",
        .reset = reset_open,
        .bodies = {block_it, send_and_serve},
        .check = check_all_taken,
        .marks = block_marks,
    },
    {
        .name = "signal, one blocks it for a time",
        .reset = reset_open,
        .bodies = {block_and_unblock_it, send_and_serve},
        .check = check_all_taken,
        .marks = block_marks,
        .preemption_max = 3,
    },
    {
        .name = "signal, let in late",
        .reset = reset_blocked,
        .bodies = {unblock_it, block_and_send},
        .check = check_all_taken,
    },
    {
        .name = "signal, waited for",
        .reset = reset_blocked,
        .bodies = {wait_for_it, send_and_serve},
        .check = check_all_taken,
        .marks = block_marks,
        .preemption_max = 3,
    },
    {
        .name = "signal, waited for once and sent twice",
        .reset = reset_two_queued,
        .bodies = {wait_for_one, send_two_and_serve},
        .check = check_all_taken,
        .marks = block_marks,
        .preemption_max = 2,
    },
    {
        .name = "signal, a thread ends",
        .reset = reset_open,
        .bodies = {end, send_and_serve},
        .check = check_all_taken,
        .marks = block_marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
