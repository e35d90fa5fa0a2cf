// SPDX-License-Identifier: BSD-3-Clause
// machine.h: the half of the process machine that comes in two forms.
//
// Either every vCPU is a host thread: smp.c, clock.c, entropy.c, dev/job.c, dev/worker.c. Or all of
// them take turns on one, and a seed decides which: seed/. Each form defines what is declared here,
// vcpu_raise, clock_init, clock_timer_check, worker_submit, worker_start, hal_cpu_start,
// hal_cpu_idle, hal_timer_set, the clocks and hal_entropy.
#ifndef HAL_LINUX_MACHINE_H
#define HAL_LINUX_MACHINE_H

#include "hal/hal.h"

// Hosted: starts vCPU 0 in upcall_boot. 0 or -errno.
int machine_start(const struct hal_boot *boot);

#endif
