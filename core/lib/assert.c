// SPDX-License-Identifier: BSD-3-Clause
// assert.c: the end of a run that found a bug in core.
#include "core/lib/assert.h"

#include "core/lib/format.h"
#include "hal/hal.h"

void assert_fail(const char *condition, const char *file, int line)
{
    (void)hal_irq_save();
    console_print("osv: assertion failed: %s (%s:%d)\n", condition, file, line);
    hal_halt(HAL_CRASH, 134);
}
