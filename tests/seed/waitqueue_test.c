// SPDX-License-Identifier: BSD-3-Clause
// waitqueue_test.c: wait queue under every schedule of two threads with at most four preemptions.
#include "core/sync/waitqueue.h"

#include <string.h>

#include "core/sched/thread.h"
#include "section.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "slab_seed.h"

static struct waitqueue queue;
static int turn;
static int taken_count, woken_count; // wakes that found somebody, and what these were told
static bool interrupted;

static bool interrupt_test(void)
{
    return seed_index() == 0 && interrupted;
}

static void reset(void)
{
    section_reset();
    memset(&queue, 0, sizeof queue);
    turn = taken_count = woken_count = 0;
    interrupted = false;
    wait_interrupt_test_set(interrupt_test);
    seed_threads_reset();
    seed_slabs_reset();
}

static void check(void)
{
    section_check();
    seed_check(queue.waiters.next == NULL || list_is_empty(&queue.waiters), "a sleeper was left");
    seed_check(taken_count == woken_count, "a wake-up was lost in one who gives up");
}

static void queue_wait(void)
{
    section_lock();
    while (turn == 0) {
        section_leave();
        waitqueue_wait(&queue, &section_mutex);
        section_enter();
        ++woken_count;
    }
    section_unlock();
}

static void queue_wait_timed(void)
{
    section_lock();
    for (int i = 0; i < 2 && turn == 0; ++i) {
        section_leave();
        enum wait_result result = waitqueue_wait_until(&queue, &section_mutex, 1, true);
        section_enter();
        woken_count += result == WAIT_WOKEN;
        seed_check(result != WAIT_WOKEN || turn == 1, "woken by nobody");
        seed_check(result != WAIT_INTERRUPTED || interrupted, "interrupted by nobody");
    }
    section_unlock();
}

static void queue_wake(void)
{
    section_lock();
    turn = 1;
    taken_count += waitqueue_wake_one(&queue);
    section_unlock();
}

static void queue_wait_interruptible(void)
{
    section_lock();
    while (turn == 0) {
        section_leave();
        enum wait_result result = waitqueue_wait_until(&queue, &section_mutex, UINT64_MAX, true);
        section_enter();
        woken_count += result == WAIT_WOKEN;
        if (result == WAIT_INTERRUPTED) {
            break;
        }
    }
    section_unlock();
}

static struct thread *interruptee;

static void queue_wait_interrupted(void)
{
    __atomic_store_n(&interruptee, hal_self(), __ATOMIC_SEQ_CST);
    queue_wait_interruptible();
}

static void queue_interrupt(void)
{
    interrupted = true;
    struct thread *thread = __atomic_load_n(&interruptee, __ATOMIC_SEQ_CST);
    if (thread != NULL) {
        thread_wake(thread);
    }
    queue_wake();
}

// What is offered is done by one who has the mutex, once, and who offered it is told.

static int offered, served_count;

static void queue_offer(void)
{
    __atomic_store_n(&interruptee, hal_self(), __ATOMIC_SEQ_CST);
    section_lock();
    while (turn == 0) {
        section_leave();
        enum wait_result result = waitqueue_offer(&queue, &section_mutex, &offered);
        if (result == WAIT_SERVED) {
            seed_check(offered == 1, "served by nobody");
            seed_check(!mutex_is_mine(&section_mutex), "the mutex is held");
            return;
        }
        section_enter();
        seed_check(result == WAIT_INTERRUPTED && interrupted, "woken by nobody");
        break;
    }
    seed_check(offered == 0 && served_count == 0, "served and not told");
    section_unlock();
}

static void queue_serve(void)
{
    section_lock();
    turn = 1;
    int *offer = waitqueue_offered(&queue);
    if (offer != NULL) {
        ++*offer;
        ++served_count;
        waitqueue_serve(&queue);
    }
    section_unlock();
}

static void queue_serve_interrupted(void)
{
    interrupted = true;
    struct thread *thread = __atomic_load_n(&interruptee, __ATOMIC_SEQ_CST);
    if (thread != NULL) {
        thread_wake(thread);
    }
    queue_serve();
}

static void check_offer(void)
{
    check();
    seed_check(offered == served_count, "another's offer was served");
}

static void reset_interrupted(void)
{
    reset();
    interruptee = NULL;
    offered = served_count = 0;
}

static const char *const served_marks[] = {"waitqueue: served while giving up", NULL};
static const char *const marks[] = {"waitqueue: woken while giving up", NULL};

static const struct seed_test tests[] = {
    {
        .name = "woken",
        .reset = reset,
        .bodies = {queue_wait, queue_wake},
        .check = check,
    },
    {
        .name = "woken or timed out",
        .reset = reset,
        .bodies = {queue_wait_timed, queue_wake},
        .check = check,
        .marks = marks,
        .preemption_max = 3,
    },
    {
        .name = "woken or interrupted",
        .reset = reset_interrupted,
        .bodies = {queue_wait_interrupted, queue_interrupt},
        .check = check,
        .marks = marks,
        .preemption_max = 3,
    },
    {
        .name = "served",
        .reset = reset_interrupted,
        .bodies = {queue_offer, queue_serve},
        .check = check_offer,
    },
    {
        .name = "served or interrupted",
        .reset = reset_interrupted,
        .bodies = {queue_offer, queue_serve_interrupted},
        .check = check_offer,
        .marks = served_marks,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
