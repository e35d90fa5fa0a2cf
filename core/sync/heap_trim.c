// SPDX-License-Identifier: BSD-3-Clause
// heap_trim.c: see heap_trim.h.
//
// What a CPU has for itself only it can touch, with interrupts off: so each CPU is sent an errand,
// and puts that where all CPUs find it. Then spans whose blocks are all free can be found.
#include "core/sync/heap_trim.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/mem/heap.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/semaphore.h"
#include "core/sync/shrinker.h"

static struct mutex lock; // one trims at a time. Never waited for: the reclaimer may be needed
                          // by who has it
static struct semaphore flushed;     // a CPU has run its errand
static _Atomic size_t flushed_bytes; // that CPUs gave back

static void cpu_flush(void)
{
    // Relaxed: the semaphore orders it.
    atomic_fetch_add_explicit(&flushed_bytes, heap_flush(), memory_order_relaxed);
}

static void errand(void)
{
    cpu_flush();
    int error = semaphore_post(&flushed);
    ASSERT(error == 0);
}

static void cpus_flush(void)
{
    uint32_t count = sched_cpu_count();
    uintptr_t irq = hal_irq_save();
    uint32_t mine = thread_cpu_index();
    for (uint32_t i = 0; i < count; ++i) {
        if (i != mine) {
            sched_errand_send(i, errand);
        }
    }
    cpu_flush();
    hal_irq_restore(irq);
    for (uint32_t i = 1; i < count; ++i) {
        semaphore_wait(&flushed);
    }
}

static size_t blocks_trim(void)
{
    if (!mutex_try_lock(&lock)) {
        return 0;
    }
    cpus_flush();
    size_t returned = atomic_exchange(&flushed_bytes, 0) + heap_trim();
    mutex_unlock(&lock);
    return returned;
}

size_t heap_trim_all(void)
{
    size_t unmapped = heap_unmap();
    return unmapped + blocks_trim();
}

static size_t heap_shrink(struct shrinker *shrinker, size_t wanted, bool may_wait)
{
    (void)shrinker;
    (void)wanted; // it is found out by trimming
    return may_wait ? heap_trim_all() : blocks_trim();
}

void heap_trim_start(void)
{
    static struct shrinker heap = {.name = "heap", .shrink = heap_shrink};
    shrinker_register(&heap);
}
