// SPDX-License-Identifier: BSD-3-Clause
// frame.h: what an entry (interrupt, fault, system call) leaves on the entry stack.
//
// The XSAVE area of isa_vector_size bytes lies right above the frame.
#ifndef HAL_X86_64_ISA_FRAME_H
#define HAL_X86_64_ISA_FRAME_H

#include <stddef.h>

#include "hal/hal.h"
#include "hal/regs_x86_64.h"

enum frame_kind { FRAME_INTERRUPT, FRAME_FAULT, FRAME_SYSCALL };

struct hal_frame {
    uint64_t general[HAL_REG_COUNT];
    uint32_t masked;     // interrupts were off, and will be again
    uint32_t kind;       // enum frame_kind
    uint32_t fault_kind; // enum hal_fault_kind, for FRAME_FAULT
    uint32_t access;     // the same
    char *va;            // the same
    uint64_t number;     // the machine's: signal or vector
} __attribute__((aligned(64)));

// The assembly of the machines knows these.
_Static_assert(offsetof(struct hal_frame, masked) == 144, "FRAME_MASKED");
_Static_assert(sizeof(struct hal_frame) == 192, "FRAME_VECTOR");

// Flags that a context may set for itself: arithmetic, TF, DF, AC, ID.
enum { FRAME_FLAGS_OWN = 0x240dd5, FRAME_FLAGS_FIXED = 0x202 };

// Where a new frame goes for a context whose stack pointer is sp: on the entry stack, or below sp,
// and below its red zone, where that is in it already.
struct hal_frame *frame_place(char *entry_stack, uintptr_t sp);

#endif
