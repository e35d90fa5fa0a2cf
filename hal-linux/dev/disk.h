// SPDX-License-Identifier: BSD-3-Clause
// disk.h: block devices over files of the host.
#ifndef HAL_LINUX_DEV_DISK_H
#define HAL_LINUX_DEV_DISK_H

#include <stdbool.h>

// Hosted. Adds a HAL_BLOCK device that is the host's file or block device path: name is what the
// guest knows it by. 0 or -errno; -EINVAL also where it is neither or holds no whole sector.
int disk_add(const char *name, const char *path, bool read_only);

#endif
