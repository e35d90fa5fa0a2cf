// SPDX-License-Identifier: BSD-3-Clause
// machine_aarch64.c: signal frames and register reports on aarch64.
//
// sp is at the frame while the handler runs, and x30 leads to signal_return_entry. Vector state
// travels in the frame's own copy of hal_regs.
#include "core/linux/machine.h"

#include <signal.h>
#include <ucontext.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/signal.h"
#include "core/linux/user.h"

const char machine_name[] = "aarch64";

struct signal_frame {
    ucontext_t context;
    struct linux_signal_info info;
    struct hal_regs regs;
};

enum { REG_FRAME = 29, REG_LINK = 30 };

extern const char signal_return_entry[];

struct machine_place machine_place_of(const struct hal_regs *regs)
{
    return (struct machine_place){
        .ip = regs->pc, .sp = regs->sp, .frame = regs->general[REG_FRAME]};
}

void machine_call_arguments(const struct hal_regs *regs, long arguments[6])
{
    for (int i = 0; i < 6; ++i) {
        arguments[i] = (long)regs->general[i];
    }
}

long machine_result(const struct hal_regs *regs)
{
    return (long)regs->general[0];
}

void machine_result_set(struct hal_regs *regs, long result)
{
    regs->general[0] = (uint64_t)result;
}

// x0 has the first argument still.
void machine_call_again(struct hal_regs *regs)
{
    enum { INSTRUCTION_SIZE = 4 };
    regs->pc -= INSTRUCTION_SIZE;
}

void machine_child_set(struct hal_regs *regs, uintptr_t sp)
{
    machine_result_set(regs, 0);
    regs->sp = sp != 0 ? sp : regs->sp;
}

bool machine_tp_is_valid(const void *tp)
{
    (void)tp;
    return true;
}

void machine_print(const struct hal_regs *regs)
{
    for (int i = 0; i < 30; i += 3) {
        console_print("osv:  x%-2d %016lx  x%-2d %016lx  x%-2d %016lx\n", i, regs->general[i],
                      i + 1, regs->general[i + 1], i + 2, regs->general[i + 2]);
    }
    console_print("osv:  x30 %016lx  sp  %016lx  pc  %016lx\n", regs->general[REG_LINK], regs->sp,
                  regs->pc);
}

// The exceptions that are enabled and set.
int machine_math_code(const struct hal_regs *regs)
{
    enum { ENABLE_SHIFT = 8 };
    enum { INVALID = 1, DIVISION = 2, OVERFLOW = 4, UNDERFLOW = 8, INEXACT = 16 };
    uint64_t raised = regs->fpsr & (regs->fpcr >> ENABLE_SHIFT);
    return (raised & INVALID) != 0     ? FPE_FLTINV
           : (raised & DIVISION) != 0  ? FPE_FLTDIV
           : (raised & OVERFLOW) != 0  ? FPE_FLTOVF
           : (raised & UNDERFLOW) != 0 ? FPE_FLTUND
           : (raised & INEXACT) != 0   ? FPE_FLTRES
                                       : FPE_INTDIV;
}

size_t machine_core_general(const struct hal_regs *regs, const void *tp, char out[MACHINE_CORE_MAX])
{
    (void)tp;
    size_t size = offsetof(struct hal_regs, pstate) + sizeof regs->pstate;
    memcpy(out, regs->general, size); // struct user_pt_regs begins as struct hal_regs
    return size;
}

size_t machine_core_vector(const struct hal_regs *regs, char out[MACHINE_CORE_MAX])
{
    enum { SIZE = 528, FPSR = 512, FPCR = 516 };
    const uint32_t fpsr = (uint32_t)regs->fpsr, fpcr = (uint32_t)regs->fpcr;
    memset(out, 0, SIZE);
    memcpy(out, regs->vector, sizeof regs->vector);
    memcpy(out + FPSR, &fpsr, sizeof fpsr);
    memcpy(out + FPCR, &fpcr, sizeof fpcr);
    return SIZE;
}

static void context_fill(ucontext_t *context, const struct signal_call *call)
{
    memset(context, 0, sizeof *context);
    context->uc_stack.ss_sp = call->stack.base;
    context->uc_stack.ss_size = call->stack.size;
    context->uc_stack.ss_flags = (int)call->stack.flags;
    memcpy(&context->uc_sigmask, &call->mask, sizeof call->mask);
}

static void context_take(ucontext_t *context, const struct hal_regs *regs)
{
    memcpy(context->uc_mcontext.regs, regs->general, sizeof regs->general);
    context->uc_mcontext.sp = regs->sp;
    context->uc_mcontext.pc = regs->pc;
    context->uc_mcontext.pstate = regs->pstate;
}

// The context is 4.5 KiB: written in place, after a look whether the stack is there.
int signal_frame_push(struct hal_regs *regs, const struct signal_call *call)
{
    uintptr_t base = call->sp - sizeof(struct signal_frame);
    struct signal_frame *frame = (struct signal_frame *)(base & ~(uintptr_t)15);
    if ((uintptr_t)frame < call->sp_min) {
        return -EFAULT;
    }
    int error = user_write(&frame->regs, regs, sizeof *regs);
    if (error == 0) {
        error = user_write(&frame->info, call->info, sizeof *call->info);
    }
    if (error != 0 || (error = user_check(&frame->context, sizeof frame->context)) != 0) {
        return error;
    }
    context_fill(&frame->context, call);
    context_take(&frame->context, regs);
    regs->sp = (uintptr_t)frame;
    regs->pc = call->handler;
    regs->general[0] = (uint64_t)call->info->signal;
    regs->general[1] = (uintptr_t)&frame->info;
    regs->general[2] = (uintptr_t)&frame->context;
    regs->general[REG_LINK] = call->restorer != 0 ? call->restorer : (uintptr_t)signal_return_entry;
    return 0;
}

int signal_frame_check(const struct signal_frame *frame)
{
    return user_check(frame, sizeof *frame - sizeof frame->regs.vector);
}

void signal_frame_pop(const struct signal_frame *frame, struct hal_regs *regs, uint64_t *mask,
                      struct signal_stack *stack)
{
    const mcontext_t *machine = &frame->context.uc_mcontext;
    const stack_t *old = &frame->context.uc_stack;
    memcpy(mask, &frame->context.uc_sigmask, sizeof *mask);
    memcpy(regs, &frame->regs, sizeof *regs);
    memcpy(regs->general, machine->regs, sizeof regs->general);
    regs->sp = machine->sp;
    regs->pc = machine->pc;
    regs->pstate = machine->pstate;
    *stack = (struct signal_stack){old->ss_sp, old->ss_size, (uint32_t)old->ss_flags};
}
