// SPDX-License-Identifier: BSD-3-Clause
// unit_hal.h: what a unit test sets and reads of the HAL that its code under test runs on.
#ifndef UNIT_HAL_H
#define UNIT_HAL_H

#include "hal/hal.h"

extern hal_ns unit_clock_ns;                  // hal_clock_ns's answer; the test moves it
extern hal_ns unit_timer_deadline;            // the last hal_timer_set
extern unsigned unit_kick_count[HAL_CPU_MAX]; // hal_cpu_kick's calls for each CPU
extern __thread struct hal_range unit_populated; // the calling thread's last hal_populate
extern __thread size_t unit_flushes;              // its calls of hal_tlb_flush

#endif
