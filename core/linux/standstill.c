// SPDX-License-Identifier: BSD-3-Clause
// standstill.c: see standstill.h.
#include "core/linux/standstill.h"

#include <stdatomic.h>

#include "core/sched/thread.h"

static const hal_ns PATIENCE_NS = 2000000000, LOOK_NS = 1000000;

static _Atomic bool is_under_way;

bool standstill_is_under_way(void)
{
    return atomic_load_explicit(&is_under_way, memory_order_acquire);
}

void standstill_hold(void)
{
    for (;;) {
        thread_park();
    }
}

// Between its state and its registers a thread that parks is still on its CPU.
bool standstill_has(struct thread *thread)
{
    return atomic_load(&thread->state) == THREAD_PARKED && !thread_is_running(thread);
}

static bool is_still(struct thread *thread)
{
    uint32_t state = atomic_load(&thread->state);
    return state == THREAD_NEW || state == THREAD_DEAD || standstill_has(thread);
}

static void thread_stop(struct thread *thread, void *moving)
{
    if (thread->user != NULL && thread != thread_self() && !is_still(thread)) {
        thread_kick(thread);
        *(struct thread **)moving = thread;
    }
}

void standstill_again(void)
{
    struct thread *moving = NULL;
    thread_walk(thread_stop, &moving);
}

struct thread *standstill_begin(void)
{
    atomic_store(&is_under_way, true);
    const hal_ns end = hal_clock_ns() + PATIENCE_NS;
    struct thread *moving;
    do {
        moving = NULL;
        thread_walk(thread_stop, &moving);
        if (moving != NULL) {
            thread_sleep_until(hal_clock_ns() + LOOK_NS);
        }
    } while (moving != NULL && hal_clock_ns() < end);
    return moving;
}
