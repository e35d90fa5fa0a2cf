// SPDX-License-Identifier: BSD-3-Clause
// crash.h: the last words of a machine.
#ifndef HAL_COMMON_CRASH_H
#define HAL_COMMON_CRASH_H

#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

enum { CRASH_STATUS = 125 }; // what the host sees

struct crash_value {
    const char *name;
    uint64_t value;
};

// Writes what and the values in hexadecimal, four to a line, and stops every CPU. Any context.
HAL_NORETURN void crash(const char *what, const struct crash_value *values, size_t count);

// Stops the machine unless the claim holds: a programming error in a back-end, or hardware that
// cannot be.
static inline void crash_unless(bool claim, const char *what)
{
    if (!claim) {
        crash(what, NULL, 0);
    }
}

#endif
