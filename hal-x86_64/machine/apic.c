// SPDX-License-Identifier: BSD-3-Clause
// apic.c: the local APIC (Intel SDM vol. 3, 11): the timer and the one IPI.
//
// The deadline in struct percpu is what counts; the timer is only its alarm. It may ring early (its
// counter has 32 bits, its frequency is measured): apic_timer_due then sets it again. It may ring
// for a deadline that has been replaced meanwhile: the interrupt is taken and nothing is due.
//
// In TSC-deadline mode the alarm is a TSC value, otherwise a count-down of the APIC's own clock.
#include "apic.h"

#include "clock.h"
#include "cpu_registers.h"
#include "paging.h"
#include "percpu.h"
#include "trap.h"

enum {
    MSR_APIC_BASE = 0x1b,
    MSR_TSC_DEADLINE = 0x6e0,
    APIC_BASE_ENABLE = 1 << 11,
    APIC_TASK_PRIORITY = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_COMMAND = 0x300,
    APIC_TIMER = 0x320,
    APIC_LINT0 = 0x350,
    APIC_LINT1 = 0x360,
    APIC_ERROR = 0x370,
    APIC_TIMER_START = 0x380,
    APIC_TIMER_NOW = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
    APIC_ENABLE = 1 << 8,
    APIC_MASKED = 1 << 16,
    TIMER_TSC_DEADLINE = 2 << 17,
    DIVIDE_BY_16 = 3,
    COMMAND_SELF = 1 << 18,
    COMMAND_ASSERT = 1 << 14,
    PIC1_DATA = 0x21,
    PIC2_DATA = 0xa1,
    LEAF_FEATURES = 1,
    FEATURE_TSC_DEADLINE = 1 << 24, // ecx
    MEASURE_NS = 5000000,
};

static volatile uint32_t *apic; // one page, at the same place on every CPU
static bool has_tsc_deadline;
static uint64_t ticks_per_ns; // 32.32 fixed point, of the divided APIC clock

static uint32_t apic_read(uint32_t at)
{
    return apic[at / 4];
}

static void apic_write(uint32_t at, uint32_t value)
{
    apic[at / 4] = value;
}

static uint64_t timer_measure(void)
{
    apic_write(APIC_TIMER_START, UINT32_MAX);
    const uint32_t first = apic_read(APIC_TIMER_NOW);
    const hal_ns start = hal_clock_ns();
    while (hal_clock_ns() - start < MEASURE_NS) {
        hal_cpu_relax();
    }
    const uint32_t last = apic_read(APIC_TIMER_NOW);
    const hal_ns span = hal_clock_ns() - start;
    apic_write(APIC_TIMER_START, 0);
    return ((uint64_t)(first - last) << 32) / span;
}

static void timer_init(void)
{
    has_tsc_deadline = (cpuid_read(LEAF_FEATURES, 0).c & FEATURE_TSC_DEADLINE) != 0;
    if (has_tsc_deadline) {
        apic_write(APIC_TIMER, VECTOR_TIMER | TIMER_TSC_DEADLINE);
        __asm__ volatile("mfence" ::: "memory"); // SDM 11.5.4.1: before the first deadline
    } else {
        apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
        apic_write(APIC_TIMER, VECTOR_TIMER | APIC_MASKED);
        ticks_per_ns = timer_measure();
        apic_write(APIC_TIMER, VECTOR_TIMER);
    }
}

void apic_init(void)
{
    port_write8(PIC1_DATA, 0xff);
    port_write8(PIC2_DATA, 0xff);
    const uint64_t base = msr_read(MSR_APIC_BASE);
    msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    apic = (volatile uint32_t *)paging_device(base & ~0xfffull & ((1ull << 52) - 1), HAL_PAGE_SIZE);
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_LINT0, APIC_MASKED);
    apic_write(APIC_LINT1, APIC_MASKED);
    apic_write(APIC_ERROR, APIC_MASKED);
    apic_write(APIC_SPURIOUS, APIC_ENABLE | VECTOR_SPURIOUS);
    timer_init();
}

void apic_end(void)
{
    apic_write(APIC_EOI, 0);
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

bool apic_timer_due(void)
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

// One CPU runs, so index is it.
void hal_cpu_kick(uint32_t index)
{
    (void)index;
    apic_write(APIC_COMMAND, VECTOR_KICK | COMMAND_ASSERT | COMMAND_SELF);
}
