// SPDX-License-Identifier: BSD-3-Clause
// interval.h: a time on one of Linux's clocks, once or again and again: what timerfd, timer_create
// and setitimer are made of.
#ifndef CORE_LINUX_INTERVAL_H
#define CORE_LINUX_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/sync/alarm.h"

struct itimerspec;

// Guarded by its owner's lock, but for alarm. The owner sets clock, and alarm.ring, which calls
// interval_is_due first. A span of time is measured on the monotonic clock where clock is one on
// the wall: who sets that does not make the span longer or shorter (POSIX, timer_settime).
struct interval {
    struct alarm alarm;
    struct list wall_node; // if is_on_wall: of all of these; interval.c's lock
    bool is_on_wall;       // it waits for a time on the wall
    int clock;             // CLOCK_*
    int measure;           // the clock of expires
    hal_ns expires;        // 0: not set
    hal_ns period;         // 0: once
    bool is_expired;       // it has rung, and interval_forward has not been called since
};

// Sets it to user's value, taken as clock_deadline_read has it; a value of zero: to nothing.
// -EINVAL, -ENOMEM.
HAL_MUST_CHECK int interval_set(struct interval *interval, bool is_absolute, hal_ns value,
                                hal_ns period);

// Before its memory goes: on return it does not ring and will not. As alarm_cancel.
void interval_end(struct interval *interval);

// The clock on the wall has been set. Thread context, may block. All that wait for a time of it
// ring.
void interval_wall_changed(void);
uint64_t interval_wall_changes(void); // how many times it has been so far

// For the ring: has the time come? False: it was too early, or it has been set anew meanwhile. Sets
// is_expired.
HAL_MUST_CHECK bool interval_is_due(struct interval *interval);

// After it has expired: answers how many times it has by now, at least 1, and sets the alarm for
// the next, if any. 0: it had not expired.
uint64_t interval_forward(struct interval *interval);

// How long until it expires, at least 1; 0: it will not.
hal_ns interval_left(const struct interval *interval);

// The kernel's struct itimerspec. -EFAULT, -EINVAL.
HAL_MUST_CHECK int interval_read(const struct itimerspec *user, hal_ns *value, hal_ns *period);
HAL_MUST_CHECK int interval_write(struct itimerspec *user, hal_ns value, hal_ns period);

#endif
