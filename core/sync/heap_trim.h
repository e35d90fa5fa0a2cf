// SPDX-License-Identifier: BSD-3-Clause
// heap_trim.h: gives back what the heap has on any CPU and nobody uses: for malloc_trim, and as a
// shrinker.
#ifndef CORE_SYNC_HEAP_TRIM_H
#define CORE_SYNC_HEAP_TRIM_H

#include <stddef.h>

// Answers how many bytes; 0 also while another thread does the same. Thread context, holding no
// lock of core's.
size_t heap_trim_all(void);

void heap_trim_start(void); // at boot, once threads run

#endif
