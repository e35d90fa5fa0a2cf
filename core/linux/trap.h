// SPDX-License-Identifier: BSD-3-Clause
// trap.h: faults that nobody resolves.
#ifndef CORE_LINUX_TRAP_H
#define CORE_LINUX_TRAP_H

#include <stdbool.h>

struct hal_fault;
struct hal_frame;

// Becomes a signal of the faulting thread: its handler runs when frame is resumed, or the process
// ends with a report. False: a copy by user_read or user_write failed: hal_copy_safe is to answer
// -EFAULT.
bool signal_fault(const struct hal_fault *fault, struct hal_frame *frame);

// Whoever knows better what a page fault of the program's code, or of core's with interrupts on, means says so
// on the console and answers true: the process ends then, whatever handlers it has.
void signal_fault_watch_set(bool (*watch)(const struct hal_fault *fault));

#endif
