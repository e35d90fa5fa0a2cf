// SPDX-License-Identifier: BSD-3-Clause
// shrinker.c: see shrinker.h.
//
// One thread, the reclaimer, asks them one after the other. It is rung for when frames get few and
// by those who wait for frames. Each of these gets a number, and has been served by a pass that
// began after it came.
//
// Invariant: the list only grows, with the lock held; the reclaimer holds no lock while a shrinker
// runs.
#include "core/sync/shrinker.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/mem/frame.h"
#include "core/mem/pressure.h"
#include "core/sched/thread.h"
#include "core/sync/bell.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

enum { RING = 1 };

static struct bell bell;
static struct thread *_Atomic reclaimer; // NULL until shrinker_start
static struct thread *_Atomic worker;    // of shrinker_worker_set

static _Atomic(void (*)(size_t)) report; // of shrinker_report_set
static _Atomic uint32_t ends;            // shortages

static struct mutex lock; // guards all that follows
static struct list shrinkers = LIST_EMPTY(shrinkers);
static struct waitqueue ended; // somebody waits for a pass
static uint64_t asked, served; // numbers of those who wait
static size_t asked_bytes;     // the most that anybody not yet served wants
static bool is_urgent;         // one of these has failed to allocate
static struct shrinker_counts counts;

void shrinker_register(struct shrinker *shrinker)
{
    ASSERT(shrinker->shrink != NULL);
    mutex_lock(&lock);
    list_push_back(&shrinkers, &shrinker->node);
    mutex_unlock(&lock);
}

void shrinker_walk(void (*visit)(struct shrinker *shrinker, void *argument), void *argument)
{
    mutex_lock(&lock);
    struct list *node;
    list_for_each(node, &shrinkers)
    {
        visit(container_of(node, struct shrinker, node), argument);
    }
    mutex_unlock(&lock);
}

void shrinker_counts_get(struct shrinker_counts *result)
{
    mutex_lock(&lock);
    *result = counts;
    mutex_unlock(&lock);
}

// ---- The reclaimer ---------------------------------------------------------

// The lock is held, and not while one of them runs: what is in the list stays there.
static size_t shrinkers_run(size_t wanted, bool may_wait, bool are_last)
{
    size_t freed = 0;
    for (struct list *node = shrinkers.next; node != &shrinkers && freed < wanted;
         node = node->next) {
        struct shrinker *shrinker = container_of(node, struct shrinker, node);
        if (shrinker->is_last != are_last) {
            continue;
        }
        mutex_unlock(&lock);
        const size_t left = wanted - freed, given = shrinker->shrink(shrinker, left, may_wait);
        mutex_lock_again(&lock);
        const size_t looked_for = given > left ? given : left;
        freed += given;
        counts.asked_bytes += looked_for;
        counts.asked_waiting_bytes += may_wait ? 0 : looked_for;
    }
    return freed;
}

static void pass(size_t wanted, bool may_wait)
{
    size_t freed = shrinkers_run(wanted, may_wait, false);
    if (freed < wanted && (!may_wait || pressure_is_min())) {
        freed += shrinkers_run(wanted - freed, may_wait, true);
    }
    ++counts.passes;
    counts.freed_bytes += freed;
    counts.waited_bytes += may_wait ? 0 : freed;
}

HAL_NORETURN static void reclaimer_run(void *unused)
{
    (void)unused;
    for (;;) {
        (void)bell_wait(&bell);
        mutex_lock(&lock);
        uint64_t number = asked;
        size_t wanted = pressure_wanted() * HAL_PAGE_SIZE;
        wanted = asked_bytes > wanted ? asked_bytes : wanted;
        bool may_wait = !is_urgent;
        asked_bytes = 0;
        is_urgent = false;
        if (wanted > 0) {
            pass(wanted, may_wait);
        }
        served = number;
        waitqueue_wake_all(&ended);
        mutex_unlock(&lock);
        pressure_rearm();
    }
}

static void low_heard(void)
{
    bell_ring(&bell, RING);
}

// Whether the reclaimer cannot be waited for: the caller is it, or works for it, or it is not yet.
static bool is_mine(void)
{
    struct thread *thread = atomic_load(&reclaimer);
    return thread == NULL || thread == thread_self() || atomic_load(&worker) == thread_self();
}

static size_t pass_wait(size_t wanted, bool has_failed)
{
    if (is_mine()) {
        return 0;
    }
    mutex_lock(&lock);
    uint64_t number = ++asked;
    size_t before = counts.freed_bytes;
    counts.waits += has_failed;
    is_urgent |= has_failed;
    asked_bytes = wanted > asked_bytes ? wanted : asked_bytes;
    bell_ring(&bell, RING);
    while (served < number) {
        waitqueue_wait(&ended, &lock);
    }
    size_t freed = counts.freed_bytes - before;
    mutex_unlock(&lock);
    return freed;
}

size_t shrinker_reclaim(size_t wanted)
{
    return pass_wait(wanted, true);
}

size_t shrinker_ask(size_t wanted)
{
    return pass_wait(wanted, false);
}

// Many shortages are like each other.
static void end_tell(size_t size)
{
    void (*told)(size_t) = atomic_load(&report);
    if (told == NULL || !pressure_end_take()) {
        return;
    }
    const uint32_t number = atomic_fetch_add(&ends, 1) + 1;
    if ((number & (number - 1)) == 0) {
        told(size);
    }
}

static bool is_scarce(size_t size)
{
    const size_t frames = size / HAL_PAGE_SIZE + 1;
    return frames <= frame_total_count() && pressure_spare() < frames + (size_t)pressure.low;
}

bool shrinker_wait(size_t size)
{
    return is_scarce(size) && shrinker_reclaim(size) > 0;
}

bool shrinker_retry(size_t size)
{
    if (!is_scarce(size) || is_mine()) {
        return false;
    }
    if (shrinker_reclaim(size) > 0) {
        return true;
    }
    end_tell(size);
    return false;
}

void shrinker_report_set(void (*told)(size_t wanted))
{
    atomic_store(&report, told);
}

void shrinker_worker_set(struct thread *thread)
{
    atomic_store(&worker, thread);
}

int shrinker_start(void)
{
    struct hal_cpu_set all = {0};
    for (uint32_t cpu = 0; cpu < sched_cpu_count(); ++cpu) {
        all.words[cpu / 64] |= (uint64_t)1 << cpu % 64;
    }
    const struct thread_config config = {
        .name = "reclaimer", .affinity = &all, .detached = true, .schedule = &thread_schedule_core};
    struct thread *thread;
    int error = thread_create(&thread, &config, reclaimer_run, NULL);
    if (error == 0) {
        bell_listener_set(&bell, thread);
        atomic_store(&reclaimer, thread);
        pressure_listen(low_heard);
        thread_start(thread);
    }
    return error;
}
