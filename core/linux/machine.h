// SPDX-License-Identifier: BSD-3-Clause
// machine.h: what core/linux needs of the ISA; machine_x86_64.c, machine_aarch64.c and
// signal_entry_*.S have the rest.
#ifndef CORE_LINUX_MACHINE_H
#define CORE_LINUX_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"
#include "hal_regs.h" // the ISA's struct hal_regs

struct linux_signal_info;
struct signal_frame;

extern const char machine_name[]; // uname's

// Registers as the crash report and the backtrace see them.
struct machine_place {
    uintptr_t ip, sp, frame;
};

struct machine_place machine_place_of(const struct hal_regs *regs);
void machine_print(const struct hal_regs *regs); // to the console, a few lines
long machine_system_call_number(const struct hal_regs *regs);

// What a handler is to be called with.
struct signal_call {
    uintptr_t handler;
    uintptr_t sp; // the frame is built below it
    const struct linux_signal_info *info;
    uint64_t mask; // to go back to
};

// Builds a signal frame from regs and changes regs so that going on with it runs handler(signal,
// info, context) and returns through signal_return. -EFAULT: the stack is not there.
HAL_MUST_CHECK int signal_frame_push(struct hal_regs *regs, const struct signal_call *call);

// The way back, called by signal_return_entry (signal_entry_*.S); frame is what signal_frame_push
// built.
HAL_NORETURN void signal_return(struct signal_frame *frame);

// Calls handler(signal, info, context) as a function, with a context that holds the mask and is
// otherwise empty.
void signal_call_plain(const struct signal_call *call);

#endif
