// SPDX-License-Identifier: BSD-3-Clause
// selftest.h: what core expects of a machine, tried on the machine.
#ifndef CORE_BOOT_SELFTEST_H
#define CORE_BOOT_SELFTEST_H

#include <stdbool.h>

#include "hal/hal.h"

// On a thread, when memory, threads and vm are up. Prints a banner and one TAP line for each check,
// and powers the machine off: status 0, or 1 when a check failed. is_to_fail adds one that does, to
// show that a failure is seen outside.
HAL_NORETURN void selftest_run(const struct hal_boot *machine, bool is_to_fail);

#endif
