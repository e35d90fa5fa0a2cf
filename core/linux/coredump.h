// SPDX-License-Identifier: BSD-3-Clause
// coredump.h: --core: what the program was when a signal ended it, as a file that debuggers open.
#ifndef CORE_LINUX_COREDUMP_H
#define CORE_LINUX_COREDUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

struct hal_regs;
struct linux_signal_info;
struct process_output;

// From here on coredump_take works. -ENOMEM.
HAL_MUST_CHECK int coredump_start(const struct process_output *output);

// Writes the file, if --core was given, and says so. The caller's registers are regs, or where it
// is now (NULL); info may be NULL. Thread context, without any lock of core's.
void coredump_take(int signal, const struct hal_regs *regs, const struct linux_signal_info *info);

// Before the process ends: does not return while a dump is taken for another thread.
void coredump_await(void);

#endif
