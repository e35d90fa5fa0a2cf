// SPDX-License-Identifier: BSD-3-Clause
// clock.h: time by the generic timer.
#ifndef HAL_AARCH64_MACHINE_CLOCK_H
#define HAL_AARCH64_MACHINE_CLOCK_H

#include "hal/hal.h"

// rtc is the PL031's register window, or NULL: then time begins in 1970.
void clock_init(const char *rtc);

#endif
