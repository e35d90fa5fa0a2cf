// SPDX-License-Identifier: BSD-3-Clause
// calls.h: which functions of an application compiled with -fsanitize=thread are under way, in each
// context: what the compiler tells at their beginning and end. Such code mostly has no frame
// pointers to go by.
//
// Functions that are left without an end of theirs (longjmp) began where the stack is free again:
// they are forgotten at the next beginning or end above them.
#ifndef HAL_LINUX_SEED_CALLS_H
#define HAL_LINUX_SEED_CALLS_H

#include <stdint.h>

// A function begins, or ends; caller is where it goes back to, sp what the stack pointer is there.
void calls_enter(uint32_t context, const void *caller, uintptr_t sp);
void calls_leave(uint32_t context, uintptr_t sp);

// The callers of what is under way, innermost first, at most size of them; answers how many.
uint32_t calls_get(uint32_t context, const void *places[], uint32_t size);

#endif
