// SPDX-License-Identifier: BSD-3-Clause
// rcu.c: deferred calls in a list that anybody pushes to, and a thread that makes them.
//
// A reader is a section as core/sched/quiescence.h means it, so reading costs no atomic operation
// and no fence. The thread gathers for a while, takes the whole list, waits until every section has
// ended that was under way then, and calls. Invariant: what is in the list was unfindable before it
// came there, so that sections that begin after the list was taken do not see it.
#include "core/sync/rcu.h"

#include "core/lib/mark.h"
#include "core/sched/quiescence.h"

enum {
    GATHER_NS = 10000000,  // others may come along for so long
    PATIENCE_NS = 1000000, // CPUs are not interrupted for deferred calls before so long
};

static _Atomic(struct rcu_head *) deferred; // newest first
static _Atomic uint32_t deferred_count;     // a guess, as two may add at once: in the list
static _Atomic(struct thread *) rcu_thread; // NULL until rcu_start

void rcu_defer(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
    head->function = function;
    uint32_t count = atomic_load_explicit(&deferred_count, memory_order_relaxed) + 1;
    atomic_store_explicit(&deferred_count, count, memory_order_relaxed);
    struct rcu_head *first = atomic_load_explicit(&deferred, memory_order_relaxed);
    do {
        head->next = first;
    } while (!atomic_compare_exchange_weak(&deferred, &first, head)); // head is gone from here
    struct thread *thread = atomic_load(&rcu_thread); // after the push; pairs with rcu_start
    if ((first == NULL || count == RCU_GATHER_MAX) && thread != NULL) {
        thread_wake(thread);
    }
}

static void gather(void)
{
    hal_ns deadline = hal_clock_ns() + GATHER_NS;
    while (atomic_load_explicit(&deferred_count, memory_order_relaxed) < RCU_GATHER_MAX &&
           thread_park_until(deadline)) {
        MARK("rcu: woken while gathering");
    }
}

// All that were deferred, oldest first.
static struct rcu_head *deferred_take(void)
{
    struct rcu_head *head = atomic_exchange(&deferred, NULL);
    struct rcu_head *oldest = NULL;
    atomic_store_explicit(&deferred_count, 0, memory_order_relaxed);
    while (head != NULL) {
        struct rcu_head *older = head->next;
        head->next = oldest;
        oldest = head;
        head = older;
    }
    return oldest;
}

static void rcu_run(void *argument)
{
    (void)argument;
    for (;;) {
        while (atomic_load(&deferred) == NULL) {
            thread_park();
        }
        gather();
        struct rcu_head *head = deferred_take();
        quiescence_wait(PATIENCE_NS);
        while (head != NULL) {
            struct rcu_head *next = head->next; // the call may free head
            head->function(head);
            head = next;
        }
    }
}

int rcu_start(void)
{
    struct hal_cpu_set all = {0};
    for (uint32_t cpu = 0; cpu < sched_cpu_count(); ++cpu) {
        all.words[cpu / 64] |= (uint64_t)1 << cpu % 64;
    }
    const struct thread_config config = {.name = "rcu", .affinity = &all, .detached = true};
    struct thread *thread;
    int error = thread_create(&thread, &config, rcu_run, NULL);
    if (error == 0) {
        atomic_store(&rcu_thread, thread); // before it looks at the list; pairs with rcu_defer
        thread_start(thread);
    }
    return error;
}
