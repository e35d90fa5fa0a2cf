// SPDX-License-Identifier: BSD-3-Clause
// frame_clear.h: a CPU that has nothing to do clears free frames, so that who asks for zeros need
// not wait for them.
//
// Frames that are cleared stay free: they lie where they lay, anybody may take them, and nothing
// has to be given back when memory gets short.
#ifndef CORE_MEM_FRAME_CLEAR_H
#define CORE_MEM_FRAME_CLEAR_H

#include <stdbool.h>
#include <stdint.h>

// Interrupts are off, and the CPU has nothing else to do. Clears a page at most, or looks where
// there is one. False: there is nothing to do until frames are given back and others asked for. So
// many are cleared as were asked for before, 256 MiB or an eighth of memory at most; none while
// memory is short.
bool frame_clear(void);

// Pages, of all CPUs, since boot; a moment's sums.
struct frame_clear_counts {
    uint64_t idle;   // cleared by CPUs that had nothing to do
    uint64_t late;   // by who asked for zeros
    uint64_t spared; // zeros already when they were asked for
};

void frame_clear_counts_get(struct frame_clear_counts *counts);

#endif
