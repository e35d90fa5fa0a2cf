// SPDX-License-Identifier: BSD-3-Clause
// firmware.h: what firmware says of this machine.
#ifndef HAL_X86_64_MACHINE_FIRMWARE_H
#define HAL_X86_64_MACHINE_FIRMWARE_H

#include "hal/common/acpi.h"

// Reads the ACPI tables. rsdp is what the loader says, 0
// where it does not.
void firmware_init(hal_phys rsdp);

// With what only turning the machine off needs. Late.
const struct acpi_power *firmware_power(void);

// Never NULL; everything is 0 on a machine without ACPI.
const struct acpi *firmware(void);

#endif
