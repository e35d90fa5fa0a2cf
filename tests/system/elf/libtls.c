// SPDX-License-Identifier: BSD-3-Clause
// libtls.c: the libraries of tls.c. Each model is a file of its own on the command line: the
// compiler's options choose.
#include <stdint.h>

#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

#ifdef MODEL
static _Thread_local char before[3] = {1, 2, 3};
static _Thread_local long value = 7;
static _Thread_local int empty[20];

int JOIN(PREFIX, MODEL)(int change)
{
    long former = value + empty[7] + before[1];
    value += change;
    empty[7] += change;
    __asm__ volatile("" : : "r"(&value), "r"(empty), "r"(before) : "memory");
    return (int)former;
}
#endif

#ifdef PROGRAM
extern _Thread_local int shared_with_library;
static _Thread_local __attribute__((aligned(256))) char aligned[32] = "x";

int tls_of_program(void)
{
    return shared_with_library;
}

uintptr_t tls_alignment(void)
{
    return (uintptr_t)aligned % 256 + (aligned[0] != 'x');
}
#endif

#ifdef LATE
_Thread_local int late_variable = 77;
#endif
