// SPDX-License-Identifier: BSD-3-Clause
// huge.h: large pages: whether they may come, and what happens to them, counted, as /proc/vmstat
// has it. Any context.
#ifndef CORE_VM_HUGE_H
#define CORE_VM_HUGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum huge_policy {
    HUGE_NEVER,
    HUGE_ADVISED, // where MADV_HUGEPAGE was said
    HUGE_ALWAYS,
};

// Anybody may change these at any time; what is there stays as it is.
struct huge_settings {
    _Atomic unsigned policy;     // of enum huge_policy
    _Atomic bool is_disabled;    // by the program for itself (PR_SET_THP_DISABLE)
    _Atomic uint32_t absent_max; // pages of 2 MiB that may be absent where nobody asked
    _Atomic uint32_t scan_pages; // that the collapser looks at before it lets others go on
};
extern struct huge_settings huge_settings;

// Whether 2 MiB may come, or be made, unasked.
static inline bool huge_allows(bool is_advised)
{
    // Relaxed, as all here: a wish.
    const unsigned policy = atomic_load_explicit(&huge_settings.policy, memory_order_relaxed);
    return policy >= (is_advised ? HUGE_ADVISED : HUGE_ALWAYS) &&
           !atomic_load_explicit(&huge_settings.is_disabled, memory_order_relaxed);
}

enum huge_count {
    HUGE_FAULTS,    // brought 2 MiB
    HUGE_FALLBACKS, // would have, had there been memory
    HUGE_COLLAPSES, // 2 MiB that had come otherwise
    HUGE_FAILURES,  // for which there was no memory
    HUGE_SCANS,     // of all areas, by the collapser
    HUGE_SCANNED,   // that it has collapsed, of all
    HUGE_CUTS,      // became small pages
    HUGE_SPLITS,    // of these, not all of the memory is the mapping's any more
    HUGE_COUNTS,
};

void huge_count(enum huge_count which);
uint64_t huge_count_get(enum huge_count which);

// Of [start, end), pages are about to go, where some stay, or to change: what is large and reaches
// over its ends is counted.
void huge_come(void); // a large page has come, otherwise than is counted
enum huge_cut { HUGE_CUT, HUGE_SPLIT };
void huge_cut_look(char *start, char *end, enum huge_cut how);
static inline void huge_cut(char *start, char *end, enum huge_cut how)
{
    extern _Atomic bool huge_is_used;
    if (__builtin_expect(atomic_load_explicit(&huge_is_used, memory_order_relaxed), 0)) {
        huge_cut_look(start, end, how);
    }
}

// A fault has brought a chunk that might be part of a large page; who listens is told of every
// 1024th, and must do no more than ring a bell.
void huge_notice(void);
void huge_listen(void (*listener)(void));

#endif
