// SPDX-License-Identifier: BSD-3-Clause
// cpu_unit.c: the one CPU of most unit tests: its clock stands still unless the test moves it, and
// kicks and deadlines are only remembered. A test that brings CPUs of its own (cpu_host.c) leaves
// this out.
#include "hal/hal.h"
#include "unit_hal.h"

hal_ns unit_clock_ns;
hal_ns unit_timer_deadline = UINT64_MAX;
unsigned unit_kick_count[HAL_CPU_MAX];

void hal_cpu_kick(uint32_t index)
{
    unit_kick_count[index]++;
}

hal_ns hal_clock_ns(void)
{
    return unit_clock_ns;
}

hal_ns hal_clock_wall_ns(void)
{
    return unit_clock_ns;
}

void hal_timer_set(hal_ns deadline)
{
    unit_timer_deadline = deadline;
}
