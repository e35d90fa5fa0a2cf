// SPDX-License-Identifier: BSD-3-Clause
// interrupt.h: devices' interrupts: whose each vector is.
#ifndef HAL_X86_64_MACHINE_INTERRUPT_H
#define HAL_X86_64_MACHINE_INTERRUPT_H

#include "hal/hal.h"

// Calls core for the device whose vector it is. Interrupts off; the controller has been told.
void interrupt_deliver(uint32_t vector, struct hal_frame *frame);

#endif
