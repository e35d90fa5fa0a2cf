// SPDX-License-Identifier: BSD-3-Clause
// deadline.h: where hal/common/alarm.c finds this CPU's deadline.
#ifndef HAL_X86_64_MACHINE_DEADLINE_H
#define HAL_X86_64_MACHINE_DEADLINE_H

#include "percpu.h"

static inline hal_ns *deadline_mine(void)
{
    return &percpu_self()->deadline;
}

#endif
