// SPDX-License-Identifier: BSD-3-Clause
// context_x86_64.c: makecontext. The other half is context_x86_64.S, which says where things are.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/libc/export.h"
#include "core/libc/libc.h"

struct context { // ucontext_t of glibc as far as it counts here
    uint64_t flags;
    struct context *link;
    char *stack;
    int32_t stack_flags;
    size_t stack_size;
    uint64_t registers[23];
};

enum {
    R8 = 0,
    R9 = 1,
    RDI = 8,
    RSI = 9,
    RBX = 11,
    RDX = 12,
    RCX = 14,
    RSP = 15,
    RIP = 16,
    IN_REGISTERS = 6
};

_Static_assert(offsetof(struct context, registers) == 40, "ucontext_t");

int glibc_setcontext(const struct context *context);
void libc_context_return(void);
HAL_NORETURN void libc_context_next(struct context *next);

void libc_context_next(struct context *next)
{
    if (next != NULL) {
        glibc_setcontext(next);
    }
    libc_exit(0);
}

EXPORT(void, makecontext, struct context *context, void (*function)(void), int count, ...)
{
    static const int in_register[IN_REGISTERS] = {RDI, RSI, RDX, RCX, R8, R9};
    size_t on_stack = count > IN_REGISTERS ? (size_t)(count - IN_REGISTERS) : 0;
    uintptr_t top = (uintptr_t)context->stack + context->stack_size - on_stack * sizeof(uint64_t);
    uint64_t *stack = (uint64_t *)(top & ~(uintptr_t)15) - 1;
    stack[0] = (uint64_t)libc_context_return;
    va_list arguments;
    va_start(arguments, count);
    for (int i = 0; i < count; ++i) {
        uint64_t argument = va_arg(arguments, uint64_t);
        if (i < IN_REGISTERS) {
            context->registers[in_register[i]] = argument;
        } else {
            stack[1 + i - IN_REGISTERS] = argument;
        }
    }
    va_end(arguments);
    context->registers[RBX] = (uint64_t)context->link;
    context->registers[RSP] = (uint64_t)stack;
    context->registers[RIP] = (uint64_t)function;
}
