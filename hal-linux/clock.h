// SPDX-License-Identifier: BSD-3-Clause
// clock.h: the clock, and one host timer per vCPU.
#ifndef HAL_LINUX_CLOCK_H
#define HAL_LINUX_CLOCK_H

#include "hal-linux/vcpu.h"

struct timespec;

// Starts hal_clock_ns at 0. vdso: the host's clock_gettime that needs no thread pointer, or NULL.
void clock_init(int (*vdso)(int clock, struct timespec *time));

// Makes the calling host thread's timer. 0 or -errno.
int clock_timer_init(struct vcpu *vcpu);

// A descriptor of the host, non-blocking, that is readable once somebody has set its clock on the wall, until it is
// read. -1: nobody does.
int clock_watch(void);

// A hal_ns as the host's clock counts it.
struct timespec clock_host_time(hal_ns time);

// Turns an expired deadline into VCPU_TIMER. Masked, or from the handler of VCPU_SIGNAL.
void clock_timer_check(struct vcpu *vcpu);

#endif
