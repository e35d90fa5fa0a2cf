// SPDX-License-Identifier: BSD-3-Clause
// clock.h: Linux's clocks on the machine's two.
#ifndef CORE_LINUX_CLOCK_H
#define CORE_LINUX_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "hal/hal.h"

// A thread's processor time, for any thread: the number that pthread_getcpuclockid makes.
int clock_of_thread(int32_t id);

// The time of a clock, CLOCK_* or a processor-time clock's number. -EINVAL.
HAL_MUST_CHECK int clock_read(int clock, hal_ns *time);

bool clock_is_on_wall(int clock); // CLOCK_REALTIME and its kin

// The deadline, in hal_clock_ns's time or with THREAD_WALL, that user's timespec means on a clock.
// -EINVAL, -EFAULT.
HAL_MUST_CHECK int clock_deadline_read(hal_ns *deadline, int clock, bool is_absolute,
                                       const struct timespec *user);

// How much is left until a deadline, now; and the same to the caller, whom a bad pointer costs it.
// timeout NULL: to nobody.
struct timespec clock_rest(hal_ns deadline);
void clock_rest_write(struct timespec *timeout, hal_ns deadline);

// The same as clock_deadline_read for a span that may be missing: NULL is for ever.
HAL_MUST_CHECK int clock_span_read(hal_ns *deadline, const struct timespec *user);

#endif
