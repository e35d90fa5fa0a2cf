// SPDX-License-Identifier: BSD-3-Clause
// timer.c: each CPU's alarm: its local APIC's timer (Intel SDM vol. 3, 11.5.4).
//
// The deadline in struct percpu is what counts; the timer is only its alarm. It may ring early (its
// counter has 32 bits, its frequency is measured): timer_is_due then sets it again. It may ring
// for a deadline that has been replaced meanwhile: the interrupt is taken and nothing is due.
//
// In TSC-deadline mode the alarm is a TSC value, otherwise a count-down of the APIC's own clock.
#include "timer.h"

#include "apic.h"
#include "clock.h"
#include "cpu_registers.h"
#include "hypervisor.h"
#include "percpu.h"
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

static bool has_tsc_deadline;
static uint64_t ticks_per_ns; // 32.32 fixed point, of the divided APIC clock

static uint64_t timer_counter(void)
{
    return UINT32_MAX - apic_read(APIC_TIMER_NOW);
}

// The hypervisor may say it; otherwise the clock is what it is measured by.
static uint64_t timer_hz(void)
{
    const uint64_t told = cpuid_read(HYPERVISOR_LEAF + HYPERVISOR_FREQUENCY, 0).b * 1000ull;
    if (told != 0) {
        return told / DIVIDE;
    }
    const struct reference clock = {.read = hal_clock_ns, .hz = ns_per_second, .mask = UINT64_MAX};
    apic_write(APIC_TIMER_START, UINT32_MAX);
    const uint64_t hz = reference_measure(&clock, timer_counter);
    apic_write(APIC_TIMER_START, 0);
    return hz;
}

void timer_init(void)
{
    has_tsc_deadline = (cpuid_read(LEAF_FEATURES, 0).c & FEATURE_TSC_DEADLINE) != 0;
    if (!has_tsc_deadline) {
        apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
        apic_write(APIC_TIMER, VECTOR_TIMER | APIC_MASKED);
        ticks_per_ns = (timer_hz() << 32) / ns_per_second;
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

static void timer_disarm(void)
{
    if (has_tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, 0);
    } else {
        apic_write(APIC_TIMER_START, 0);
    }
}

static void timer_arm(hal_ns deadline)
{
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

void hal_timer_set(hal_ns deadline)
{
    const uintptr_t state = hal_irq_save();
    percpu_self()->deadline = deadline;
    if (deadline == UINT64_MAX) {
        timer_disarm();
    } else {
        timer_arm(deadline);
    }
    hal_irq_restore(state);
}

bool timer_is_due(void)
{
    struct percpu *percpu = percpu_self();
    if (percpu->deadline == UINT64_MAX) {
        return false;
    }
    if (hal_clock_ns() < percpu->deadline) {
        timer_arm(percpu->deadline);
        return false;
    }
    percpu->deadline = UINT64_MAX;
    return true;
}
