// SPDX-License-Identifier: BSD-3-Clause
// zeros.c: a page of zeros.
#include "core/vfs/zeros.h"

const char vfs_zeros[HAL_PAGE_SIZE];
