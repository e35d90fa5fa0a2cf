// SPDX-License-Identifier: BSD-3-Clause
// entropy.h: the driver of entropy devices (virtio 1.2, 5.4): random bytes of the host.
//
// Thread context, may block.
#ifndef CORE_DEV_ENTROPY_H
#define CORE_DEV_ENTROPY_H

#include "hal/hal.h"

struct entropy_device;

// -ENODEV, -ENOMEM, -EINVAL.
HAL_MUST_CHECK int entropy_device_open(const struct hal_dev_info *info,
                                       struct entropy_device **device);

// Fills data, which may be any memory of core's, with the host's bytes. -EIO: the device broke the
// rules.
HAL_MUST_CHECK int entropy_device_read(struct entropy_device *device, char *data, size_t size);

#endif
