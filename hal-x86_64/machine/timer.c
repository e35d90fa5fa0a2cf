// SPDX-License-Identifier: BSD-3-Clause
// timer.c: each CPU's alarm: its local APIC's timer (Intel SDM vol. 3, 11.5.4).
//
// In TSC-deadline mode the alarm is a TSC value, otherwise a count-down of the APIC's own clock,
// which has 32 bits. Where nobody says how fast that is, it is measured by our clock from
// timer_init to the first alarm.
#include "timer.h"

#include "hal/common/alarm.h"

#include "apic.h"
#include "clock.h"
#include "cpu_registers.h"
#include "hypervisor.h"
#include "reference.h"
#include "trap.h"

enum {
    MSR_TSC_DEADLINE = 0x6e0,
    TIMER_TSC_DEADLINE = 2 << 17,
    DIVIDE_BY_16 = 3,
    LEAF_FEATURES = 1,
    FEATURE_TSC_DEADLINE = 1 << 24, // ecx
    DIVIDE = 16,
};

static const uint64_t ns_per_second = 1000000000;
static const hal_ns measured_least = 1000000;

static bool has_tsc_deadline;
static uint64_t ticks_per_ns; // 32.32 fixed point, of the divided APIC clock; 0: measured still
static struct measurement measurement;

static uint64_t timer_counter(void)
{
    return UINT32_MAX - apic_read(APIC_TIMER_NOW);
}

static void hz_set(uint64_t hz)
{
    ticks_per_ns = (hz << 32) / ns_per_second;
}

static bool is_measuring(void)
{
    return !has_tsc_deadline && ticks_per_ns == 0;
}

static void measuring_begin(void)
{
    const struct reference clock = {.read = hal_clock_ns, .hz = ns_per_second, .mask = UINT64_MAX};
    ticks_per_ns = 0;
    apic_write(APIC_TIMER_START, UINT32_MAX);
    measurement_begin(&measurement, &clock, timer_counter);
}

// The counter stops where it ends.
static void measuring_end(void)
{
    struct reading last;
    if (apic_read(APIC_TIMER_NOW) == 0) {
        measuring_begin();
    }
    while (hal_clock_ns() - measurement.first.reference < measured_least) {
        hal_cpu_relax();
    }
    hz_set(measurement_end(&measurement, &last));
}

void timer_settle(void)
{
    const uintptr_t state = hal_irq_save();
    if (is_measuring()) {
        measuring_end();
        apic_write(APIC_TIMER_START, 0);
        timer_cpu_init();
    }
    hal_irq_restore(state);
}

// 0: nobody says. QEMU's emulation counts its own nanoseconds.
static uint64_t timer_hz_told(void)
{
    return hypervisor_is_tcg() ? ns_per_second
                               : cpuid_read(HYPERVISOR_LEAF + HYPERVISOR_FREQUENCY, 0).b * 1000ull;
}

void timer_init(void)
{
    has_tsc_deadline = (cpuid_read(LEAF_FEATURES, 0).c & FEATURE_TSC_DEADLINE) != 0;
    if (!has_tsc_deadline) {
        apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
        apic_write(APIC_TIMER, VECTOR_TIMER | APIC_MASKED);
        const uint64_t told = timer_hz_told();
        if (told != 0) {
            hz_set(told / DIVIDE);
        } else {
            measuring_begin();
            return; // masked until timer_settle
        }
    }
    timer_cpu_init();
}

void timer_cpu_init(void)
{
    if (has_tsc_deadline) {
        apic_write(APIC_TIMER, VECTOR_TIMER | TIMER_TSC_DEADLINE);
        write_fence(); // SDM 11.5.4.1: before the first deadline
    } else {
        apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
        apic_write(APIC_TIMER, VECTOR_TIMER);
    }
}

void machine_alarm_silence(void)
{
    if (has_tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, 0);
    } else if (!is_measuring()) { // or nothing rings yet
        apic_write(APIC_TIMER_START, 0);
    }
}

void machine_alarm_arm(hal_ns deadline)
{
    timer_settle();
    const hal_ns now = hal_clock_ns();
    const hal_ns span = deadline > now ? deadline - now : 0;
    if (has_tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, tsc_read() + clock_tsc_span(span));
        return;
    }
    // One more than the span: a zero count is no alarm. What does not fit rings early.
    const unsigned __int128 ticks = ((unsigned __int128)span * ticks_per_ns >> 32) + 1;
    apic_write(APIC_TIMER_START, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}
