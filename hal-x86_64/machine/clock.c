// SPDX-License-Identifier: BSD-3-Clause
// clock.c: which counter tells the time.
//
// KVM's own clock, which goes on as it should when the guest is moved to another host; the TSC,
// where it runs at one rate for ever; otherwise the HPET, and the TSC where there is no HPET of 64
// bits.
//
// The TSC's frequency is what CPUID or the hypervisor says, or is measured: by an HPET of 64 bits
// without waiting. The HPET is then the clock until enough time has passed, and nothing else runs
// that could see the change: that ends it at the latest.
#include "clock.h"

#include "cpu_registers.h"
#include "hypervisor.h"
#include "kvmclock.h"
#include "reference.h"
#include "rtc.h"

enum {
    LEAF_TSC = 0x15,
    LEAF_FREQUENCY = 0x16,
};

static const hal_ns measured_after = 10000000, measured_least = 2000000;

static const uint32_t leaf_power = 0x80000007, power_tsc_is_invariant = 1 << 8; // edx
static const uint64_t ns_per_second = 1000000000, tsc_hz_least = 100000000,
                      tsc_hz_most = 20000000000;

static enum { SOURCE_TSC, SOURCE_KVM, SOURCE_HPET } source; // changed to the TSC in hpet_leave
static bool is_measuring; // the TSC by the HPET, which is the source meanwhile or for ever
static bool is_leaving;   // the HPET is the source only while that lasts
static struct measurement measurement;
static struct reference hpet;
static uint64_t base;        // what the source read when the clock was 0
static uint64_t ns_per_tick; // 32.32 fixed point, of the source; SOURCE_KVM has none
static uint64_t tsc_per_ns;  // 40.24 fixed point; 0 while it is measured
static hal_ns wall_base;

// 0: nobody says.
static uint64_t tsc_hz_told(void)
{
    const struct cpuid leaf = cpuid_read(LEAF_TSC, 0); // TSC = crystal (ecx) * ebx / eax
    if (leaf.a != 0 && leaf.b != 0 && leaf.c != 0) {
        return (uint64_t)leaf.c * leaf.b / leaf.a;
    }
    return cpuid_read(HYPERVISOR_LEAF + HYPERVISOR_FREQUENCY, 0).a * 1000ull;
}

// One that can be.
static uint64_t tsc_hz_check(uint64_t hz)
{
    if (hz < tsc_hz_least || hz > tsc_hz_most) {
        hz = cpuid_read(LEAF_FREQUENCY, 0).a * 1000000ull;
    }
    return hz < tsc_hz_least ? ns_per_second : hz;
}

// QEMU's emulation does not promise it, but its TSC is the host's clock.
static bool tsc_is_steady(void)
{
    return (cpuid_read(leaf_power, 0).d & power_tsc_is_invariant) != 0 || tsc_hz_told() != 0 ||
           hypervisor_is_tcg();
}

static uint64_t source_read(void)
{
    switch (source) {
    case SOURCE_KVM:
        return kvmclock_read();
    case SOURCE_HPET:
        return hpet.read();
    default:
        return tsc_read();
    }
}

static void source_set(uint64_t hz)
{
    ns_per_tick = (ns_per_second << 32) / hz;
    base = source_read();
}

static void tsc_set(uint64_t hz)
{
    tsc_per_ns = (hz << 24) / ns_per_second;
}

static void tsc_measure(void)
{
    struct reference reference;
    const bool has_any = reference_find(&reference);
    const uint64_t hz = tsc_hz_check(has_any ? reference_measure(&reference, tsc_read) : 0);
    tsc_set(hz);
    source_set(hz);
}

void clock_init(void)
{
    const bool is_steady = tsc_is_steady();
    const uint64_t told = tsc_hz_told();
    is_measuring = is_leaving = false;
    source = SOURCE_TSC;
    if (kvmclock_init()) {
        source = SOURCE_KVM;
        tsc_set(tsc_hz_check(kvmclock_tsc_hz()));
        base = source_read();
    } else if (is_steady && told != 0) {
        tsc_set(tsc_hz_check(told));
        source_set(tsc_hz_check(told));
    } else if (reference_find_hpet(&hpet)) {
        source = SOURCE_HPET;
        is_measuring = true;
        is_leaving = is_steady;
        source_set(hpet.hz);
        measurement_begin(&measurement, &hpet, tsc_read);
    } else {
        tsc_measure();
    }
    wall_base = rtc_seconds() * ns_per_second - hal_clock_ns();
}

static hal_ns span_of(uint64_t ticks)
{
    return (hal_ns)((unsigned __int128)ticks * ns_per_tick >> 32);
}

// The TSC goes on where the HPET was at the last reading, or behind: its reading's middle counts.
// Interrupts are off.
static void measuring_end(void)
{
    struct reading last;
    const uint64_t hz = tsc_hz_check(measurement_end(&measurement, &last));
    tsc_set(hz);
    if (is_leaving) {
        const hal_ns now = span_of(last.reference - base);
        ns_per_tick = (ns_per_second << 32) / hz;
        base = last.counter - (uint64_t)((unsigned __int128)now * hz / ns_per_second) - 1;
        source = SOURCE_TSC;
    }
    is_measuring = false;
}

// The clock while the TSC is measured.
static hal_ns measuring_ns(void)
{
    const uintptr_t state = hal_irq_save();
    if (is_measuring && span_of(hpet.read() - base) >= measured_after) {
        measuring_end();
    }
    const hal_ns now = span_of(source_read() - base);
    hal_irq_restore(state);
    return now;
}

void clock_settle(void)
{
    while (is_measuring && hal_clock_ns() < measured_least) {
        hal_cpu_relax();
    }
    const uintptr_t state = hal_irq_save();
    if (is_measuring) {
        measuring_end();
    }
    hal_irq_restore(state);
}

void clock_cpu_init(void)
{
    if (source == SOURCE_KVM) {
        (void)kvmclock_init();
    }
}

// By another clock than the TSC, which is none while it is measured.
__attribute__((noinline)) static hal_ns other_ns(void)
{
    if (is_measuring) {
        return measuring_ns();
    }
    const uint64_t ticks = source_read() - base;
    return source == SOURCE_KVM ? ticks : span_of(ticks);
}

hal_ns hal_clock_ns(void)
{
    return __builtin_expect(source == SOURCE_TSC, 1) ? span_of(tsc_read() - base) : other_ns();
}

hal_ns hal_clock_wall_ns(void)
{
    return wall_base + hal_clock_ns();
}

uint64_t clock_tsc_span(hal_ns ns)
{
    if (__builtin_expect(is_measuring, 0)) {
        clock_settle();
    }
    return (uint64_t)((unsigned __int128)ns * tsc_per_ns >> 24) + 1;
}
