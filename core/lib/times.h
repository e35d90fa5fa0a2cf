// SPDX-License-Identifier: BSD-3-Clause
// times.h: of two times, ns.
#ifndef CORE_LIB_TIMES_H
#define CORE_LIB_TIMES_H

#include "hal/hal.h"

static inline hal_ns earlier(hal_ns a, hal_ns b)
{
    return a < b ? a : b;
}

static inline hal_ns later(hal_ns a, hal_ns b)
{
    return a > b ? a : b;
}

#endif
