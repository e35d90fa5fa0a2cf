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

// Where a parked thread was switched out. False: it never was.
bool unwind_parked(const struct thread *thread, struct machine_place *place);

#endif
