// SPDX-License-Identifier: BSD-3-Clause
// timer.h: each CPU's alarm.
#ifndef HAL_X86_64_MACHINE_TIMER_H
#define HAL_X86_64_MACHINE_TIMER_H

// Finds what kind of alarm CPUs have and how fast it runs, and sets the boot CPU's up; then the
// same for another CPU's, on it. After clock_init and apic_init.
void timer_init(void);
void timer_cpu_init(void);

// Ends what timer_init has begun where it has to measure: before another CPU starts. Waits until a
// millisecond has passed since then.
void timer_settle(void);

#endif
