// SPDX-License-Identifier: BSD-3-Clause
// cpu_host.h: a machine for core/sched: each CPU is a thread of the host, threads of core are
// contexts that change between them.
//
// Interrupts are delivered where core turns them on, and where it idles: nothing is interrupted
// between. Time is virtual: it passes by cpu_host_pass, and to the next deadline where a CPU idles
// that has one.
#ifndef TESTS_UNIT_CPU_HOST_H
#define TESTS_UNIT_CPU_HOST_H

#include <stdatomic.h>
#include <stdint.h>

#include "hal/hal.h"

// Boots core/mem and core/sched on count CPUs, of which the caller becomes the first, with one
// thread, which calls first. Returns after cpu_host_end. Once in a process.
void cpu_host_run(uint32_t count, void (*first)(void *));

// Called by a thread of core when all others have ended, or are parked for ever.
HAL_NORETURN void cpu_host_end(void);

extern _Atomic hal_ns cpu_host_wall; // what hal_clock_wall_ns is ahead of hal_clock_ns

// The caller computes for so long, and lets in interrupts at the end.
void cpu_host_pass(hal_ns span);

#endif
