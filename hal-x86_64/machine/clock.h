// SPDX-License-Identifier: BSD-3-Clause
// clock.h: time by the time-stamp counter.
#ifndef HAL_X86_64_MACHINE_CLOCK_H
#define HAL_X86_64_MACHINE_CLOCK_H

#include "hal/hal.h"

// Finds the counter's frequency and the date. Before any other function of the clock; takes about
// 20 ms.
void clock_init(void);

// The counter span ns nanoseconds from now, never too long by more than one.
uint64_t clock_tsc_span(hal_ns ns);

#endif
