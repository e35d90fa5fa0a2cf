// SPDX-License-Identifier: BSD-3-Clause
// start.h: where boot.S enters C.
#ifndef HAL_AARCH64_MACHINE_START_H
#define HAL_AARCH64_MACHINE_START_H

#include "hal/hal.h"

// On the boot stack, interrupts off; tree is where the loader says the device tree is, or anything.
HAL_NORETURN void machine_start(hal_phys tree);

#endif
