// SPDX-License-Identifier: BSD-3-Clause
// unwind.h: from a place in code to its caller's, for reports.
#ifndef CORE_LINUX_UNWIND_H
#define CORE_LINUX_UNWIND_H

#include <stdbool.h>

#include "core/linux/machine.h"

struct thread;

// Goes one frame up, on a stack of thread's. False: this was the outermost, or the stack cannot be
// read. Never faults, never allocates.
bool unwind_step(struct machine_place *place, const struct thread *thread);

// Where the function in which this stands was called.
static inline __attribute__((always_inline)) struct machine_place unwind_caller(void)
{
    const uintptr_t *pair = __builtin_frame_address(0);
    return (struct machine_place){
        .ip = pair[1], .sp = (uintptr_t)(pair + 2), .frame = pair[0], .is_return = true};
}

// Where a parked thread was switched out. False: it never was.
bool unwind_parked(const struct thread *thread, struct machine_place *place);

#endif
