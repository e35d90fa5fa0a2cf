// SPDX-License-Identifier: BSD-3-Clause
// rtc.h: the date.
#ifndef HAL_X86_64_MACHINE_RTC_H
#define HAL_X86_64_MACHINE_RTC_H

#include <stdint.h>

// Seconds since 1970 UTC. Takes a while: ask once.
uint64_t rtc_seconds(void);

#endif
