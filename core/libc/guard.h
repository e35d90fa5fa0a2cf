// SPDX-License-Identifier: BSD-3-Clause
// guard.h: calling a program's function that may leave by an exception or by forced unwinding.
//
// The unwinder is the program's libgcc_s. It asks a frame's personality function what is to be done
// there: that of libc_guarded_call runs the newest guard's undo and lets the unwinding go on. So
// nothing of libgcc is needed in core.
#ifndef CORE_LIBC_GUARD_H
#define CORE_LIBC_GUARD_H

#include <stdint.h>

struct libc_guard {
    struct libc_guard *previous; // older: on a higher address of the stack
    void (*undo)(void *argument);
    void *argument;
};

// Calls function(); when it is left by unwinding, guard->undo(guard->argument) has run. guard is on
// the caller's stack.
void libc_guard_call(struct libc_guard *guard, void (*function)(void));

// guard_ISA.S.
void libc_guarded_call(void (*function)(void));

// Called by the unwinder.
int libc_guard_personality(int version, int actions, uint64_t class, void *exception,
                           void *context);

#endif
