// SPDX-License-Identifier: BSD-3-Clause
// context.c: contexts before their first switch, and the thread pointer.
#include "hal/hal.h"

#include "hal-x86_64/isa/isa.h"
#include "hal/regs_x86_64.h"

_Static_assert(offsetof(struct hal_context, sp) == 0, "switch.S");
_Static_assert(offsetof(struct hal_context, tp) == 8, "switch.S");
_Static_assert(offsetof(struct hal_context, self) == 16, "switch.S");
_Static_assert(offsetof(struct hal_context, entry_stack) == 24, "switch.S");

enum { CONTROL_WORDS = 0x1f80 }; // MXCSR; above it the x87 control word 0x37f

void hal_tp_set(void *tp)
{
    uintptr_t state = hal_irq_save();
    __asm__ volatile("movq %0, %%gs:%c1" : : "r"(tp), "i"(PERCPU_TP) : "memory");
    if (isa_has_fsgsbase) {
        __asm__ volatile("wrfsbase %0" : : "r"(tp));
    } else {
        isa_tp_load_slow(tp);
    }
    hal_irq_restore(state);
}

void hal_context_get(const struct hal_context *context, struct hal_regs *regs)
{
    enum { R15 = 1, R14, R13, R12, RBX, RBP, RIP, SIZE };
    const uint64_t *sp = context->sp;
    for (int i = 0; i < HAL_REG_COUNT; ++i) {
        regs->general[i] = 0;
    }
    regs->general[HAL_REG_R15] = sp[R15];
    regs->general[HAL_REG_R14] = sp[R14];
    regs->general[HAL_REG_R13] = sp[R13];
    regs->general[HAL_REG_R12] = sp[R12];
    regs->general[HAL_REG_RBX] = sp[RBX];
    regs->general[HAL_REG_RBP] = sp[RBP];
    regs->general[HAL_REG_RIP] = sp[RIP];
    regs->general[HAL_REG_RSP] = (uint64_t)(sp + SIZE);
    regs->vector_size = 0;
}

// Lays out what hal_context_switch pops: see switch.S.
void hal_context_init(struct hal_context *context, char *stack, size_t size, void (*entry)(void *),
                      void *arg)
{
    if (context->entry_stack != NULL) {
        isa_stack_use((char *)context->entry_stack - HAL_ENTRY_STACK, HAL_ENTRY_STACK);
    }
    isa_stack_use(stack, size);
    uint64_t *sp = (uint64_t *)((uintptr_t)(stack + size) & ~15ul);
    *--sp = 0; // alignment: isa_context_start has rsp % 16 == 0 before its call
    *--sp = 0;
    *--sp = (uint64_t)isa_context_start;
    *--sp = 0;               // rbp
    *--sp = 0;               // rbx
    *--sp = (uint64_t)entry; // r12
    *--sp = (uint64_t)arg;   // r13
    *--sp = 0;               // r14
    *--sp = 0;               // r15
    *--sp = (uint64_t)0x37f << 32 | CONTROL_WORDS;
    context->sp = sp;
}
