// SPDX-License-Identifier: BSD-3-Clause
// usage.h: for what page frames are in use, as far as only who takes them knows. For people and
// /proc. Any context.
#ifndef CORE_MEM_USAGE_H
#define CORE_MEM_USAGE_H

#include <stdatomic.h>
#include <stddef.h>

enum usage {
    USAGE_TABLES,       // of the machine's translation
    USAGE_RINGS,        // shared with devices
    USAGE_MEMORY_FILES, // what files in memory hold
    USAGE_FILE_PAGES,   // of mapped files of devices
    USAGE_BALLOON,      // the hypervisor has them
    USAGE_LENT,         // the same, and gives them back when memory ends
    USAGE_COUNT
};

extern _Atomic size_t usage_counts[USAGE_COUNT]; // frames

// Since boot: what the hypervisor has taken, and given back.
extern _Atomic size_t usage_balloon_taken, usage_balloon_returned;

static inline void usage_add(enum usage usage, size_t frames)
{
    (void)atomic_fetch_add_explicit(&usage_counts[usage], frames, memory_order_relaxed);
}

static inline void usage_take(enum usage usage, size_t frames)
{
    usage_add(usage, -frames);
}

static inline size_t usage_get(enum usage usage)
{
    return atomic_load_explicit(&usage_counts[usage], memory_order_relaxed);
}

#endif
