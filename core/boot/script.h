// SPDX-License-Identifier: BSD-3-Clause
// script.h: programs that start with "#!": the interpreter takes their place, execve(2).
#ifndef CORE_BOOT_SCRIPT_H
#define CORE_BOOT_SCRIPT_H

#include "core/linux/process.h"

// While the executable is a script, replaces it and the arguments by the interpreter's. Memory is
// the heap's, for ever. -ENOENT and the like as open answers; -EACCES: a file that may not be
// executed; -ELOOP: too deep; -ENOEXEC: no interpreter named; -ENOMEM.
HAL_MUST_CHECK int script_resolve(struct process_options *process);

#endif
