// SPDX-License-Identifier: BSD-3-Clause
// frame.h: physical page frames.
//
// Sizes are in pages (HAL_PAGE_SIZE). Every function: any CPU, interrupts on or off, never blocks.
#ifndef CORE_MEM_FRAME_H
#define CORE_MEM_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

enum frame_flags {
    FRAME_ZERO = 1,     // the frames read as zeros; costs nothing where they were never used
    FRAME_SURE = 2,     // no fault that the machine plants: who asks could not say what is missing
    FRAME_PROMISED = 4, // may be one of those that are promised (pressure.h)
};

// Takes over boot's regions. Once, on the boot CPU, which has been adopted (percpu.h), before
// anything else of core/mem.
void frame_init(const struct hal_boot *boot);

// Takes count contiguous frames, aligned to the next power of two of count up to 512 (2 MiB).
// -ENOMEM: none.
HAL_MUST_CHECK int frame_alloc(size_t count, unsigned flags, hal_phys *start);

// The same for less than 2 MiB, where room for more, at most 2 MiB in all, comes after them: these
// frames stay free, and are likely to be so for a while.
HAL_MUST_CHECK int frame_alloc_room(size_t count, size_t room, hal_phys *start);

// Takes these frames, which come after such. False: some of them are in use, or promised.
bool frame_take_next(hal_phys start, size_t count);

// As frame_alloc, from nodes that place names (frame_zones.h), and never out of a CPU's store.
HAL_MUST_CHECK int frame_alloc_placed(size_t count, unsigned flags, unsigned place,
                                      hal_phys *start);

// From now on a machine that plants faults may let allocations fail: the program begins.
void frame_inject_start(void);

// Takes the longest contiguous run of at most count_max frames that can be had quickly. Answers its
// length; 0: none.
size_t frame_alloc_run(size_t count_max, unsigned flags, hal_phys *start);

// Gives back frames; any part of an allocation, in any order.
void frame_free(hal_phys start, size_t count);

// Where a frame is readable and writable, and back. The direct map is never unmapped.
char *frame_address(hal_phys frame);
hal_phys frame_of(const void *address);
bool frame_is_direct(const void *address);
char *frame_direct_base(void); // of the direct map

// The frames lie in [frame_first, frame_first + frame_span), with holes; frame_first is a multiple
// of 2 MiB.
hal_phys frame_first(void);
size_t frame_span(void); // bytes

bool frame_is_checked(void);         // hal_boot.is_checked
bool frame_is_taken(hal_phys frame); // a moment's answer; in a CPU's store counts as taken

size_t frame_free_count(void); // a moment's sum
size_t frame_total_count(void);

// The most frames in use at any time since frame_peak_watch, but for what CPUs keep ready.
void frame_peak_watch(void);
size_t frame_peak_count(void);

#endif
