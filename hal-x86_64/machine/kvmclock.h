// SPDX-License-Identifier: BSD-3-Clause
// kvmclock.h: the clock that KVM keeps for its guests (Linux, Documentation/virt/kvm/x86/msr.rst).
#ifndef HAL_X86_64_MACHINE_KVMCLOCK_H
#define HAL_X86_64_MACHINE_KVMCLOCK_H

#include <stdbool.h>

#include "hal/hal.h"

// One for each CPU, in memory that never moves. The hypervisor writes it: version is odd meanwhile.
struct kvmclock {
    uint32_t version, reserved;
    uint64_t tsc, ns;
    uint32_t multiplier; // 0.32 fixed point, after the shift
    int8_t shift;
    uint8_t flags;
    uint8_t reserved_end[2];
} __attribute__((aligned(32))); // so that it lies in one page

// Asks for this CPU's clock. False: the hypervisor has none.
bool kvmclock_init(void);

// Nanoseconds since some moment. Interrupts may be on. The same on every CPU, and never going back.
hal_ns kvmclock_read(void);

// How fast the TSC runs.
uint64_t kvmclock_tsc_hz(void);

#endif
