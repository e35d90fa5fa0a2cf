// SPDX-License-Identifier: BSD-3-Clause
// hal_regs.h: struct hal_regs of this machine's instruction set; found by include path, as
// hal_inline.h is.
#ifndef HAL_LINUX_SEED_HAL_REGS_H
#define HAL_LINUX_SEED_HAL_REGS_H

#include "hal/regs_x86_64.h"

#endif
