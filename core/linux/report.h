// SPDX-License-Identifier: BSD-3-Clause
// report.h: what a person reads when the program dies, and on Ctrl-\.
#ifndef CORE_LINUX_REPORT_H
#define CORE_LINUX_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct hal_regs;
struct linux_signal_info;

// Prints signal, address, place, registers and backtrace to the console, and takes the core dump
// where one is wanted and the failure is not core's own. regs NULL: the caller's own place; info
// NULL: not known. Usable with interrupts off. While another thread's report is under way it does
// not return, or says nothing where core itself has failed.
void report_fatal(int signal, const struct hal_regs *regs, const struct linux_signal_info *info);

// The one place that every signal passes which is about to end the program, after its report: for
// debuggers' breakpoints. address: of a fault; regs NULL: the program raised the signal itself.
void osv_fatal_fault(int signal, const void *address, const struct hal_regs *regs);

// Writes "libc.so.6+0x123 (strlen+0x5)", as far as it is known; answers its length, as format does.
// may_read: files may be read now.
size_t report_place(char *text, size_t size, uintptr_t ip, bool may_read);

// Prints every thread's stack. Thread context.
void report_threads(void);

#endif
