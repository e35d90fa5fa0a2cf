// SPDX-License-Identifier: BSD-3-Clause
// clock.c: time and alarm by the generic timer's virtual counter, the date by the PL031.
#include "clock.h"

#include "hal/common/alarm.h"

enum { TIMER_ENABLE = 1, TIMER_SILENT = 2 };

static const uint64_t ns_per_second = 1000000000;

static uint64_t counter_base;
static uint64_t ns_per_tick;  // 32.32 fixed point
static uint64_t ticks_per_ns; // 32.32 fixed point
static hal_ns wall_base;

// Not before what precedes it.
static uint64_t counter_read(void)
{
    uint64_t value;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value) : : "memory");
    return value;
}

static void control_write(uint64_t value)
{
    __asm__ volatile("msr cntv_ctl_el0, %0\n\tisb" : : "r"(value) : "memory");
}

void clock_init(const char *rtc)
{
    uint64_t hz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    ns_per_tick = (ns_per_second << 32) / hz;
    ticks_per_ns = (hz << 32) / ns_per_second;
    counter_base = counter_read();
    control_write(TIMER_SILENT);
    const uint32_t seconds = rtc == NULL ? 0 : *(const volatile uint32_t *)rtc;
    wall_base = seconds * ns_per_second - hal_clock_ns();
}

hal_ns hal_clock_ns(void)
{
    return (hal_ns)((unsigned __int128)(counter_read() - counter_base) * ns_per_tick >> 32);
}

hal_ns hal_clock_wall_ns(void)
{
    return wall_base + hal_clock_ns();
}

void machine_alarm_silence(void)
{
    control_write(TIMER_SILENT);
}

// The span is rounded down and one tick longer: an alarm that is early is set again.
void machine_alarm_arm(hal_ns deadline)
{
    const hal_ns now = hal_clock_ns();
    const hal_ns span = deadline > now ? deadline - now : 0;
    const uint64_t ticks = (uint64_t)((unsigned __int128)span * ticks_per_ns >> 32) + 1;
    const uint64_t at = counter_read();
    __asm__ volatile("msr cntv_cval_el0, %0"
                     :
                     : "r"(ticks > UINT64_MAX - at ? UINT64_MAX : at + ticks));
    control_write(TIMER_ENABLE);
}
