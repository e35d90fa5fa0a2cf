// SPDX-License-Identifier: BSD-3-Clause
// sched.h: starting the scheduler; for core/boot and the self-test.
#ifndef CORE_SCHED_SCHED_H
#define CORE_SCHED_SCHED_H

#include "hal/hal.h"

struct thread;

// After frame_init and heap_init, on the boot CPU. Makes the caller's CPU and all others of boot run threads; the first
// is a thread that calls first(argument).
HAL_NORETURN void sched_start(const struct hal_boot *boot, void (*first)(void *), void *argument);

// Called on each return from an interrupt that came from outside core's masked sections, before anything is switched:
// core/linux looks at pending signals here. frame as in upcall.h, never NULL. Registered once at boot; NULL: nobody.
void sched_frame_hook_set(void (*hook)(struct hal_frame *frame));

#endif
