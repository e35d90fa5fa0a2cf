// SPDX-License-Identifier: BSD-3-Clause
// io_apic.h: interrupts of devices that have a line, and no messages.
#ifndef HAL_X86_64_MACHINE_IO_APIC_H
#define HAL_X86_64_MACHINE_IO_APIC_H

#include <stdbool.h>
#include <stdint.h>

struct io_apic_route {
    uint32_t vector;
    uint32_t target; // local APIC, 0 to 254
    bool is_level, is_low;
};

// From now on the line, counted over all controllers, raises that interrupt. False: no controller
// has it. While the machine boots or starts a device: not on two CPUs at once.
bool io_apic_route(uint32_t line, const struct io_apic_route *route);

#endif
