// SPDX-License-Identifier: BSD-3-Clause
// flush.h: translation caches.
#ifndef HAL_X86_64_MACHINE_FLUSH_H
#define HAL_X86_64_MACHINE_FLUSH_H

#include "hal/hal.h"

// Does what other CPUs wait for this one to do. Interrupts off.
void flush_run(void);

// Around a halt, with interrupts off; the second also where an interrupt has ended it, before
// anything else. In between others do not wait for this CPU.
void flush_nap_begin(void);
void flush_nap_end(void);

#endif
