// SPDX-License-Identifier: BSD-3-Clause
// console.h: the driver of console devices (virtio 1.2, 5.3): bytes to and from ports.
//
// Thread context, may block.
#ifndef CORE_DEV_CONSOLE_H
#define CORE_DEV_CONSOLE_H

#include "hal/hal.h"

struct console_device;
struct console_port;

enum { CONSOLE_PART_MAX = HAL_PAGE_SIZE };

// It is never closed. -ENODEV, -ENOMEM, -EINVAL.
HAL_MUST_CHECK int console_device_open(const struct hal_dev_info *info,
                                       struct console_device **device);

// The device's port of that name; where it has a console, port 0, that is all its ports in one.
// Waits a while until the device has told of its ports. -ENODEV: it did not tell of that one.
// -ENOMEM, -EIO.
HAL_MUST_CHECK int console_port_find(struct console_device *device, const char *name,
                                     struct console_port **port);

// Sends size bytes, which may be the application's. -EFAULT, -EIO: the device broke the rules.
HAL_MUST_CHECK int console_port_write(struct console_port *port, const char *data, size_t size);

// Waits until there is input, and answers it in part: 0 bytes when the far end has closed the port,
// for ever. For one thread, which no signal wakes. -EIO.
HAL_MUST_CHECK int console_port_read(struct console_port *port, char part[CONSOLE_PART_MAX],
                                     size_t *size);

#endif
