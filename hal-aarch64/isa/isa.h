// SPDX-License-Identifier: BSD-3-Clause
// isa.h: what the ISA part and the machine around it owe each other.
#ifndef HAL_AARCH64_ISA_ISA_H
#define HAL_AARCH64_ISA_ISA_H

// Bounds of hal_copy_safe's instructions that touch its arguments. A fault between start and end
// that upcall_fault does not resolve goes on at fail.
extern const char isa_copy_start[], isa_copy_end[], isa_copy_fail[];

// Where a context that hal_context_init made begins.
void isa_context_start(void);

#endif
