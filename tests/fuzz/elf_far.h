// SPDX-License-Identifier: BSD-3-Clause
// elf_far.h: the rooms under core/elf, played for one file that lies in memory.
#ifndef TESTS_FUZZ_ELF_FAR_H
#define TESTS_FUZZ_ELF_FAR_H

#include <stddef.h>

struct file;

// The one file. It has to stay until all is unmapped.
struct file *far_file(const unsigned char *bytes, size_t size);

// Ends the process where core/elf has left memory mapped.
void far_check_nothing_left(void);

// Registers a small table of symbols as the system's.
void far_system_register(void);

#endif
