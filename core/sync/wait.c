// SPDX-License-Identifier: BSD-3-Clause
// wait.c: a sleep, a look at all, a sleep.
//
// A look may take locks, and sleep for them, which uses up a wake that came meanwhile. So a waker
// sets is_woken first, and who finds it set looks again instead of sleeping. Invariant: whatever
// becomes ready after the look that entered its source either is seen by a later look, or finds
// is_woken unset, sets it, and wakes the thread from its sleep.
//
// A wake without is_woken is no reason to look: a look that sleeps for a lock may leave one behind,
// and who looks again for that would go round while the one that is to have the lock does not run.
#include "core/sync/wait.h"

#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/sync/waitqueue.h"

static enum wait_result sleep_until(struct wait *wait, hal_ns deadline)
{
    bool has_slept = false;
    bool in_time = true;
    while (!atomic_load_explicit(&wait->is_woken, memory_order_acquire)) { // pairs with wait_flag
        if (!in_time || wait_is_interrupted()) {
            return in_time ? WAIT_INTERRUPTED : WAIT_TIMED_OUT;
        }
        thread_wait_note(wait->thread, wait->kind, wait->object);
        in_time = thread_park_until(deadline);
        thread_wait_note(wait->thread, THREAD_WAIT_NONE, NULL);
        has_slept = true;
    }
    if (!has_slept) {
        MARK("wait: woken between the look and the sleep");
    }
    // Whoever sets it before this has made its object ready before the look that follows.
    atomic_store_explicit(&wait->is_woken, false, memory_order_relaxed);
    return WAIT_WOKEN;
}

static int look_at_all(struct wait_source *sources)
{
    int ready = 0;
    for (struct wait_source *source = sources; source != NULL; source = source->next) {
        ready += source->look(source) != 0;
    }
    return ready;
}

int wait_any(struct wait_source *sources, struct wait *wait, hal_ns deadline)
{
    for (;;) {
        enum wait_result result = sleep_until(wait, deadline);
        int ready = look_at_all(sources);
        if (ready != 0 || result != WAIT_WOKEN) {
            return ready != 0 ? ready : result == WAIT_INTERRUPTED ? -EINTR : 0;
        }
    }
}
