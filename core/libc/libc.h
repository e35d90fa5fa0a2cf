// SPDX-License-Identifier: BSD-3-Clause
// libc.h: the C library as core/boot uses it.
#ifndef CORE_LIBC_LIBC_H
#define CORE_LIBC_LIBC_H

#include "hal/hal.h"

struct elf_object;

// Registers the names that programs link against with core/elf. Once, before elf_load.
void libc_init(void);

// Where the stack of the program's first thread begins. Before elf_load: a program that copies
// __libc_stack_end has it in memory that is read-only afterwards.
void libc_stack_end_set(void *end);

// Makes the calling thread, which has its task and runs on the stack that is to be the program's,
// the program's first thread: gives it thread-local storage, runs the initialisers and the program,
// and exits with its status. The arrays end with NULL and stay for ever; executable is the absolute
// path. Returns only if there is no memory to begin: -ENOMEM.
HAL_MUST_CHECK int libc_run(struct elf_object *program, int argc, char **argv, char **envp,
                            const char *executable);

// What a program calls as exit().
HAL_NORETURN void libc_exit(int status);

#endif
