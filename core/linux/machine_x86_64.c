// SPDX-License-Identifier: BSD-3-Clause
// machine_x86_64.c: signal frames and register reports on x86_64.
//
// The return address lies right below the frame on the application's stack, as in Linux's
// rt_sigframe; the context's general registers are in Linux's order, which is hal_regs's, so
// handlers may read and change them. Vector state travels in the frame's own copy of hal_regs.
#include "core/linux/machine.h"

#include <signal.h>
#include <ucontext.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/linux/user.h"

const char machine_name[] = "x86_64";

struct signal_frame {
    ucontext_t context;
    struct linux_signal_info info;
    struct hal_regs regs; // the last: only the used part of its vector state is written
};

_Static_assert((int)REG_R8 == (int)HAL_REG_R8 && (int)REG_RIP == (int)HAL_REG_RIP, "gregset_t");
_Static_assert((int)REG_EFL == (int)HAL_REG_FLAGS && (int)REG_RSP == (int)HAL_REG_RSP, "gregset_t");

_Static_assert(offsetof(struct signal_frame, context.uc_mcontext.gregs) == 40,
               "signal_entry_x86_64.S");

enum { RED_ZONE = 128, FRAME_ALIGN = 64 };

extern const char signal_return_entry[];

struct machine_place machine_place_of(const struct hal_regs *regs)
{
    return (struct machine_place){regs->general[HAL_REG_RIP], regs->general[HAL_REG_RSP],
                                  regs->general[HAL_REG_RBP]};
}

long machine_system_call_number(const struct hal_regs *regs)
{
    return (long)regs->general[HAL_REG_RAX];
}

void machine_print(const struct hal_regs *regs)
{
    static const char names[HAL_REG_COUNT][4] = {"r8",  "r9",  "r10", "r11", "r12", "r13",
                                                 "r14", "r15", "rdi", "rsi", "rbp", "rbx",
                                                 "rdx", "rax", "rcx", "rsp", "rip", "flg"};
    char line[160];
    for (int row = 0; row < HAL_REG_COUNT; row += 3) {
        size_t used = 0;
        for (int i = row; i < row + 3; ++i) {
            used += format(line + used, sizeof line - used, "  %-3s %016lx", names[i],
                           regs->general[i]);
        }
        console_print("osv:%s\n", line);
    }
}

static void context_fill(ucontext_t *context, const struct signal_call *call)
{
    memset(context, 0, sizeof *context);
    const struct task_signal_stack *stack = &task_self()->signal_stack;
    context->uc_stack.ss_sp = stack->base;
    context->uc_stack.ss_size = stack->size;
    context->uc_stack.ss_flags = stack->is_set ? 0 : SS_DISABLE;
    memcpy(&context->uc_sigmask, &call->mask, sizeof call->mask);
}

// The parts are written one by one: the whole is too large to be prepared on the entry stack.
int signal_frame_push(struct hal_regs *regs, const struct signal_call *call)
{
    uintptr_t base = call->sp - RED_ZONE - sizeof(struct signal_frame);
    struct signal_frame *at = (struct signal_frame *)(base & ~(uintptr_t)(FRAME_ALIGN - 1));
    ucontext_t context;
    context_fill(&context, call);
    memcpy(context.uc_mcontext.gregs, regs->general, sizeof regs->general);
    context.uc_mcontext.fpregs = (fpregset_t)(void *)at->regs.vector;
    size_t regs_size = offsetof(struct hal_regs, vector) + regs->vector_size;
    int error = user_write(&at->context, &context, sizeof context);
    if (error == 0) {
        error = user_write(&at->info, call->info, sizeof *call->info);
    }
    if (error == 0) {
        error = user_write(&at->regs, regs, regs_size);
    }
    if (error != 0) {
        return error;
    }
    // The return address lies 8 below the frame, so that the handler starts with an aligned stack.
    uintptr_t *slot = (uintptr_t *)(void *)at - 1;
    *slot = (uintptr_t)signal_return_entry;
    regs->general[HAL_REG_RSP] = (uintptr_t)slot;
    regs->general[HAL_REG_RIP] = call->handler;
    regs->general[HAL_REG_RDI] = (uint64_t)call->info->signal;
    regs->general[HAL_REG_RSI] = (uintptr_t)&at->info;
    regs->general[HAL_REG_RDX] = (uintptr_t)&at->context;
    regs->general[HAL_REG_RAX] = 0;
    regs->general[HAL_REG_FLAGS] &= ~(uint64_t)0x500; // no direction, no trap flag in a handler
    return 0;
}

void signal_return(struct signal_frame *frame)
{
    struct task *task = task_self();
    uint64_t mask;
    memcpy(&mask, &frame->context.uc_sigmask, sizeof mask);
    signal_mask_restore(task, mask);
    memcpy(frame->regs.general, frame->context.uc_mcontext.gregs, sizeof frame->regs.general);
    hal_regs_resume(&frame->regs);
}

void signal_call_plain(const struct signal_call *call)
{
    struct linux_signal_info info = *call->info;
    ucontext_t context;
    context_fill(&context, call);
    context.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)__builtin_return_address(0);
    context.uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)__builtin_frame_address(0);
    ((void (*)(int, void *, void *))call->handler)(info.signal, &info, &context);
}
