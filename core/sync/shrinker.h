// SPDX-License-Identifier: BSD-3-Clause
// shrinker.h: who keeps memory that it can do without, and the thread that asks for it back when
// page frames get few (core/mem/pressure.h).
#ifndef CORE_SYNC_SHRINKER_H
#define CORE_SYNC_SHRINKER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/lib/list.h"
#include "hal/hal.h"

struct thread;

struct shrinker {
    const char *name; // for people
    // Gives back about wanted bytes, and answers how many it gave. On the reclaimer's thread; never
    // twice at a time. It may allocate, which may fail. may_wait false: a thread waits for the
    // answer; so take no lock under which anybody allocates unless it is free, and wait for no
    // device.
    size_t (*shrink)(struct shrinker *shrinker, size_t wanted, bool may_wait);
    // How many bytes it has, of which some may be in use. Any thread, takes no lock. NULL: unknown.
    size_t (*held)(struct shrinker *shrinker);
    bool is_last;     // asked after all others, and only where memory is about to end
    struct list node; // shrinker.c's
};

// The four set above, the rest zero. Thread context. Those that come first are asked first.
void shrinker_register(struct shrinker *shrinker);

// Has the reclaimer ask all of them for wanted bytes, and waits. Answers how many bytes they gave:
// who has failed to allocate tries again if any. Thread context, holding no lock of core's. 0: it
// does not run yet, or the caller works for it.
size_t shrinker_reclaim(size_t wanted);

// The same for who can do without: those that are asked last are not, and shrinkers may wait.
size_t shrinker_ask(size_t wanted);

// For who has failed to allocate size bytes: whether frames are what was missing, and some have
// been given back, so that it may be tried once more. Where frames are missing and none has been
// given back, memory has ended. The caller is as for shrinker_reclaim.
bool shrinker_retry(size_t size);

// The same, and nothing is reported.
bool shrinker_wait(size_t size);

// report(wanted bytes) is called when memory has ended: once in each shortage, and of many
// shortages in the first, the second, the fourth and so on. By who failed, in shrinker_retry.
void shrinker_report_set(void (*report)(size_t wanted));

// thread does the work of a shrinker, which waits for it. One at most.
void shrinker_worker_set(struct thread *thread);

// Calls visit for each. The list is locked.
void shrinker_walk(void (*visit)(struct shrinker *shrinker, void *argument), void *argument);

struct shrinker_counts { // since boot
    size_t passes, waits;
    size_t freed_bytes, waited_bytes; // the latter: of them, while somebody waited
    // What they were asked for, or gave where that was more; and of that while somebody waited.
    size_t asked_bytes, asked_waiting_bytes;
};
void shrinker_counts_get(struct shrinker_counts *counts);

// At boot, once threads can be made. -ENOMEM.
HAL_MUST_CHECK int shrinker_start(void);

#endif
