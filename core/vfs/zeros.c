// SPDX-License-Identifier: BSD-3-Clause
#include "core/vfs/zeros.h"

const char vfs_zeros[HAL_PAGE_SIZE];
