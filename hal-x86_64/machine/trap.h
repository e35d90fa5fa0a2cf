// SPDX-License-Identifier: BSD-3-Clause
// trap.h: what trap.S and the C beside it know of each other.
#ifndef HAL_X86_64_MACHINE_TRAP_H
#define HAL_X86_64_MACHINE_TRAP_H

#include "hal-x86_64/isa/frame.h"

enum {
    VECTOR_DIVIDE = 0,
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_BOUND = 5,
    VECTOR_ILLEGAL = 6,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_STACK = 12,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE = 14,
    VECTOR_X87 = 16,
    VECTOR_ALIGNMENT = 17,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_SIMD = 19,
    VECTOR_EXCEPTIONS = 32, // below: exceptions; from here on: interrupts
    VECTOR_DEVICE = 0x30,   // the first of those that interrupt.c gives out
    VECTOR_KICK = 0xe0,
    VECTOR_FLUSH = 0xe8,
    VECTOR_TIMER = 0xf0, // the higher number comes first where both are pending
    VECTOR_SPURIOUS = 0xff,
    VECTOR_COUNT = 256,
};

enum { TRAP_STUB_SIZE = 16 };

// Code addresses in trap.S.
extern const char trap_stubs[];      // one for each vector, TRAP_STUB_SIZE apart
extern const char trap_syscall[];    // where the syscall instruction goes
extern const char trap_idle_woken[]; // the instruction after trap_halt's hlt

// Lets interrupts in until one has come. Interrupts are off before and afterwards.
void trap_idle_wait(void);
void trap_halt(void); // trap.S: the same, for trap_idle_wait alone

// The upcalls of interrupts that the calling CPU has begun.
uint64_t trap_upcalls(void);

// Called by trap.S, interrupts off, on the entry stack; the frame is resumed when it returns.
void trap_run(struct hal_frame *frame);

// What trap.S pushes for trap_fatal, and the processor before it.
struct trap_words {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error, rip, cs, flags, rsp, ss;
};

// Called by trap.S on a stack of the IST: a double fault, an NMI or a machine check, or the entry
// stack has no room, or the entry code itself has faulted.
HAL_NORETURN void trap_fatal(const struct trap_words *words);

// Called by hal_regs_resume on the frame that it has made room for.
void trap_frame_load(struct hal_frame *frame, const struct hal_regs *regs);

#endif
