// SPDX-License-Identifier: BSD-3-Clause
// interrupt.h: devices' interrupts: whose each vector is.
#ifndef HAL_X86_64_MACHINE_INTERRUPT_H
#define HAL_X86_64_MACHINE_INTERRUPT_H

#include "hal/hal.h"

// Tells device and controller that the interrupt has been taken, and calls core for the device
// whose vector it is. Interrupts off.
void interrupt_deliver(uint32_t vector, struct hal_frame *frame);

#endif
