// SPDX-License-Identifier: BSD-3-Clause
// regs_aarch64.h: what hal_frame_get copies out of a frame on aarch64.
#ifndef HAL_REGS_AARCH64_H
#define HAL_REGS_AARCH64_H

#include <stdint.h>

struct hal_regs {
    uint64_t general[31]; // x0 .. x30
    uint64_t sp, pc, pstate;
    uint64_t fpsr, fpcr;
    _Alignas(16) unsigned char vector[32 * 16]; // v0 .. v31
};

#endif
