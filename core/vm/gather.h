// SPDX-License-Identifier: BSD-3-Clause
// gather.h: what one change of the address space takes out of the machine's tables: ranges that
// processors may still have translations of, which one flush ends, and frames that are free behind
// it.
//
// For the holder of the address space's mutex. Lives on its user's stack.
#ifndef CORE_VM_GATHER_H
#define CORE_VM_GATHER_H

#include <stddef.h>

#include "core/vm/pages.h"
#include "hal/hal.h"

struct hal_boot;
struct gather_page;

enum { GATHER_RANGES = 8, GATHER_RUNS = 16 };

struct gather {
    size_t range_count; // 0: nothing of the rest is set
    size_t run_count;
    struct gather_page *more; // runs beyond those here
    struct hal_range ranges[GATHER_RANGES];
    struct frame_run runs[GATHER_RUNS];
};

extern struct hal_cpu_set gather_cpus; // all there are; gather_init's

void gather_init(const struct hal_boot *boot);

static inline void gather_begin(struct gather *gather)
{
    gather->range_count = 0;
}

// Ranges that touch become one; where there are many, some that do not. Ascending ones cost least.
void gather_range_more(struct gather *gather, char *start, char *end);

static inline void gather_range(struct gather *gather, char *start, char *end)
{
    if (gather->range_count == 0) {
        gather->ranges[0] = (struct hal_range){start, (size_t)(end - start)};
        gather->range_count = 1;
        gather->run_count = 0;
        gather->more = NULL;
    } else {
        gather_range_more(gather, start, end);
    }
}

// The frames are out of the tables, and their range was or will be told before the next
// gather_finish. Where no memory is left to write them down they are flushed and freed at once, so
// the range has to be told first.
void gather_frames_more(struct gather *gather, hal_phys start, size_t count);

static inline void gather_frames(struct gather *gather, hal_phys start, size_t count)
{
    if (gather->range_count != 0 && gather->run_count == 0) {
        gather->runs[0] = (struct frame_run){start, count};
        gather->run_count = 1;
    } else {
        gather_frames_more(gather, start, count);
    }
}

void gather_frames_free(struct gather *gather);

// One flush, then the frames are free. Nothing where nothing was gathered. gather is empty again.
static inline void gather_finish(struct gather *gather)
{
    if (gather->range_count != 0) {
        hal_tlb_flush(gather->ranges, gather->range_count, &gather_cpus);
        gather->range_count = 0;
        if (gather->run_count != 0) {
            gather_frames_free(gather);
        }
    }
}

#endif
