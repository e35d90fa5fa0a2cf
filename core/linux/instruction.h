// SPDX-License-Identifier: BSD-3-Clause
// instruction.h: system calls by the instruction.
#ifndef CORE_LINUX_INSTRUCTION_H
#define CORE_LINUX_INSTRUCTION_H

// For syscall_init, once its tables are there.
void instruction_init(void);

#endif
