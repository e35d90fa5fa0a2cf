// SPDX-License-Identifier: BSD-3-Clause
// clock.c: which counter tells the time.
//
// KVM's own clock, which goes on as it should when the guest is moved to another host; the TSC,
// where it runs at one rate for ever; otherwise the HPET, and the TSC where there is no HPET of 64
// bits.
//
// The TSC's frequency is what CPUID or the hypervisor says, or is measured.
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

static const uint32_t leaf_power = 0x80000007, power_tsc_is_invariant = 1 << 8; // edx
static const uint64_t ns_per_second = 1000000000, tsc_hz_least = 100000000,
                      tsc_hz_most = 20000000000;

static enum { SOURCE_TSC, SOURCE_KVM, SOURCE_HPET } source;
static struct reference hpet;
static uint64_t base;        // what the source read when the clock was 0
static uint64_t ns_per_tick; // 32.32 fixed point, of the source; SOURCE_KVM has none
static uint64_t tsc_per_ns;  // 40.24 fixed point
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

static uint64_t tsc_hz(void)
{
    uint64_t hz = source == SOURCE_KVM ? kvmclock_tsc_hz() : tsc_hz_told();
    struct reference reference;
    if (hz == 0 && reference_find(&reference)) {
        hz = reference_measure(&reference, tsc_read);
    }
    if (hz < tsc_hz_least || hz > tsc_hz_most) {
        hz = cpuid_read(LEAF_FREQUENCY, 0).a * 1000000ull;
    }
    return hz < tsc_hz_least ? ns_per_second : hz;
}

// QEMU's emulation does not promise it, but its TSC is the host's clock.
static bool tsc_is_steady(void)
{
    return (cpuid_read(leaf_power, 0).d & power_tsc_is_invariant) != 0 || tsc_hz_told() != 0 ||
           hypervisor_is(HYPERVISOR_LEAF, "TCGTCGTCGTCG");
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

void clock_init(void)
{
    source = SOURCE_TSC;
    if (kvmclock_init()) {
        source = SOURCE_KVM;
    } else if (!tsc_is_steady() && reference_find_hpet(&hpet)) {
        source = SOURCE_HPET;
    }
    const uint64_t hz = tsc_hz();
    ns_per_tick = (ns_per_second << 32) / (source == SOURCE_HPET ? hpet.hz : hz);
    tsc_per_ns = (hz << 24) / ns_per_second;
    base = source_read();
    wall_base = rtc_seconds() * ns_per_second - hal_clock_ns();
}

void clock_cpu_init(void)
{
    if (source == SOURCE_KVM) {
        (void)kvmclock_init();
    }
}

hal_ns hal_clock_ns(void)
{
    const uint64_t ticks = source_read() - base;
    return source == SOURCE_KVM ? ticks : (hal_ns)((unsigned __int128)ticks * ns_per_tick >> 32);
}

hal_ns hal_clock_wall_ns(void)
{
    return wall_base + hal_clock_ns();
}

uint64_t clock_tsc_span(hal_ns ns)
{
    return (uint64_t)((unsigned __int128)ns * tsc_per_ns >> 24) + 1;
}
