// SPDX-License-Identifier: BSD-3-Clause
// gic.h: the interrupt controller, version 2: the timer and the one IPI.
#ifndef HAL_AARCH64_MACHINE_GIC_H
#define HAL_AARCH64_MACHINE_GIC_H

#include "hal/hal.h"

enum gic_cause { GIC_NONE, GIC_TIMER, GIC_KICK };

// distributor and cpu are its two register windows, mapped.
void gic_init(char *distributor, char *cpu);

// Takes the most urgent interrupt from the controller and tells it so. The timer is silent until it
// is set again.
enum gic_cause gic_take(void);

#endif
