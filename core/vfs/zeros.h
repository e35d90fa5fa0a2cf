// SPDX-License-Identifier: BSD-3-Clause
// zeros.h: a page of zeros, for what is read or written as zeros by a copy.
#ifndef CORE_VFS_ZEROS_H
#define CORE_VFS_ZEROS_H

#include "hal/hal.h"

extern const char vfs_zeros[HAL_PAGE_SIZE];

#endif
