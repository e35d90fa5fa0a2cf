// SPDX-License-Identifier: BSD-3-Clause
// machine_x86_64.c: signal frames and register reports on x86_64.
//
// The return address lies right below the frame on the application's stack, as in Linux's
// rt_sigframe; signal_entry_x86_64.S knows where the registers are in it; the context's general
// registers are in Linux's order, which is hal_regs's, so handlers may read and change them. Vector
// state travels in the frame's own copy of hal_regs.
#include "core/linux/machine.h"

#include <signal.h>
#include <ucontext.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/linux/signal.h"
#include "core/linux/user.h"

const char machine_name[] = "x86_64";

struct signal_frame {
    ucontext_t context;
    struct linux_signal_info info;
    struct hal_regs regs; // the last: only the used part of its vector state is written
};

_Static_assert((int)REG_R8 == (int)HAL_REG_R8 && (int)REG_RIP == (int)HAL_REG_RIP, "gregset_t");
_Static_assert(offsetof(struct signal_frame, context.uc_mcontext.gregs) == 40,
               "signal_entry_x86_64.S");
_Static_assert(offsetof(struct hal_regs, vector_size) == 144 &&
                   offsetof(struct hal_regs, vector) == 192,
               "signal_entry_x86_64.S");
_Static_assert((int)REG_EFL == (int)HAL_REG_FLAGS && (int)REG_RSP == (int)HAL_REG_RSP, "gregset_t");

_Static_assert(offsetof(struct signal_frame, context.uc_mcontext.gregs) == 40,
               "signal_entry_x86_64.S");

enum { RED_ZONE = 128, FRAME_ALIGN = 64 };

extern const char signal_return_entry[];

struct machine_place machine_place_of(const struct hal_regs *regs)
{
    return (struct machine_place){.ip = regs->general[HAL_REG_RIP],
                                  .sp = regs->general[HAL_REG_RSP],
                                  .frame = regs->general[HAL_REG_RBP]};
}

void machine_call_arguments(const struct hal_regs *regs, long arguments[6])
{
    static const uint8_t order[6] = {HAL_REG_RDI, HAL_REG_RSI, HAL_REG_RDX,
                                     HAL_REG_R10, HAL_REG_R8,  HAL_REG_R9};
    for (int i = 0; i < 6; ++i) {
        arguments[i] = (long)regs->general[order[i]];
    }
}

long machine_result(const struct hal_regs *regs)
{
    return (long)regs->general[HAL_REG_RAX];
}

void machine_result_set(struct hal_regs *regs, long result)
{
    regs->general[HAL_REG_RAX] = (uint64_t)result;
}

// rax has the number still.
void machine_call_again(struct hal_regs *regs)
{
    enum { INSTRUCTION_SIZE = 2 };
    regs->general[HAL_REG_RIP] -= INSTRUCTION_SIZE;
}

void machine_child_set(struct hal_regs *regs, uintptr_t sp)
{
    machine_result_set(regs, 0);
    regs->general[HAL_REG_RSP] = sp != 0 ? sp : regs->general[HAL_REG_RSP];
}

