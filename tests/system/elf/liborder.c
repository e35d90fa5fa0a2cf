// SPDX-License-Identifier: BSD-3-Clause
// liborder.c: one library of order.c; NAME and NEEDS are given on the command line.
#include <stdio.h>

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

#ifdef NEEDS
int JOIN(order_, NEEDS)(void);
#else
#define NO_NEEDS
#endif

int JOIN(order_, NAME)(void)
{
#ifdef NO_NEEDS
    return 1;
#else
    return 10 * JOIN(order_, NEEDS)() + 2;
#endif
}

void JOIN(init_, NAME)(int argc)
{
    printf("%s: DT_INIT %d\n", TEXT(NAME), argc);
}

void JOIN(fini_, NAME)(void)
{
    printf("%s: DT_FINI\n", TEXT(NAME));
    fflush(stdout);
}

__attribute__((constructor)) static void begin(int argc)
{
    printf("%s: constructor %d\n", TEXT(NAME), argc);
}

__attribute__((destructor)) static void end(void)
{
    printf("%s: destructor\n", TEXT(NAME));
}
