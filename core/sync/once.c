// SPDX-License-Identifier: BSD-3-Clause
// once.c: a word for each, and one queue for all who sleep.
//
// The word has no room for a queue, and who sleeps for something that is done once is rare: all
// sleep in one queue, and whoever ends something that is awaited wakes all of them. Each looks at
// its own word then. Invariant: who is in the queue has seen its word awaited with guard held, so
// whoever changes the word later finds it there.
#include "core/sync/once.h"

#include "core/lib/mark.h"
#include "core/sync/waitqueue.h"

static struct mutex guard; // of the queue
static struct waitqueue sleepers;

// Sleeps until somebody ends something, unless this has ended meanwhile.
static void await(struct once *once)
{
    mutex_lock(&guard);
    uint32_t state = ONCE_RUNNING;
    if (atomic_compare_exchange_strong(&once->state, &state, ONCE_AWAITED) ||
        state == ONCE_AWAITED) {
        MARK("once: somebody waits");
        waitqueue_wait(&sleepers, &guard);
    } else {
        MARK("once: it ended meanwhile");
    }
    mutex_unlock(&guard);
}

bool once_begin(struct once *once)
{
    for (;;) {
        uint32_t state = ONCE_NEW;
        if (atomic_compare_exchange_strong(&once->state, &state, ONCE_RUNNING)) {
            return true;
        }
        if (state == ONCE_DONE) {
            return false;
        }
        await(once);
    }
}

void once_end(struct once *once, bool is_done)
{
    uint32_t state = atomic_exchange(&once->state, is_done ? ONCE_DONE : ONCE_NEW);
    if (state == ONCE_AWAITED) {
        mutex_lock(&guard);
        waitqueue_wake_all(&sleepers);
        mutex_unlock(&guard);
    }
}
