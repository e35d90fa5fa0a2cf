// SPDX-License-Identifier: BSD-3-Clause
// flush.h: translation caches.
#ifndef HAL_X86_64_MACHINE_FLUSH_H
#define HAL_X86_64_MACHINE_FLUSH_H

#include "hal/hal.h"

// Does what other CPUs wait for this one to do. Interrupts off.
void flush_run(void);

#endif
