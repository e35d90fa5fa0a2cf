// SPDX-License-Identifier: BSD-3-Clause
// frame.h: what an entry (interrupt, fault, system call) leaves on the entry stack.
#ifndef HAL_AARCH64_ISA_FRAME_H
#define HAL_AARCH64_ISA_FRAME_H

#include <stddef.h>

#include "hal/hal.h"
#include "hal/regs_aarch64.h"

enum frame_kind { FRAME_SYNC, FRAME_IRQ, FRAME_FIQ, FRAME_ERROR }; // the order of the vectors

struct hal_frame {
    struct hal_regs regs;
    uint64_t syndrome; // ESR_EL1
    uint64_t va;       // FAR_EL1
    uint64_t kind;     // enum frame_kind
    uint64_t spare;
};

_Static_assert(offsetof(struct hal_regs, sp) == 248, "vector.S");
_Static_assert(offsetof(struct hal_regs, fpsr) == 272, "vector.S");
_Static_assert(offsetof(struct hal_regs, vector) == 288, "vector.S");
_Static_assert(offsetof(struct hal_frame, syndrome) == 800, "vector.S");
_Static_assert(sizeof(struct hal_frame) == 832, "vector.S");

#endif
