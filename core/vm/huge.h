// SPDX-License-Identifier: BSD-3-Clause
// huge.h: what happens to large pages, counted, as /proc/vmstat has it. Any context.
#ifndef CORE_VM_HUGE_H
#define CORE_VM_HUGE_H

#include <stdint.h>

enum huge_count {
    HUGE_FAULTS,    // brought 2 MiB
    HUGE_FALLBACKS, // would have, had there been memory
    HUGE_COLLAPSES, // 2 MiB that had come otherwise
    HUGE_FAILURES,  // for which there was no memory
    HUGE_COUNTS,
};

void huge_count(enum huge_count which);
uint64_t huge_count_get(enum huge_count which);

// A fault has brought a chunk that might be part of a large page; who listens is told of every
// 1024th, and must do no more than ring a bell.
void huge_notice(void);
void huge_listen(void (*listener)(void));

#endif
