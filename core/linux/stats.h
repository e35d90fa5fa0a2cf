// SPDX-License-Identifier: BSD-3-Clause
// stats.h: --stats: figures of the run; and the calls that are not here, which are always counted.
#ifndef CORE_LINUX_STATS_H
#define CORE_LINUX_STATS_H

#include "hal/hal.h"

// From here on calls may be counted. -ENOMEM.
HAL_MUST_CHECK int stats_start(void);

// Around a system call of a number below SYSCALL_NUMBER_MAX, or any other, which is not counted.
// Thread context. One that never returns (exit) is counted all the same.
hal_ns stats_call_begin(long number);
void stats_call_end(long number, hal_ns start);

void stats_unknown_add(long number); // one that is not here

void stats_print(void);         // to the console
void stats_unknown_print(void); // one line; none where nothing was missed

#endif
