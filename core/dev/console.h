// SPDX-License-Identifier: BSD-3-Clause
// console.h: the driver of console devices (virtio 1.2, 5.3): bytes to and from port 0.
//
// Thread context, may block.
#ifndef CORE_DEV_CONSOLE_H
#define CORE_DEV_CONSOLE_H

#include "hal/hal.h"

struct console_device;

enum { CONSOLE_PART_MAX = 1024 };

// -ENODEV, -ENOMEM, -EINVAL.
HAL_MUST_CHECK int console_device_open(const struct hal_dev_info *info,
                                       struct console_device **device);

// Sends size bytes of core's memory. -EIO: the device broke the rules.
HAL_MUST_CHECK int console_device_write(struct console_device *device, const char *data,
                                        size_t size);

// Waits until there is input, and answers it in part. For one thread, which no signal wakes. -EIO.
HAL_MUST_CHECK int console_device_read(struct console_device *device, char part[CONSOLE_PART_MAX],
                                       size_t *size);

#endif
