// SPDX-License-Identifier: BSD-3-Clause
// line.h: interrupt lines: one number for each queue of each device, and one for its configuration.
#ifndef HAL_LINUX_DEV_LINE_H
#define HAL_LINUX_DEV_LINE_H

#include "hal/hal.h"

// Calls upcall_dev for a line. Interrupts off.
void line_upcall(uint32_t line, struct hal_frame *frame);

#endif
