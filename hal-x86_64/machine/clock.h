// SPDX-License-Identifier: BSD-3-Clause
// clock.h: time.
#ifndef HAL_X86_64_MACHINE_CLOCK_H
#define HAL_X86_64_MACHINE_CLOCK_H

#include "hal/hal.h"

// Chooses the clock and finds the date. Before any other function of the clock; takes 3 to 15 ms
// where the TSC's frequency has to be measured and there is no HPET of 64 bits.
void clock_init(void);

// Ends what clock_init has begun where it has to measure: before another CPU starts. Waits until 2
// ms have passed since then.
void clock_settle(void);

// What another CPU has to do before it asks for the time.
void clock_cpu_init(void);

// The counter span ns nanoseconds from now, never too long by more than one.
uint64_t clock_tsc_span(hal_ns ns);

#endif
