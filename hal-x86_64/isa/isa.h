// SPDX-License-Identifier: BSD-3-Clause
// isa.h: what the ISA part and the machine around it owe each other.
//
// Everything in this folder runs in user mode too. It needs from the machine: GS base at a block as
// percpu.h lays out, hal_inline.h's hal_irq_save, and the functions below that say so.
#ifndef HAL_X86_64_ISA_ISA_H
#define HAL_X86_64_ISA_ISA_H

#include "hal/hal.h"

// Set by isa_init, read by assembly.
extern uint32_t isa_has_fsgsbase; // wrfsbase may be used
extern uint32_t isa_has_xsavec;
extern uint64_t isa_vector_mask; // state components that a frame saves
extern uint64_t isa_vector_size; // bytes of the area above a frame, a multiple of 64

// Finds what the processor has. Once, before any frame is made; XCR0 is set. has_fsgsbase: the
// instructions are there and allowed.
void isa_init(bool has_fsgsbase);

// What a kernel enables in XCR0 of what the processor offers: x87 and SSE, AVX, and AVX-512 whole
// or not at all, as XSETBV wants it.
uint64_t isa_vector_choose(uint64_t offered);

// The machine's: loads FS base by other means than wrfsbase. Assembly calls it on the stack of the
// context that is switched to: it keeps all registers but rax, rcx, rdi, rsi, r11.
void isa_tp_load_slow(void *tp);

// The machine's: tools learn that [stack, stack + size) is a stack, and that its contents mean
// nothing yet.
void isa_stack_use(char *stack, size_t size);

// Bounds of hal_copy_safe's instructions that touch its arguments. A fault between start and end
// that upcall_fault does not resolve goes on at fail.
extern const char isa_copy_start[], isa_copy_end[], isa_copy_fail[];

// Where a context that hal_context_init made begins.
void isa_context_start(void);

#endif
