// SPDX-License-Identifier: BSD-3-Clause
// kvmclock.c: the clock that KVM keeps for its guests: at that TSC it was so late, and a tick lasts
// so long.
//
// Where the hypervisor does not say that all CPUs' clocks agree, one that reads less than another
// has read answers what that one did.
#include "kvmclock.h"

#include <stdatomic.h>

#include "cpu_registers.h"
#include "hypervisor.h"
#include "percpu.h"

enum {
    MSR_SYSTEM_TIME = 0x4b564d01,
    FEATURES = 1,           // leaf
    FEATURE_CLOCK = 1 << 3, // eax
    ENABLE = 1,
    FLAG_STABLE = 1,
};

_Static_assert(sizeof(struct kvmclock) == 32, "msr.rst");

static _Atomic hal_ns latest;

bool kvmclock_init(void)
{
    const uint32_t leaf = hypervisor_kvm();
    if (leaf == 0 || (cpuid_read(leaf + FEATURES, 0).a & FEATURE_CLOCK) == 0) {
        return false;
    }
    hal_phys place;
    unsigned prot;
    if (hal_translate((char *)&percpu_self()->kvmclock, &place, &prot) != 0) {
        return false;
    }
    msr_write(MSR_SYSTEM_TIME, place | ENABLE);
    return percpu_self()->kvmclock.multiplier != 0;
}

static hal_ns time_at(const struct kvmclock *clock, uint64_t tsc)
{
    uint64_t ticks = tsc - clock->tsc;
    ticks = clock->shift < 0 ? ticks >> -clock->shift : ticks << clock->shift;
    return clock->ns + (hal_ns)((unsigned __int128)ticks * clock->multiplier >> 32);
}

// Interrupts are off, so that one CPU's clock goes with that CPU's TSC.
static hal_ns clock_read(uint8_t *flags)
{
    const uintptr_t state = hal_irq_save();
    const volatile struct kvmclock *shared = &percpu_self()->kvmclock;
    struct kvmclock clock;
    uint64_t tsc;
    do {
        clock.version = shared->version;
        atomic_signal_fence(memory_order_seq_cst); // loads stay in order on this processor
        clock.tsc = shared->tsc;
        clock.ns = shared->ns;
        clock.multiplier = shared->multiplier;
        clock.shift = shared->shift;
        clock.flags = shared->flags;
        tsc = tsc_read();
        atomic_signal_fence(memory_order_seq_cst);
    } while ((clock.version & 1) != 0 || clock.version != shared->version);
    hal_irq_restore(state);
    *flags = clock.flags;
    return time_at(&clock, tsc);
}

hal_ns kvmclock_read(void)
{
    uint8_t flags;
    const hal_ns now = clock_read(&flags);
    if ((flags & FLAG_STABLE) != 0) {
        return now;
    }
    hal_ns last = atomic_load_explicit(&latest, memory_order_relaxed);
    do {
        if (last >= now) {
            return last;
        }
    } while (!atomic_compare_exchange_weak_explicit(&latest, &last, now, memory_order_relaxed,
                                                    memory_order_relaxed));
    return now;
}

uint64_t kvmclock_tsc_hz(void)
{
    const struct kvmclock *clock = &percpu_self()->kvmclock;
    const unsigned __int128 second = (unsigned __int128)1000000000 << 32;
    const uint64_t ticks = (uint64_t)(second / clock->multiplier);
    return clock->shift < 0 ? ticks << -clock->shift : ticks >> clock->shift;
}
