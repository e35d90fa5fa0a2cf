// SPDX-License-Identifier: BSD-3-Clause
// timer.h: each CPU's alarm.
#ifndef HAL_X86_64_MACHINE_TIMER_H
#define HAL_X86_64_MACHINE_TIMER_H

#include <stdbool.h>

// Finds what kind of alarm CPUs have and how fast it runs, and sets the boot CPU's up; then the
// same for another CPU's, on it. After clock_init and apic_init; takes
// about 4 ms where its frequency has to be measured.
void timer_init(void);
void timer_cpu_init(void);

// After the timer's interrupt: true if the deadline has come, and is then gone; arms the timer
// again if it has not.
bool timer_is_due(void);

#endif
