// SPDX-License-Identifier: BSD-3-Clause
// guard.c: guard.h, and forced unwinding: how a thread leaves all its frames at once.
//
// Invariant: a thread's guards lie on its stack in the order of the list, the newest lowest. A
// function that was left by longjmp leaves its guard in the list: whoever is pushed next, or is
// undone, lies above it and drops it.
//
// Source of the unwinder's interface: Itanium C++ ABI, Exception Handling, level I.
#include "core/libc/guard.h"

#include <stdbool.h>

#include "core/elf/program.h"
#include "core/libc/thread.h"

enum { CLEANUP_PHASE = 2, END_OF_STACK = 16 }; // _Unwind_Action
enum { NO_REASON = 0, CONTINUE_UNWIND = 8 };   // _Unwind_Reason_Code

typedef int stop_function(int version, int actions, uint64_t class, void *exception, void *context,
                          void *argument);

void libc_guard_call(struct libc_guard *guard, void (*function)(void))
{
    struct libc_thread *self = libc_thread_self();
    while (self->guards != NULL && self->guards < guard) {
        self->guards = self->guards->previous;
    }
    guard->previous = self->guards;
    self->guards = guard;
    libc_guarded_call(function);
    self->guards = guard->previous;
}

int libc_guard_personality(int version, int actions, uint64_t class, void *exception, void *context)
{
    struct libc_thread *self = libc_thread_self();
    struct libc_guard *guard = self->guards;
    if ((actions & CLEANUP_PHASE) != 0 && guard != NULL) {
        self->guards = guard->previous;
        guard->undo(guard->argument);
    }
    return CONTINUE_UNWIND;
}

static uintptr_t (*frame_address_of)(void *context);

// At each frame, outermost last. Frames that were below a cleanup handler's are left, so it is its
// turn.
static int unwind_stop(int version, int actions, uint64_t class, void *exception, void *context,
                       void *argument)
{
    struct libc_thread *self = libc_thread_self();
    uintptr_t frame = frame_address_of(context);
    libc_cleanups_run_below(self, frame);
    if ((actions & END_OF_STACK) != 0 || frame >= self->first_frame) {
        libc_thread_exit(self->result);
    }
    return NO_REASON;
}

void libc_thread_unwind(void)
{
    struct libc_thread *self = libc_thread_self();
    self->exiting = true;
    void *unwind;
    void *address_of;
    if (elf_symbol_find(ELF_DEFAULT, "_Unwind_ForcedUnwind", NULL, NULL, &unwind) == 0 &&
        elf_symbol_find(ELF_DEFAULT, "_Unwind_GetCFA", NULL, NULL, &address_of) == 0) {
        frame_address_of = (uintptr_t(*)(void *))address_of;
        self->unwinding = (struct libc_unwinding){0};
        ((int (*)(void *, stop_function *, void *))unwind)(&self->unwinding, unwind_stop, NULL);
    }
    libc_cleanups_run_below(self, UINTPTR_MAX);
}
