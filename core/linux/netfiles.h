// SPDX-License-Identifier: BSD-3-Clause
// netfiles.h: what /proc/net says.
#ifndef CORE_LINUX_NETFILES_H
#define CORE_LINUX_NETFILES_H

#include "hal/hal.h"

// Registers the files with core/vfs. After vfs_init. -ENOMEM.
HAL_MUST_CHECK int netfiles_add(void);

#endif
