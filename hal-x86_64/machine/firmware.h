// SPDX-License-Identifier: BSD-3-Clause
// firmware.h: what firmware says of this machine.
#ifndef HAL_X86_64_MACHINE_FIRMWARE_H
#define HAL_X86_64_MACHINE_FIRMWARE_H

#include "hal/common/acpi.h"

// Reads the ACPI tables while boot.S's map of low memory is there. rsdp is what the loader says, 0
// where it does not.
void firmware_init(hal_phys rsdp);

// Never NULL; everything is 0 on a machine without ACPI.
const struct acpi *firmware(void);

#endif
