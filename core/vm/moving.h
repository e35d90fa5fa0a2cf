// SPDX-License-Identifier: BSD-3-Clause
// moving.h: 2 MiB of anonymous memory on their way from many frames to one.
//
// Their pages are taken out of the machine's tables and written down; then they are copied, and
// nobody is kept from anything: who faults there waits a little, and then takes the pages of his
// chunk back, as does at once who changes the range or must not wait. If nobody has, the copy takes
// their place.
#ifndef CORE_VM_MOVING_H
#define CORE_VM_MOVING_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

struct gather;

enum { MOVING_SIZE = 2 << 20, MOVING_PAGES = MOVING_SIZE / HAL_PAGE_SIZE };

// One caller at a time. The holder of the address space's mutex, who has called lazy_adopt for the
// 2 MiB at base, which are pages of prot. Answers how many pages there are; 0: nothing was begun,
// because there are fewer than count_min, or no mapping is left.
size_t moving_begin(char *base, unsigned prot, size_t count_min);

// Without the mutex, after a flush of the range.
void moving_copy(hal_phys target);

// Maps target in place of the pages, unless somebody has taken some back: then all are there again.
// Where it is mapped the old frames go to gather.
bool moving_end(hal_phys target, struct gather *gather);

// For lazy.c, which has the claim of the chunk: maps its pages as they were. -ENOMEM.
HAL_MUST_CHECK int moving_return(char *chunk);

#endif
