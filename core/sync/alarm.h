// SPDX-License-Identifier: BSD-3-Clause
// alarm.h: functions that are called at a time, on one thread that serves all of them.
//
// Thread context, may block.
#ifndef CORE_SYNC_ALARM_H
#define CORE_SYNC_ALARM_H

#include <stdbool.h>

#include "core/lib/wheel.h"
#include "hal/hal.h"

// All-zero, but for ring, is an alarm that is not set. Only its own functions touch the rest.
struct alarm {
    void (*ring)(struct alarm *alarm); // may block, and may set its own and other alarms
    struct wheel_node node;
    bool is_set;
};

// Lets alarm ring once at deadline (hal_clock_ns) or soon after, and not at the time set before.
// UINT64_MAX: not at all. -ENOMEM: the first alarm of all found no memory for the thread.
HAL_MUST_CHECK int alarm_set(struct alarm *alarm, hal_ns deadline);

// True: it was set, and will not ring. False: it was not, or rings just now. Does not wait.
HAL_MUST_CHECK bool alarm_stop(struct alarm *alarm);

// On return it does not ring and will not: its memory may go. Not for the alarm's own ring; the
// caller holds no lock that ring takes.
void alarm_cancel(struct alarm *alarm);

#endif
