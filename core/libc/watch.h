// SPDX-License-Identifier: BSD-3-Clause
// watch.h: --leak and --check-heap.
#ifndef CORE_LIBC_WATCH_H
#define CORE_LIBC_WATCH_H

#include <stdbool.h>

#include "hal/hal.h"

// Before the program is loaded. Where a memory checker watches, that does both: nothing begins.
// -ENOMEM.
HAL_MUST_CHECK int libc_watch_start(bool leaks, bool errors);

#endif
