// SPDX-License-Identifier: BSD-3-Clause
// access.h: what a machine learns of each access to memory by code compiled with -fsanitize=thread.
//
// access.c defines the entry points that the compiler calls; they call these, just before the access.
// Nothing else happens between the call and the access: the machine is one host thread.
#ifndef HAL_LINUX_SEED_ACCESS_H
#define HAL_LINUX_SEED_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

// place is the instruction behind the one that called.
void seed_access(const volatile void *address, size_t size, bool writes, const void *place);

// An atomic access of that size; order is one of __ATOMIC_RELAXED .. __ATOMIC_SEQ_CST. A compare and
// exchange counts as a write, also when it fails.
void seed_atomic(const volatile void *address, size_t size, bool reads, bool writes, int order,
                 const void *place);

void seed_fence(int order);

#endif
