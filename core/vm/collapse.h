// SPDX-License-Identifier: BSD-3-Clause
// collapse.h: memory that came page by page becomes 2 MiB at once.
//
// Thread context, may block.
#ifndef CORE_VM_COLLAPSE_H
#define CORE_VM_COLLAPSE_H

#include <stddef.h>

#include "hal/hal.h"

// MADV_COLLAPSE of a part of one mapping: all aligned 2 MiB within it, whatever advice there was.
// -EINVAL: there is none, or one cannot be large: nothing of it was ever touched, or it is not
// private anonymous memory that may be written. -ENOMEM: no memory. -EAGAIN: it is in use.
HAL_MUST_CHECK int vm_collapse(char *va, size_t size);

// Starts the thread that does it unasked, where there is plenty of memory. -ENOMEM.
HAL_MUST_CHECK int collapse_start(void);

#endif
