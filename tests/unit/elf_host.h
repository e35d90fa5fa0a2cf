// SPDX-License-Identifier: BSD-3-Clause
// elf_host.h: the rooms under core/elf, played by the host: files, mappings, memory, locks.
#ifndef TESTS_UNIT_ELF_HOST_H
#define TESTS_UNIT_ELF_HOST_H

#include <stddef.h>

// Registers the host's own libc.so.6 as the system's symbols.
void host_system_register(void);

struct elf_symbol;
size_t host_system_symbols(const struct elf_symbol **symbols); // their number
const char *host_system_name(const struct elf_symbol *symbol);
const char *host_system_version(const struct elf_symbol *symbol);

// The memory that is mapped by core/elf now, in bytes; and how many files are open.
size_t host_mapped_bytes(void);
int host_open_files(void);

// What core/elf has registered; NULL: nothing yet.
struct shrinker;
extern struct shrinker *host_shrinker;

// Makes the next allocations fail after count more; negative: never.
void host_memory_fail_after(int count);

#endif
