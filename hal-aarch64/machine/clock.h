// SPDX-License-Identifier: BSD-3-Clause
// clock.h: time and alarm by the generic timer.
#ifndef HAL_AARCH64_MACHINE_CLOCK_H
#define HAL_AARCH64_MACHINE_CLOCK_H

#include "hal/hal.h"

// rtc is the PL031's register window, or NULL: then time begins in 1970.
void clock_init(const char *rtc);

// Lowers the timer's line.
void clock_timer_silence(void);

// After the timer's interrupt: true if the deadline has come, and is then gone; arms the timer
// again if it has not.
bool clock_timer_due(void);

#endif
