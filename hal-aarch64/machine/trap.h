// SPDX-License-Identifier: BSD-3-Clause
// trap.h: what vector.S and the C beside it know of each other.
#ifndef HAL_AARCH64_MACHINE_TRAP_H
#define HAL_AARCH64_MACHINE_TRAP_H

#include "hal-aarch64/isa/frame.h"

// Code addresses in vector.S: where trap_idle_wait lets interrupts in.
extern const char trap_idle_start[], trap_idle_end[];

// Waits for an interrupt and takes it.
void trap_idle_wait(void);

// The upcalls of interrupts that the calling CPU has begun.
uint64_t trap_upcalls(void);

// Called by vector.S, interrupts off, on the entry stack; the frame is resumed when it returns.
void trap_run(struct hal_frame *frame);

// Called by vector.S on the bounce stack: the entry stack has no room, or the entry code itself has
// faulted.
HAL_NORETURN void trap_fatal(uint64_t vector, uint64_t syndrome, uint64_t pc, uint64_t va,
                             uint64_t sp);

// Called by hal_regs_resume on the frame that it has made room for.
void trap_frame_load(struct hal_frame *frame, const struct hal_regs *regs);

#endif
