// SPDX-License-Identifier: BSD-3-Clause
// standstill.h: every thread of the program holds still but one, for ever: before a core dump, and
// before its memory is looked through.
#ifndef CORE_LINUX_STANDSTILL_H
#define CORE_LINUX_STANDSTILL_H

#include <stdbool.h>

#include "hal/hal.h"

struct thread;

// Stops all threads of the program but the caller: whoever an interrupt finds in the program's code
// parks (signal_run.c); whoever is in core's goes on until it waits or returns. So no lock of
// core's is held for ever. NULL, or one that did not stop in time. Thread context.
struct thread *standstill_begin(void);

// Those who have woken meanwhile stop again, soon.
void standstill_again(void);

// A thread that an interrupt finds in the program's code asks, with interrupts off, and holds: it
// does not return before the machine is switched off.
bool standstill_is_under_way(void);
HAL_NORETURN void standstill_hold(void);

// Parked, with its registers in its context: for what looks at threads meanwhile.
bool standstill_has(struct thread *thread);

#endif
