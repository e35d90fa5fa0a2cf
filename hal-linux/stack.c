// SPDX-License-Identifier: BSD-3-Clause
// stack.c: tells Valgrind where stacks are.
#include <valgrind/memcheck.h>

#include "hal-x86_64/isa/isa.h"

// A stack that overlaps one registered before replaces it, as thread memory is reused.
void isa_stack_use(char *stack, size_t size)
{
    if (RUNNING_ON_VALGRIND) {
        VALGRIND_STACK_REGISTER(stack, stack + size);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(stack, size);
    }
}
