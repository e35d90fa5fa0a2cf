// SPDX-License-Identifier: BSD-3-Clause
// machine.h: what core/linux needs of the ISA; machine_x86_64.c, machine_aarch64.c and
// signal_entry_*.S have the rest.
#ifndef CORE_LINUX_MACHINE_H
#define CORE_LINUX_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/linux/signal.h"
#include "hal/hal.h"
#include "hal_regs.h" // the ISA's struct hal_regs

struct signal_frame;

extern const char machine_name[]; // uname's

// Registers as the crash report and the backtrace see them.
struct machine_place {
    uintptr_t ip, sp, frame;
    bool is_return; // ip is where a call returns to
};

struct machine_place machine_place_of(const struct hal_regs *regs);
void machine_print(const struct hal_regs *regs); // to the console, a few lines

// A system call by an instruction, of which regs are the registers right behind it: its arguments; its
// result; going on with regs makes it once more; what a thread that it makes begins with on the
// stack that ends at sp (0: the caller's).
void machine_call_arguments(const struct hal_regs *regs, long arguments[6]);
long machine_result(const struct hal_regs *regs);
void machine_result_set(struct hal_regs *regs, long result);
void machine_call_again(struct hal_regs *regs);
void machine_child_set(struct hal_regs *regs, uintptr_t sp);

// May tp be a thread pointer? What never may be one the processor refuses.
bool machine_tp_is_valid(const void *tp);

// The registers of the caller as they are when this returns, which it does twice: false now, and
// true when somebody goes on with regs. What the caller changes in between it keeps in memory.
bool machine_capture(struct hal_regs *regs) __attribute__((returns_twice));

// Goes on in function on another stack. function does not return.
HAL_NORETURN void machine_stack_call(void *top, void (*function)(void *argument), void *argument);

// si_code of an arithmetic fault, FPE_*.
int machine_math_code(const struct hal_regs *regs);

// Registers as core files have them (Linux's elf_gregset_t and elf_fpregset_t). Answer the size.
enum { MACHINE_CORE_MAX = 528 };
size_t machine_core_general(const struct hal_regs *regs, const void *tp,
                            char out[MACHINE_CORE_MAX]);
size_t machine_core_vector(const struct hal_regs *regs, char out[MACHINE_CORE_MAX]);

// What a handler is to be called with.
struct signal_call {
    uintptr_t handler;
    uintptr_t restorer; // of the program's own, which ends in rt_sigreturn; 0: core's
    uintptr_t sp;     // the frame is built below it
    uintptr_t sp_min; // and not below this
    const struct linux_signal_info *info;
    uint64_t mask;             // to go back to
    struct signal_stack stack; // likewise
};

// Builds a signal frame from regs and changes regs so that going on with it runs handler(signal,
// info, context) and returns through signal_return. -EFAULT: the stack is not there.
HAL_MUST_CHECK int signal_frame_push(struct hal_regs *regs, const struct signal_call *call);

// Whether there can be a signal frame. -EFAULT.
HAL_MUST_CHECK int signal_frame_check(const struct signal_frame *frame);

// What signal_frame_push built, with what the handler changed. Then regs is the program's again.
void signal_frame_pop(const struct signal_frame *frame, struct hal_regs *regs, uint64_t *mask,
                      struct signal_stack *stack);

// The way back, called by signal_return_entry (signal_entry_*.S); frame is what signal_frame_push
// built.
HAL_NORETURN void signal_return(struct signal_frame *frame);

#endif
