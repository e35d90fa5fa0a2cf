// SPDX-License-Identifier: BSD-3-Clause
// hypervisor.h: what CPUID says of the hypervisor below, if there is one.
#ifndef HAL_X86_64_MACHINE_HYPERVISOR_H
#define HAL_X86_64_MACHINE_HYPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu_registers.h"

enum {
    HYPERVISOR_LEAF = 0x40000000, // its name, and then leaves of its own
    HYPERVISOR_FREQUENCY = 16,    // the leaf so far behind: kHz of the TSC and of the APIC's clock
};

static inline bool hypervisor_is(uint32_t leaf, const char name[12])
{
    const struct cpuid found = cpuid_read(leaf, 0);
    const uint32_t words[3] = {found.b, found.c, found.d};
    for (int i = 0; i < 12; ++i) {
        if ((char)(words[i / 4] >> i % 4 * 8) != name[i]) {
            return false;
        }
    }
    return true;
}

// QEMU's emulation.
static inline bool hypervisor_is_tcg(void)
{
    return hypervisor_is(HYPERVISOR_LEAF, "TCGTCGTCGTCG");
}

// The first of KVM's leaves: they come after those of the hypervisor that KVM also plays. 0: it is
// not KVM.
static inline uint32_t hypervisor_kvm(void)
{
    enum { STEP = 0x100, COUNT = 16 };
    for (uint32_t i = 0; i < COUNT; ++i) {
        if (hypervisor_is(HYPERVISOR_LEAF + i * STEP, "KVMKVMKVM\0\0")) {
            return HYPERVISOR_LEAF + i * STEP;
        }
    }
    return 0;
}

#endif
