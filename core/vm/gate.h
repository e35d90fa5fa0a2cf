// SPDX-License-Identifier: BSD-3-Clause
// gate.h: faults of file pages against those who change what is mapped there.
//
// A fault enters the gate of its 2 MiB of addresses, where it meets other faults and nobody else.
// Who changes pages of files, or the records of their areas, holds the address space's mutex and
// closes the gates of the range: then no fault is inside, and those that come go by way of the
// mutex until they are open again.
#ifndef CORE_VM_GATE_H
#define CORE_VM_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

enum { GATE_SIZE = 2 << 20 }; // the addresses of a gate are a multiple of this

// For faults. May block. False: it is closed, and the caller is not inside. *has_waited becomes
// true where it had to wait.
HAL_MUST_CHECK bool gate_enter(const char *va, bool *has_waited);
void gate_leave(const char *va);

// For the holder of the mutex. One range at a time.
void gate_close(const char *start, const char *end);
void gate_open(void);

#endif
