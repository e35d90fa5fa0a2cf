// SPDX-License-Identifier: BSD-3-Clause
// context.c: contexts before their first switch, and the thread pointer.
#include "hal/hal.h"

#include "hal-aarch64/isa/isa.h"
#include "hal/regs_aarch64.h"

_Static_assert(offsetof(struct hal_context, sp) == 0, "switch.S");
_Static_assert(offsetof(struct hal_context, tp) == 8, "switch.S");
_Static_assert(offsetof(struct hal_context, self) == 16, "switch.S");
_Static_assert(offsetof(struct hal_context, entry_stack) == 24, "switch.S");

// What hal_context_switch loads: see switch.S.
struct switched {
    uint64_t general[12]; // x19 .. x30
    uint64_t vector[8];   // d8 .. d15
    uint64_t fpcr, spare;
};

_Static_assert(sizeof(struct switched) == 176, "switch.S");

enum { SWITCHED_X19 = 0, SWITCHED_X20 = 1, SWITCHED_X30 = 11 };

void hal_tp_set(void *tp)
{
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(tp) : "memory");
}

void hal_context_get(const struct hal_context *context, struct hal_regs *regs)
{
    const struct switched *switched = context->sp;
    enum { X19 = 19, X30 = 30 };
    for (int i = 0; i <= X30; ++i) {
        regs->general[i] = i < X19 ? 0 : switched->general[i - X19];
    }
    regs->sp = (uint64_t)(switched + 1);
    regs->pc = regs->general[X30];
    regs->pstate = regs->fpsr = 0;
    regs->fpcr = switched->fpcr;
    for (size_t i = 0; i < sizeof regs->vector; ++i) {
        regs->vector[i] = 0;
    }
}

void hal_context_init(struct hal_context *context, char *stack, size_t size, void (*entry)(void *),
                      void *arg)
{
    struct switched *switched = (struct switched *)((uintptr_t)(stack + size) & ~15ul) - 1;
    *switched = (struct switched){
        .general[SWITCHED_X19] = (uint64_t)entry,
        .general[SWITCHED_X20] = (uint64_t)arg,
        .general[SWITCHED_X30] = (uint64_t)isa_context_start,
    };
    context->sp = switched;
}
