// SPDX-License-Identifier: BSD-3-Clause
// start.h: where boot.S enters C.
#ifndef HAL_X86_64_MACHINE_START_H
#define HAL_X86_64_MACHINE_START_H

#include "hal/hal.h"

#include "loader.h"

// On the boot stack, interrupts off; info is where the loader left what it says.
HAL_NORETURN void machine_start(hal_phys info, enum loader_protocol protocol);

#endif
