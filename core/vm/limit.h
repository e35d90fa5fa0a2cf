// SPDX-License-Identifier: BSD-3-Clause
// limit.h: how much the program may map: RLIMIT_AS and RLIMIT_DATA.
//
// For the holder of the address space's mutex. Ranges are page multiples.
#ifndef CORE_VM_LIMIT_H
#define CORE_VM_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

// Bytes of all mappings, and of those that are private and may be written; SIZE_MAX: no limit.
void limit_set(size_t size, size_t data_size);

// Whether size more bytes may be mapped with prot and flags (of vm_map), in place of what is at va;
// NULL: of nothing.
bool limit_allows(char *va, size_t size, unsigned prot, unsigned flags);

// Whether all of the range may get prot.
bool limit_allows_protection(char *start, char *end, unsigned prot);

// Nothing is refused: the rest need not be asked.
extern bool limit_is_none;

#endif
