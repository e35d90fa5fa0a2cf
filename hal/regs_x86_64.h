// SPDX-License-Identifier: BSD-3-Clause
// regs_x86_64.h: what hal_frame_get copies out of a frame on x86_64.
//
// The vector state is an XSAVE area (Intel SDM vol. 1, 13.4), standard or compacted. Its x87 and SSE state is
// always there; what else the header leaves out is in its initial state.
#ifndef HAL_REGS_X86_64_H
#define HAL_REGS_X86_64_H

#include <stdint.h>

// LEGACY is an area with the x87 and SSE state alone (and a header that says so), which core may make.
enum { HAL_REGS_VECTOR_MAX = 4096, HAL_REGS_VECTOR_LEGACY = 576 };

// The order of Linux's ucontext (gregs), so that a signal frame is a copy.
enum hal_reg {
    HAL_REG_R8,
    HAL_REG_R9,
    HAL_REG_R10,
    HAL_REG_R11,
    HAL_REG_R12,
    HAL_REG_R13,
    HAL_REG_R14,
    HAL_REG_R15,
    HAL_REG_RDI,
    HAL_REG_RSI,
    HAL_REG_RBP,
    HAL_REG_RBX,
    HAL_REG_RDX,
    HAL_REG_RAX,
    HAL_REG_RCX,
    HAL_REG_RSP,
    HAL_REG_RIP,
    HAL_REG_FLAGS,
    HAL_REG_COUNT,
};

struct hal_regs {
    uint64_t general[HAL_REG_COUNT];
    uint64_t vector_size; // bytes used of vector
    _Alignas(64) unsigned char vector[HAL_REGS_VECTOR_MAX];
};

#endif
