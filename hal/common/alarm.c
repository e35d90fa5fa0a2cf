// SPDX-License-Identifier: BSD-3-Clause
// alarm.c: each CPU's one deadline, whatever timer rings for it.
#include "hal/common/alarm.h"

#include "deadline.h" // the machine's, found by include path

void hal_timer_set(hal_ns deadline)
{
    const uintptr_t state = hal_irq_save();
    *deadline_mine() = deadline;
    if (deadline == UINT64_MAX) {
        machine_alarm_silence();
    } else {
        machine_alarm_arm(deadline);
    }
    hal_irq_restore(state);
}

bool alarm_is_due(void)
{
    hal_ns *mine = deadline_mine();
    if (*mine == UINT64_MAX) {
        return false;
    }
    if (hal_clock_ns() < *mine) {
        machine_alarm_arm(*mine);
        return false;
    }
    *mine = UINT64_MAX;
    return true;
}