bool machine_tp_is_valid(const void *tp)
{
    const uintptr_t end = 0x7ffffffff000; // of what Linux gives a program
    return (uintptr_t)tp < end;
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

// The unmasked exceptions of SSE, then those of x87; a division of integers leaves no mark.
int machine_math_code(const struct hal_regs *regs)
{
    enum { CONTROL = 0, STATUS = 2, MXCSR = 24, MXCSR_MASK_SHIFT = 7 };
    enum { INVALID = 1, DENORMAL = 2, DIVISION = 4, OVERFLOW = 8, UNDERFLOW = 16, INEXACT = 32 };
    uint16_t control;
    uint16_t status;
    uint32_t mxcsr;
    memcpy(&control, regs->vector + CONTROL, sizeof control);
    memcpy(&status, regs->vector + STATUS, sizeof status);
    memcpy(&mxcsr, regs->vector + MXCSR, sizeof mxcsr);
    unsigned raised = (mxcsr & ~(mxcsr >> MXCSR_MASK_SHIFT)) | (unsigned)(status & ~control);
    return (raised & INVALID) != 0                  ? FPE_FLTINV
           : (raised & DIVISION) != 0               ? FPE_FLTDIV
           : (raised & OVERFLOW) != 0               ? FPE_FLTOVF
           : (raised & (UNDERFLOW | DENORMAL)) != 0 ? FPE_FLTUND
           : (raised & INEXACT) != 0                ? FPE_FLTRES
                                                    : FPE_INTDIV;
}

size_t machine_core_general(const struct hal_regs *regs, const void *tp, char out[MACHINE_CORE_MAX])
{
    enum { ORIG_RAX = -1, CS = -2, SS = -3, FS_BASE = -4, NONE = -5 };
    static const int8_t order[] = {
        // struct user_regs_struct
        HAL_REG_R15, HAL_REG_R14, HAL_REG_R13, HAL_REG_R12, HAL_REG_RBP,   HAL_REG_RBX, HAL_REG_R11,
        HAL_REG_R10, HAL_REG_R9,  HAL_REG_R8,  HAL_REG_RAX, HAL_REG_RCX,   HAL_REG_RDX, HAL_REG_RSI,
        HAL_REG_RDI, ORIG_RAX,    HAL_REG_RIP, CS,          HAL_REG_FLAGS, HAL_REG_RSP, SS,
        FS_BASE,     NONE,        NONE,        NONE,        NONE,          NONE};
    enum { COUNT = sizeof order / sizeof order[0], USER_CS = 0x33, USER_SS = 0x2b };
    uint64_t words[COUNT];
    for (int i = 0; i < COUNT; ++i) {
        words[i] = order[i] >= 0          ? regs->general[order[i]]
                   : order[i] == ORIG_RAX ? UINT64_MAX
                   : order[i] == CS       ? USER_CS
                   : order[i] == SS       ? USER_SS
                   : order[i] == FS_BASE  ? (uintptr_t)tp
                                          : 0;
    }
    memcpy(out, words, sizeof words);
    return sizeof words;
}

// The legacy part of the XSAVE area; a context that was switched out has the control words'
// defaults.
size_t machine_core_vector(const struct hal_regs *regs, char out[MACHINE_CORE_MAX])
{
    enum { SIZE = 512, MXCSR = 24 };
    const uint16_t fcw = 0x37f;
    const uint32_t mxcsr = 0x1f80;
    if (regs->vector_size >= SIZE) {
        memcpy(out, regs->vector, SIZE);
    } else {
        memset(out, 0, SIZE);
        memcpy(out, &fcw, sizeof fcw);
        memcpy(out + MXCSR, &mxcsr, sizeof mxcsr);
    }
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

// The parts are written one by one: the whole is too large to be prepared on the entry stack.
int signal_frame_push(struct hal_regs *regs, const struct signal_call *call)
{
    uintptr_t base = call->sp - RED_ZONE - sizeof(struct signal_frame);
    size_t regs_size = offsetof(struct hal_regs, vector) + regs->vector_size;
    // The return address lies right below.
    base += sizeof(struct hal_regs) - regs_size;
    struct signal_frame *at = (struct signal_frame *)(base & ~(uintptr_t)(FRAME_ALIGN - 1));
    uintptr_t *slot = (uintptr_t *)(void *)at - 1;
    const uintptr_t entry = call->restorer != 0 ? call->restorer : (uintptr_t)signal_return_entry;
    ucontext_t context;
    if ((uintptr_t)slot < call->sp_min) {
        return -EFAULT;
    }
    context_fill(&context, call);
    memcpy(context.uc_mcontext.gregs, regs->general, sizeof regs->general);
    context.uc_mcontext.fpregs = (fpregset_t)(void *)at->regs.vector;
    int error = user_write(&at->context, &context, sizeof context);
    if (error == 0) {
        error = user_write(&at->info, call->info, sizeof *call->info);
    }
    if (error == 0) {
        error = user_write(&at->regs, regs, regs_size);
    }
    if (error != 0 || (error = user_write(slot, &entry, sizeof entry)) != 0) {
        return error;
    }
    regs->general[HAL_REG_RSP] = (uintptr_t)slot;
    regs->general[HAL_REG_RIP] = call->handler;
    regs->general[HAL_REG_RDI] = (uint64_t)call->info->signal;
    regs->general[HAL_REG_RSI] = (uintptr_t)&at->info;
    regs->general[HAL_REG_RDX] = (uintptr_t)&at->context;
    regs->general[HAL_REG_RAX] = 0;
    regs->general[HAL_REG_FLAGS] &= ~(uint64_t)0x500; // no direction, no trap flag in a handler
    return 0;
}

int signal_frame_check(const struct signal_frame *frame)
{
    return user_check(frame, sizeof *frame - sizeof frame->regs.vector);
}

void signal_frame_pop(const struct signal_frame *frame, struct hal_regs *regs, uint64_t *mask,
                      struct signal_stack *stack)
{
    size_t vector_size = frame->regs.vector_size;
    vector_size = vector_size < sizeof regs->vector ? vector_size : 0;
    const stack_t *old = &frame->context.uc_stack;
    memcpy(mask, &frame->context.uc_sigmask, sizeof *mask);
    memcpy(regs->general, frame->context.uc_mcontext.gregs, sizeof regs->general);
    memcpy(regs->vector, frame->regs.vector, vector_size);
    regs->vector_size = vector_size;
    *stack = (struct signal_stack){old->ss_sp, old->ss_size, (uint32_t)old->ss_flags};
}
