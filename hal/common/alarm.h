// SPDX-License-Identifier: BSD-3-Clause
// alarm.h: each CPU's one deadline, which core sets, and the timer that rings for it.
//
// The deadline is what counts; the timer is only its alarm. It may ring early (its
// counter ends, its frequency is measured): then it is set again. It may ring for a deadline that
// has been replaced meanwhile: the interrupt is taken and nothing is due.
#ifndef HAL_COMMON_ALARM_H
#define HAL_COMMON_ALARM_H

#include "hal/hal.h"

// After the timer's interrupt: true if the deadline has come, and is then gone; arms the timer
// again if it has not.
bool alarm_is_due(void);

// ---- What the machine does, for this CPU; interrupts are off -------------------

// Makes the timer ring at deadline or before, soon if it is over; or not at all.
void machine_alarm_arm(hal_ns deadline);
void machine_alarm_silence(void);

#endif
