// SPDX-License-Identifier: BSD-3-Clause
// seed_thread.c: core/sched's contract in few lines, for tests of what stands on it: two threads,
// each with a CPU of its own. A timed park may time out at any moment. Compiled without
// instrumentation: what it does is one step.
#include "core/sched/thread.h"
#include "seed.h"
#include "seed_thread.h"

static struct thread threads[SEED_CPU_COUNT], outside;
static bool is_notified[SEED_CPU_COUNT];

void seed_threads_reset(void)
{
    outside = (struct thread){.id = SEED_CPU_COUNT + 1};
    seed_self_outside_set(&outside);
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        threads[i] = (struct thread){.id = i + 1};
        is_notified[i] = false;
        seed_self_set(i, &threads[i]);
    }
}

struct thread *seed_thread(unsigned index)
{
    return &threads[index];
}

static bool park(bool may_time_out)
{
    seed_point();
    unsigned index = seed_index();
    bool in_time = is_notified[index] || seed_block(may_time_out);
    is_notified[index] = false;
    return in_time;
}

void thread_park(void)
{
    (void)park(false);
}

bool thread_park_until(hal_ns deadline)
{
    return park(deadline != UINT64_MAX);
}

void thread_wake(struct thread *thread)
{
    seed_point();
    unsigned index = (unsigned)(thread - threads);
    is_notified[index] = true;
    if (seed_is_blocked(index)) {
        seed_unblock(index);
    }
}

uint32_t sched_cpu_count(void)
{
    return 1; // nobody spins: it would only be a slow way to wait
}

bool thread_is_waited_for(void)
{
    return false;
}

// Kicks are nobody's business here.
uintptr_t thread_batch_begin(void)
{
    return 0;
}

void thread_batch_end(uintptr_t irq)
{
    (void)irq;
}

// No thread here has signals to serve.
void thread_serve_slow(void)
{
}
