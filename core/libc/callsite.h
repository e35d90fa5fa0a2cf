// SPDX-License-Identifier: BSD-3-Clause
// callsite.h: places in the program from where the C library was called, each with its callers.
#ifndef CORE_LIBC_CALLSITE_H
#define CORE_LIBC_CALLSITE_H

#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

enum { CALLSITE_DEPTH = 16 };

// Equal ones are one, and stay.
struct callsite {
    struct callsite *next;
    struct callsite_sum {
        size_t bytes, count;
    } sums[3]; // for who makes a report, who is alone then
    uint32_t depth;
    uintptr_t places[CALLSITE_DEPTH]; // return addresses, innermost first; the C library's last
                                      // function may come before the program's first
};

HAL_MUST_CHECK int callsite_start(void); // once, before the others. -ENOMEM

// Of the caller, which is a function of the C library. NULL: no memory.
struct callsite *callsite_here(void);

// All of them, by one who is alone.
void callsite_walk(void (*visit)(struct callsite *site, void *argument), void *argument);

// One line for each place, with the names that files have. NULL: says that it is not known. Thread
// context, without any lock of core's.
void callsite_print(const struct callsite *site);

#endif
