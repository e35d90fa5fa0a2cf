// SPDX-License-Identifier: BSD-3-Clause
// halt.h: the end of the machine.
#ifndef HAL_LINUX_HALT_H
#define HAL_LINUX_HALT_H

#include "hal/hal.h"

// The hosted main thread, which hal_halt wakes by VCPU_SIGNAL.
extern int halt_main_tid;

// True once a CPU called hal_halt; then how and code are what it said. Hosted.
bool halt_requested(enum hal_halt *how, int *code);

// Prints what and number, and crashes. For what cannot happen.
HAL_NORETURN void halt_fatal(const char *what, long number);

// Prints what, an instruction pointer and an address, and crashes with the exit status of signal.
HAL_NORETURN void halt_fault(const char *what, int signal, uint64_t ip, const char *va);

#endif
