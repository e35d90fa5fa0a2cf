// SPDX-License-Identifier: BSD-3-Clause
// frame.c: frames as core sees them: register images copied out and in.
#include "hal-aarch64/isa/frame.h"

// The condition flags are all of PSTATE that a program may change; the rest keeps the mode and the
// interrupts.
static const uint64_t pstate_own = 0xf0000000;

void hal_frame_get(const struct hal_frame *frame, struct hal_regs *regs)
{
    *regs = frame->regs;
}

void hal_frame_set(struct hal_frame *frame, const struct hal_regs *regs)
{
    const uint64_t kept = frame->regs.pstate & ~pstate_own;
    frame->regs = *regs;
    frame->regs.pstate = kept | (regs->pstate & pstate_own);
}
