// SPDX-License-Identifier: BSD-3-Clause
// library.c: functions that a debugger is to find in a library, one of them local to it.
#include "library.h"

#include <stdlib.h>

int library_compare(int a, int b)
{
    return (a > b) - (a < b);
}

__attribute__((noinline)) static void local_death(int *target, int how)
{
    int last_words = 4711 + how;
    if (how == 1) {
        abort();
    }
    *(volatile int *)target = last_words;
    __asm__ volatile("" : : "m"(last_words) : "memory");
}

void library_die(int how)
{
    local_death(NULL, how);
    __asm__ volatile("" : : : "memory");
}
